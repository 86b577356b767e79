"""The judge's resolution: what it changes, and by how much at most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.resolution import SIDE, reduced, sampled, sampled_regions, working_shape
from tests.bench.scenes import Scene, draw

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@given(height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_the_longer_side_is_bounded_and_the_shape_kept(height, width):
    small = working_shape(height, width)
    assert max(small) == min(SIDE, max(height, width))
    assert working_shape(*small) == small
    scale = max(small) / max(height, width)
    assert small[0] == pytest.approx(max(1, height * scale), abs=0.5)
    assert small[1] == pytest.approx(max(1, width * scale), abs=0.5)


def test_a_picture_of_the_judges_resolution_is_itself():
    image = np.zeros((SIDE, 100, 3), np.uint8)
    assert reduced(image) is image
    _, regions = draw(Scene(size=SIDE))
    assert sampled(image) is image
    assert sampled_regions(regions) is regions


@settings(max_examples=30, deadline=None)
@given(
    one=COLOURS,
    two=COLOURS,
    size=st.integers(SIDE + 1, 1200),
    at=st.floats(0.2, 0.8),
    along=st.booleans(),
)
def test_colours_mix_within_two_pixels_of_an_edge_and_nowhere_else(one, two, size, at, along):
    edge = round(at * size)
    image = np.empty((size, size, 3), np.uint8)
    image[:edge], image[edge:] = one, two
    small = reduced(image.swapaxes(0, 1) if along else image)
    small = small.swapaxes(0, 1) if along else small
    middle = edge * SIDE / size
    rows = np.arange(SIDE) + 0.5
    assert (small[rows < middle - 2] == one).all()
    assert (small[rows > middle + 2] == two).all()
    between = np.minimum(one, two) <= small, small <= np.maximum(one, two)
    assert np.all(between)


@pytest.mark.parametrize("shape", [(1024, 1024), (1000, 700), (333, 2048)])
def test_a_mirror_image_is_reduced_to_a_mirror_image(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    there = reduced(np.ascontiguousarray(image[:, ::-1]))[:, ::-1]
    assert np.abs(reduced(image).astype(int) - there).max() <= 1


def test_dots_of_two_colours_give_their_mean_wherever_they_begin():
    image = np.zeros((1024, 1024, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 200
    for shifted in (image, image[:, 1:-1], image[1:-1]):
        assert np.abs(reduced(shifted)[2:-2, 2:-2].astype(int) - 100).max() <= 2


@pytest.mark.parametrize("period", [2, 3, 4, 5, 8, 16])
@pytest.mark.parametrize("size", [300, 512, 1000, 1024])
def test_no_texture_falls_in_step_with_the_pixels_that_are_looked_at(size, period):
    on = np.arange(size) % period < period / 2
    share = on.mean()
    for texture in (on[:, None] & on, on[:, None] ^ on, on[:, None] & np.ones(size, bool)):
        assert sampled(texture).mean() == pytest.approx(float(texture.mean()), abs=0.02)
    assert 0 < share < 1


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(SIDE + 1, 1400),
    at=st.tuples(st.floats(0.25, 0.75), st.floats(0.25, 0.75)),
    reach=st.floats(0.05, 0.25),
    share=st.floats(0.1, 0.9),
)
def test_the_share_of_a_colour_within_a_region_is_that_of_all_its_pixels(size, at, reach, share):
    y, x = ((np.arange(size) + 0.5) / size - place for place in at)
    region = y[:, None] ** 2 + x**2 < reach**2
    paint = region & (y[:, None] + 0.3 * x < (2 * share - 1) * reach)
    few, seen = sampled(region), sampled(paint)
    whole = float(paint.sum() / region.sum())
    # Wrong at most where a border runs through a block: two borders of some four radii each.
    bound = 2 / (reach * SIDE)
    assert seen.sum() / few.sum() == pytest.approx(whole, abs=bound / 4)
    assert few.mean() == pytest.approx(float(region.mean()), rel=bound)


@pytest.mark.parametrize("size", [300, 512, 1000, 1024])
def test_masks_share_every_pixel_out_and_lie_where_the_picture_does(size):
    image, regions = draw(Scene(size=size, subject="blue", plate="red"))
    small, byte = sampled_regions(regions), sampled(image)
    total = small.masks.sum(0) + small.neighbour_masks.sum(0) + small.background
    assert np.allclose(total, 1, atol=1e-5)
    inside = small.masks[0] > 0.99
    assert inside.any()
    assert (
        np.unique(byte[inside], axis=0) == np.unique(image[regions.masks[0] > 0.99], axis=0)
    ).all()


def test_no_masks_stay_none():
    assert sampled(np.zeros((0, 512, 512), np.float32)).shape == (0, SIDE, SIDE)
