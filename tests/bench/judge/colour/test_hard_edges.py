"""The boundaries that colour naming models get wrong; docs/colour.md tells where ours lie."""

import numpy as np
import pytest

from bench.judge import colour


def named(*rgb):
    return colour.name(np.array(rgb, dtype=np.uint8))


@pytest.mark.parametrize(
    ("rgb", "term"),
    [
        ((255, 140, 0), "orange"),
        ((230, 126, 34), "orange"),
        ((204, 102, 0), "orange"),
        ((139, 69, 19), "brown"),
        ((101, 67, 33), "brown"),
        ((160, 110, 60), "brown"),
        ((92, 64, 51), "brown"),
    ],
)
def test_brown_is_dark_orange(rgb, term):
    assert named(*rgb) == term


@pytest.mark.parametrize(
    ("rgb", "term"),
    [
        ((255, 105, 180), "pink"),
        ((255, 182, 193), "pink"),
        ((231, 84, 128), "pink"),
        ((128, 0, 128), "purple"),
        ((147, 112, 219), "purple"),
        ((177, 156, 217), "purple"),
        ((220, 20, 60), "red"),
    ],
)
def test_pink_purple_and_red(rgb, term):
    assert named(*rgb) == term


@pytest.mark.parametrize(
    ("value", "term"),
    [
        (0, "black"),
        (24, "black"),
        (40, "black"),
        (72, "gray"),
        (105, "gray"),
        (128, "gray"),
        (169, "gray"),
        (192, "gray"),
        (211, "gray"),
        (230, "white"),
        (245, "white"),
        (255, "white"),
    ],
)
def test_neutral_axis(value, term):
    assert named(value, value, value) == term


def test_the_neutral_axis_changes_name_twice():
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    names = colour.name(gray)
    assert int((names[1:] != names[:-1]).sum()) == 2


@pytest.mark.parametrize(
    ("rgb", "term"),
    [
        ((25, 25, 112), "blue"),
        ((0, 0, 64), "blue"),
        ((0, 51, 0), "green"),
        ((60, 0, 0), "red"),
        ((15, 15, 20), "black"),
        ((25, 20, 18), "black"),
    ],
)
def test_dark_colours_are_not_black(rgb, term):
    said = named(*rgb)
    assert said == term or (term == "red" and said == "brown")


@pytest.mark.parametrize(
    ("rgb", "term"),
    [
        ((255, 255, 0), "yellow"),
        ((240, 230, 70), "yellow"),
        ((255, 215, 0), "yellow"),
        ((255, 250, 160), "yellow"),
        ((173, 255, 47), "green"),
        ((150, 220, 60), "green"),
        ((107, 142, 35), "green"),
    ],
)
def test_yellow_and_green(rgb, term):
    assert named(*rgb) == term


@pytest.mark.parametrize(
    ("rgb", "term"),
    [((0, 100, 160), "blue"), ((60, 179, 113), "green"), ((70, 130, 180), "blue")],
)
def test_green_and_blue(rgb, term):
    assert named(*rgb) == term
