"""A picture as a histogram of its colours: what that keeps, and by how much it is off at most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.colour.difference import membership_table
from bench.judge.colour.palette import histograms_of, palette_of
from bench.judge.colour.spaces import cube_index, lab_of_linear, linear_of_byte, to_lab
from bench.judge.dichromatic import plain_shares, surface_shares
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
    palette = palette_of([byte])
    (of_pixel,) = palette.colours.of_pixel
    assert (palette.named[of_pixel] == TABLE[cube_index(byte)]).all()
    mask = np.random.default_rng(1).random(len(byte)).astype(np.float32)
    every = mask @ TABLE[cube_index(byte)] / mask.sum()
    (surface,) = plain_shares(palette, histograms_of(palette, [[mask]]))
    np.testing.assert_allclose(surface.shares, every, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(byte=PICTURES)
def test_a_colour_lies_within_the_cell_of_its_pixels(byte):
    palette = palette_of([byte])
    (of_pixel,) = palette.colours.of_pixel
    light = linear_of_byte()
    low, high = light[byte & 252].T, light[byte | 3].T
    colour = palette.linear[:, of_pixel]
    assert (colour >= low - 1e-6).all()
    assert (colour <= high + 1e-6).all()
    np.testing.assert_allclose(colour.mean(axis=1), light[byte].mean(axis=0), atol=1e-5)
    # A cell is four 8-bit values wide: no more than 4 in lightness, and 8 in all, of CIELAB.
    apart = lab_of_linear(colour.T) - to_lab(byte)
    assert np.abs(apart[:, 0]).max() < 4
    assert np.linalg.norm(apart, axis=1).max() < 8


def test_colours_are_as_many_as_there_are():
    byte = np.array([[0, 0, 0], [3, 3, 3], [4, 3, 3], [255, 255, 255]], np.uint8)
    palette = palette_of([byte])
    assert len(palette.named) == 3
    regions = histograms_of(palette, [[np.array([1.0, 0.4, 0.6, 0.0], np.float32)]])
    assert regions.pixels.tolist() == [2, 1]
    assert regions.solid.tolist() == [1, 1]
    np.testing.assert_allclose(regions.weight, [0.7, 0.3])


@settings(max_examples=20, deadline=None)
@given(pictures=st.lists(PICTURES, min_size=1, max_size=3), seed=st.integers(0, 9999))
def test_pictures_together_are_as_each_alone(pictures, seed):
    rng = np.random.default_rng(seed)
    asked = [rng.permutation(["teal", "#3fa7d6"])[: rng.integers(3)].tolist() for _ in pictures]
    masks = [rng.random((rng.integers(3), len(byte))).astype(np.float32) for byte in pictures]
    together = surface_shares(
        *(lambda palette: (palette, histograms_of(palette, masks, 0.1)))(
            palette_of(pictures, asked)
        ),
        len(COLOUR_NAMES),
    )
    alone = []
    for byte, codes, own in zip(pictures, asked, masks, strict=True):
        palette = palette_of([byte], [codes])
        alone += surface_shares(palette, histograms_of(palette, [own], 0.1), len(COLOUR_NAMES))
    assert len(together) == len(alone)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.shares, other.shares, atol=1e-6)
        assert one.area == pytest.approx(other.area)
