"""The surroundings' light comes off pale surfaces; strong colours and their order stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.colour.naming import memberships
from bench.judge.colour.spaces import from_lab, to_lab
from bench.judge.local_light import LocalLight, as_seen
from prompts.colours import COLOUR_NAMES


def scene(thing: tuple[int, int, int], around: tuple[int, int, int], white: int = 250):
    """A thing of a fifth of the picture, something around it, and a little white."""
    byte = np.array([thing] * 20 + [around] * 75 + [(white,) * 3] * 5, np.uint8)
    masks = np.zeros((2, 100), np.float32)
    masks[0, :20] = masks[1, 20:] = 1
    return byte, masks


def name_of(byte: np.ndarray) -> str:
    return COLOUR_NAMES[int(memberships(byte[None])[0].argmax())]


@pytest.mark.parametrize(
    ("thing", "around", "name"),
    [
        ((238, 212, 216), (200, 40, 45), "white"),  # A white can on a red cloth.
        ((205, 205, 205), (120, 120, 120), "white"),  # White in half shade.
        ((62, 60, 58), (200, 196, 190), "black"),  # A black apple in a bright room.
        ((140, 118, 100), (230, 120, 30), "gray"),  # A gray bottle on an orange table.
        ((150, 150, 150), (60, 60, 60), "gray"),
        ((245, 170, 190), (230, 120, 150), "pink"),  # Pink beside pink stays pink.
        ((110, 70, 40), (90, 60, 40), "brown"),
        ((150, 20, 20), (200, 200, 200), "red"),
    ],
)
def test_a_thing_has_the_name_that_a_person_gives_it(thing, around, name):
    byte, masks = scene(thing, around)
    assert name_of(as_seen([byte], [masks])[0][0]) == name


def test_strong_colours_are_left_as_they_are():
    byte, masks = scene((200, 30, 30), (30, 60, 200))
    (seen,) = as_seen([byte], [masks])
    assert (seen[:95] == byte[:95]).all()


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=2, max_size=40))
@settings(max_examples=50)
def test_where_nothing_is_to_move_bytes_stay(pixels):
    byte, half = np.array(pixels, np.uint8), len(pixels) // 2
    masks = np.zeros((2, len(pixels)), np.float32)
    masks[0, :half] = masks[1, half:] = 1
    still = LocalLight(taken=0.0, neutral=(-2.0, -1.0))
    assert np.array_equal(as_seen([byte], [masks], still)[0], byte)


def test_a_picture_of_one_region_has_no_surroundings():
    byte = np.full((50, 3), (150, 135, 135), np.uint8)
    (seen,) = as_seen([byte], [np.ones((1, 50), np.float32)])
    lab = to_lab(seen)
    np.testing.assert_allclose(lab[:, 1:], to_lab(byte)[:, 1:], atol=2.5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=2, max_size=30))
def test_the_order_of_grays_stays(levels):
    around = np.full((60, 3), 128, np.uint8)
    byte = np.concatenate([np.array(sorted(levels), np.uint8)[:, None].repeat(3, 1), around])
    masks = np.zeros((2, len(byte)), np.float32)
    masks[0, : len(levels)] = masks[1, len(levels) :] = 1
    seen = to_lab(as_seen([byte], [masks])[0][: len(levels)])[:, 0]
    assert (np.diff(seen) >= -1.0).all()


def test_pictures_together_are_as_each_alone():
    scenes = [scene((238, 212, 216), (200, 40, 45)), scene((62, 60, 58), (200, 196, 190), 220)]
    scenes.append((np.full((50, 3), (150, 135, 135), np.uint8), np.ones((1, 50), np.float32)))
    together = as_seen(*zip(*scenes, strict=True))
    for seen, (byte, masks) in zip(together, scenes, strict=True):
        assert (seen == as_seen([byte], [masks])[0]).all()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_lab_goes_back(colour):
    byte = np.array([colour], np.uint8)
    np.testing.assert_array_equal(np.round(from_lab(to_lab(byte)) * 255), byte)
