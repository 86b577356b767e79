"""The photoreal test set: masks, cells and verdicts fit one another."""

import numpy as np
import pytest

from bench.certificate.photoreal import FOLDER, photoreal_batches, regions_of, scenes
from bench.records import VERDICTS


def test_the_set_is_whole_and_small():
    assert len(scenes()) == 300
    assert {record["verdict"] for record in scenes()} == set(VERDICTS) - {"invalid", "unjudged"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 10_000_000


def test_regions_of_labels():
    labels = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint8)
    regions = regions_of(labels, ["cup", "pear"], ["cup", "apple"])
    assert regions.masks[0].sum() == 2
    assert regions.masks[1].sum() == 0
    assert regions.found.tolist() == [1.0, 0.0]
    assert regions.neighbours == ("other", "plate", "picture frame")
    assert regions.background.sum() == 2
    assert regions.support.sum() == 1
    total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
    assert np.array_equal(total, np.ones_like(total))


@pytest.mark.parametrize("first", [0, 150, 264])
def test_scenes_show_what_their_records_say(first):
    (batch,) = photoreal_batches(24, first)
    assert len(batch) == 24
    for answer in batch:
        regions = answer.regions
        assert answer.generation.image.shape == (384, 384, 3)
        assert len(answer.verdicts) == len(answer.generation.sample.cell.bindings)
        if answer.verdicts[0] == "absent":
            assert regions.found[0] == 0
        else:
            assert (regions.masks.mean((1, 2)) > 0.005).all()
        if answer.verdicts[0] == "mixed":
            assert 0.1 < answer.painted < 0.65
