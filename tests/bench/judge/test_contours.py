"""Black contours are no paint; black paint is no contour."""

import numpy as np
import pytest

from bench.judge.contours import without_outline

SIZE = 96


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    return np.hypot(x - SIZE / 2, y - SIZE / 2) < radius


def kept(mask: np.ndarray, black: np.ndarray) -> np.ndarray:
    found = without_outline(mask.ravel().astype(np.float32), black.ravel(), mask.shape)
    return found.reshape(mask.shape) > 0


def test_a_contour_and_the_lines_inside_are_left_out():
    mask = disc(40)
    _, x = np.mgrid[0:SIZE, 0:SIZE]
    black = mask & (~disc(37) | (np.abs(x - 40) < 2))
    assert (kept(mask, black) == (mask & ~black)).mean() > 0.995


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5])
def test_black_stripes_are_paint(share):
    mask = disc(40)
    _, x = np.mgrid[0:SIZE, 0:SIZE]
    black = mask & ((x % 14) < 14 * share)
    assert (kept(mask, black) == mask).all()


def test_a_black_body_with_a_contour_keeps_all_of_it():
    mask = disc(40)
    body = mask & (np.mgrid[0:SIZE, 0:SIZE][0] > SIZE / 2)
    black = body | (mask & ~disc(37))
    assert (kept(mask, black) == mask).all()


def test_a_thing_of_lines_alone_is_what_it_is():
    ring = disc(40) & ~disc(37)
    assert (kept(ring, ring) == ring).all()
    assert (kept(disc(40), disc(40)) == disc(40)).all()


def test_spots_stay():
    mask = disc(40)
    spots = mask & disc(12)
    assert (kept(mask, spots) == mask).all()


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (3, 3)])
def test_tiny_and_empty_regions(shape):
    nothing = np.zeros(shape, dtype=np.float32).ravel()
    ones = np.ones(shape, dtype=np.float32).ravel()
    assert (without_outline(nothing, ones > 0, shape) == nothing).all()
    assert (without_outline(ones, ones > 0, shape) == ones).all()
