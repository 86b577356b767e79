"""Places on small drawn label maps."""

from __future__ import annotations

import numpy as np
import pytest

from bench.judge.places import SUPPORT, WALL, Picture, part_support, places_of
from tests.bench.judge.drawn_places import picture


def test_the_band_around_outlines_belongs_to_no_place():
    drawn = picture()
    (wall,) = places_of(drawn.labels, ())["wall"]
    assert not wall[23, 40]
    assert not wall[47, 5]
    assert wall[5, 5]


@pytest.mark.parametrize("turns", range(4))
def test_wall_and_support_are_parted_whichever_way_is_down(turns):
    drawn = picture()
    ground = np.where(drawn.labels == SUPPORT, WALL, drawn.labels).astype(np.uint8)
    found = part_support(Picture(np.rot90(drawn.byte, turns), np.rot90(ground, turns), ()))
    two = {int((found.labels == label).sum()) for label in (WALL, SUPPORT)}
    assert two == {int((drawn.labels == label).sum()) for label in (WALL, SUPPORT)}
