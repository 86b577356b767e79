"""The judge's resolution: what it changes, and by how much at most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.lattice import area_mean
from bench.judge.resolution import SIDE, reduced, reduced_regions, working_shape
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
    assert reduced_regions(regions) is regions


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


@pytest.mark.parametrize("size", [300, 512, 1000, 1024])
def test_masks_keep_their_areas_and_share_every_pixel_out(size):
    _, regions = draw(Scene(size=size, plate="blue"))
    small = reduced_regions(regions)
    total = small.masks.sum(0) + small.neighbour_masks.sum(0) + small.background
    assert np.allclose(total, 1, atol=1e-5)
    for one, other in zip(regions.masks, small.masks, strict=True):
        assert other.mean() == pytest.approx(float(one.mean()), abs=5e-4)


def test_no_masks_stay_none():
    assert area_mean(np.zeros((0, 512, 512), np.float32), SIDE).shape == (0, SIDE, SIDE)
