"""A picture as a histogram of its colours: what that keeps, and by how much it is off at most."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.colour.difference import membership_table
from bench.judge.colour.palette import palette_of
from bench.judge.colour.spaces import cube_index, linear_of_byte, to_lab
from bench.judge.dichromatic import plain_shares
from prompts.colours import COLOUR_NAMES

TABLE = membership_table(COLOUR_NAMES)
PICTURES = st.builds(
    lambda seed, spread, base: np.clip(
        np.random.default_rng(seed).normal(base, spread, (500, 3)), 0, 255
    ).astype(np.uint8),
    st.integers(0, 9999),
    st.floats(0, 90),
    st.tuples(*[st.integers(0, 255)] * 3),
)


@settings(max_examples=40, deadline=None)
@given(byte=PICTURES)
def test_names_are_those_of_every_pixel(byte):
    palette = palette_of(byte, TABLE)
    assert (palette.named[palette.of_pixel] == TABLE[cube_index(byte)]).all()
    mask = np.random.default_rng(1).random(len(byte)).astype(np.float32)
    every = mask @ TABLE[cube_index(byte)] / mask.sum()
    np.testing.assert_allclose(plain_shares(palette, mask).shares, every, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(byte=PICTURES)
def test_a_colour_lies_within_the_cell_of_its_pixels(byte):
    palette = palette_of(byte, TABLE)
    light = linear_of_byte()
    low, high = light[byte & 252].T, light[byte | 3].T
    colour = palette.linear[:, palette.of_pixel]
    assert (colour >= low - 1e-6).all()
    assert (colour <= high + 1e-6).all()
    np.testing.assert_allclose(colour.mean(axis=1), light[byte].mean(axis=0), atol=1e-5)
    # A cell is four 8-bit values wide: no more than 4 in lightness, and 8 in all, of CIELAB.
    apart = palette.lab[palette.of_pixel] - to_lab(byte)
    assert np.abs(apart[:, 0]).max() < 4
    assert np.linalg.norm(apart, axis=1).max() < 8


def test_colours_are_as_many_as_there_are():
    byte = np.array([[0, 0, 0], [3, 3, 3], [4, 3, 3], [255, 255, 255]], np.uint8)
    palette = palette_of(byte, TABLE)
    assert len(palette.named) == 3
    assert palette.histogram(palette.of_pixel).tolist() == [2, 1, 1]
