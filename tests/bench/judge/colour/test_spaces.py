import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.errors import UsageError
from bench.judge.colour.spaces import (
    as_byte,
    as_unit,
    cube,
    cube_index,
    from_linear,
    lab_of_linear,
    linear_of_byte,
    to_lab,
    to_linear,
)


def test_lab_is_that_of_skimage():
    from skimage.color import rgb2lab

    rgb = np.random.default_rng(0).integers(0, 256, (500, 3), dtype=np.uint8)
    np.testing.assert_allclose(to_lab(rgb), rgb2lab(rgb[None])[0], atol=2e-3)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_corners(rgb, lab):
    np.testing.assert_allclose(to_lab(np.array(rgb, dtype=np.uint8)), lab, atol=0.02)


@given(arrays(np.uint8, (7, 3)))
def test_byte_and_float_are_the_same_colour(rgb):
    np.testing.assert_array_equal(as_byte(rgb / 255.0), rgb)
    np.testing.assert_array_equal(as_byte(as_unit(rgb)), rgb)


@given(st.floats(0, 1))
def test_transfer_curve_and_back(value):
    assert float(from_linear(to_linear(np.array(value)))) == pytest.approx(value, abs=1e-6)


def test_linear_of_byte_rises():
    assert np.all(np.diff(linear_of_byte()) > 0)


def test_cube_index_finds_its_cell():
    byte = np.random.default_rng(1).integers(0, 256, (300, 3), dtype=np.uint8)
    centre = cube()[cube_index(byte)] * 255
    assert np.abs(centre - byte).max() <= 1.5 + 1e-9


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((4, 4), dtype=np.uint8), "last axis of 3"),
        (np.float32(0.5), "last axis of 3"),
        (np.array([0.0, 0.5, 200.0]), "divide float images by 255"),
        (np.array([0.0, np.nan, 0.5]), "must lie in"),
        (np.array([0, 0, 300], dtype=np.int32), "must lie in"),
        (np.array([1 + 1j, 0, 0]), "must be uint8"),
    ],
)
def test_what_is_no_colour_is_refused(bad, words):
    with pytest.raises(UsageError, match=words):
        as_unit(bad)


def test_no_colours_at_all():
    assert as_byte(np.empty((0, 3))).shape == (0, 3)


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_linear_light_has_the_same_lab(linear):
    light = np.array(linear)
    np.testing.assert_allclose(lab_of_linear(light), to_lab(from_linear(light)), atol=1e-3)
