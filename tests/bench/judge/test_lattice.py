"""Squares about pixels are those of scipy's filters, and the greatest layer that of argmax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter, minimum_filter

from bench.judge.lattice import within_squares
from bench.judge.places import greatest


@pytest.mark.parametrize(
    ("extreme", "filtered"), [(np.maximum, maximum_filter), (np.minimum, minimum_filter)]
)
@given(st.integers(0, 9999), st.integers(1, 30), st.integers(1, 30), st.integers(0, 9))
def test_squares_are_those_of_scipy(extreme, filtered, seed, height, width, reach):
    values = np.random.default_rng(seed).integers(0, 256, (2, height, width), dtype=np.uint8)
    found, side = within_squares(values, 2 * reach + 1, extreme), 2 * reach + 1
    for one, own in zip(found, values, strict=True):
        np.testing.assert_array_equal(one, filtered(own, side))


@given(st.integers(0, 9999), st.integers(1, 6))
def test_the_greatest_layer_is_the_first_of_equals(seed, count):
    layers = np.random.default_rng(seed).integers(0, 3, (count, 5, 7)).astype(np.float32)
    np.testing.assert_array_equal(greatest(layers), layers.argmax(axis=0))
    numbers = [3 * number + 1 for number in range(count)]
    np.testing.assert_array_equal(greatest(layers, numbers), 3 * layers.argmax(axis=0) + 1)
