"""Pairs of a leak that is known and its control: what is said of them is so in the pixels."""

import numpy as np
import pytest

from bench.certificate.leak_pairs import LEAKS, leak_pairs
from bench.certificate.scenes import Conditions
from bench.judge.colour.naming import memberships
from prompts.colours import COLOUR_NAMES


@pytest.fixture(scope="module")
def pairs():
    return leak_pairs(66, 5, Conditions())


def shares(pair, where):
    """Share of a place in the asked colour, in the picture and at the same pixels before."""
    colour = pair.picture.generation.sample.cell.bindings[0].colour
    term = COLOUR_NAMES.index(colour)
    return [memberships(one.generation.image[where])[:, term].mean()
            for one in (pair.picture, pair.control)]  # fmt: skip


def test_every_leak_is_drawn_and_half_of_the_pairs_have_none(pairs):
    assert {pair.leak for pair in pairs} == {"", *LEAKS}
    assert sum(not pair.leak for pair in pairs) == len(pairs) // 2


def test_a_plate_a_frame_or_a_thing_that_leaked_has_the_colour_and_the_control_has_it_not(pairs):
    names = {"plate": "plate", "frame": "picture frame", "other": "other"}
    checked = 0
    for pair in pairs:
        if pair.leak in names:
            regions = pair.picture.regions
            mask = regions.neighbour_masks[regions.neighbours.index(names[pair.leak])] > 0.9
            after, before = shares(pair, mask)
            assert after > 0.3 > before
            checked += 1
    assert checked >= 15


def test_a_wall_that_leaked_has_the_colour(pairs):
    for pair in pairs:
        if pair.leak == "wall":
            top = np.zeros(pair.picture.generation.image.shape[:2], bool)
            top[:] = pair.picture.regions.background > 0.99
            top[20:] = False
            after, before = shares(pair, top)
            assert after > 0.8
            assert before < 0.2


def test_the_control_names_no_colour_and_has_the_same_thing(pairs):
    for pair in pairs:
        cell, bare = (one.generation.sample.cell for one in (pair.picture, pair.control))
        assert bare.id == cell.control_id
        assert [one.colour for one in bare.bindings] == [None]
        assert bare.bindings[0].subject == cell.bindings[0].subject
        assert pair.control.regions.masks[0].sum() > 0


def test_the_same_seed_draws_the_same_pairs(pairs):
    again = leak_pairs(66, 5, Conditions())
    for one, other in zip(pairs, again, strict=True):
        for side in ("picture", "control"):
            images = [getattr(pair, side).generation.image for pair in (one, other)]
            assert np.array_equal(*images)
