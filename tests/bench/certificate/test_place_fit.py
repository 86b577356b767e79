"""The fit of places: what it chooses on masks of a known fault is what that fault needs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion

from bench.certificate.leak_pairs import leak_pairs
from bench.certificate.place_fit import (
    PLACE_GRID,
    constant,
    constants,
    fit_places,
    flat_range,
    measure_pairs,
    tally,
)
from bench.certificate.scenes import Conditions
from bench.judge import places


@pytest.fixture(scope="module")
def pairs():
    return leak_pairs(66, 7, Conditions())


@pytest.fixture(scope="module")
def exact(pairs):
    return measure_pairs(pairs, None)


def with_masks(pairs, change):
    """The pairs with other masks: of the subject, and a neighbour's if ``change`` gives one."""

    def changed(answer):
        regions = answer.regions
        mask, neighbour = change(regions.masks[0] > 0.5)
        names, masks = list(regions.neighbours), list(regions.neighbour_masks)
        if neighbour is not None:
            names, masks = [*names, "other"], [*masks, neighbour.astype(np.float32)]
        stacked = np.stack(masks) if masks else regions.neighbour_masks
        others = regions.masks[0] - mask
        ground = np.clip(regions.background + (others if neighbour is None else 0), 0, 1)
        kept = mask.astype(np.float32)[None]
        return replace(answer, regions=replace(
            regions, masks=kept, neighbours=tuple(names), neighbour_masks=stacked,
            background=ground.astype(np.float32)))  # fmt: skip

    found = [replace(pair, picture=changed(pair.picture), control=changed(pair.control))
             for pair in pairs]  # fmt: skip
    return measure_pairs(found, None)


def eroded(mask):
    return binary_erosion(mask, iterations=4), None


def footless(mask):
    rows = np.flatnonzero(mask.any(1))
    foot = mask.copy()
    foot[: int(np.quantile(rows, 0.85))] = False
    return mask & ~foot, foot


def test_masks_that_leave_a_rim_of_the_subject_to_the_wall_need_a_band(pairs):
    found = fit_places({"eroded": with_masks(pairs, eroded)}, ["BAND"])["BAND"]
    assert found["best"] * 64 > 2
    assert 0.0 not in found["flat"]
    assert found["tried"]["0.0"]["eroded"]["false"] > found["tried"]["0.06"]["eroded"]["false"]


def test_feet_that_are_called_neighbours_need_a_least_size_of_neighbours(pairs):
    found = fit_places({"footless": with_masks(pairs, footless)}, ["PART"])["PART"]
    assert found["best"] > 0
    assert 0.0 not in found["flat"]


def test_verdicts_of_exact_masks_are_mostly_right(exact):
    row = tally(exact).row()
    assert row["precision"] >= 0.95
    assert row["recall"] >= 0.85


def test_constants_are_as_they_were_after_the_block():
    before = {name: constant(name) for name in PLACE_GRID}
    with constants(**dict.fromkeys(PLACE_GRID, 0.5)):
        assert places.BAND == 0.5
    assert before == {name: constant(name) for name in PLACE_GRID}
    with pytest.raises(KeyError), constants(BAND=0.5):
        raise KeyError
    assert before == {name: constant(name) for name in PLACE_GRID}


@given(st.lists(st.lists(st.integers(0, 2), min_size=8, max_size=8), min_size=1, max_size=5))
def test_the_best_is_in_its_flat_range_and_what_errs_alike_is_too(rows):
    errors = {float(value): np.array(row) for value, row in enumerate(rows)}
    best, flat = flat_range(errors)
    assert best in flat
    least = errors[best].sum()
    assert all(value in flat for value, row in errors.items() if row.sum() == least)


def test_a_value_that_always_errs_is_out_of_the_range():
    errors = {0.0: np.ones(50, int), 1.0: np.zeros(50, int), 2.0: np.eye(50, dtype=int)[0]}
    assert flat_range(errors) == (1.0, [1.0, 2.0])
