"""Squares about pixels are those of scipy's filters, and the greatest layer that of argmax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

from bench.judge.lattice import block_means, within_squares
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


@given(st.integers(0, 9999), st.integers(1, 5), st.sampled_from([(64, 64), (64, 48), (40, 64)]))
def test_block_means_are_those_of_pillow(seed, step, size):
    shape = (step * size[1], step * size[0], 3)
    image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    found = block_means(image, 64).astype(int)
    own = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)).astype(int)
    # Pillow's weights are fractions of 2**22: a third is none of them, and a half may fall over.
    assert np.abs(found - own).max() <= (step in (3, 5))
    assert (found == own).mean() > 0.99
