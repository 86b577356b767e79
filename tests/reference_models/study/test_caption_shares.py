"""Loose captions are counted as they were drawn."""

import pytest

from reference_models.study.caption_shares import loose_share
from reference_models.world.caption_noise import CLEAN, CaptionNoise


def test_true_captions_are_not_loose_and_more_of_them_are():
    assert loose_share(CLEAN, 5000) == 0
    some, more = (loose_share(CaptionNoise(loose=share), 20_000) for share in (0.25, 0.5))
    assert some == pytest.approx(0.22, abs=0.03)
    assert more == pytest.approx(2 * some, rel=0.15)
