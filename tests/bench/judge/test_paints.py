"""One surface under two names, and two paints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from bench.judge.colour import memberships
from bench.judge.colour.difference import parents_of
from bench.judge.colour.palette import histograms_of, palette_of
from bench.judge.colour.spaces import from_linear, to_lab, to_linear
from bench.judge.paints import DEFAULT, PaintModel, Paints, Spread, unity
from prompts.colours import COLOUR_NAMES


def ramp(paint: tuple[int, int, int], darkest: float) -> np.ndarray:
    """A paint under light that falls to a share of the whole, with noise: uint8 (64, 64, 3)."""
    light = np.linspace(1.0, darkest, 64)[None, :, None]
    linear = to_linear(np.array(paint) / 255.0) * light
    noise = np.random.default_rng(0).normal(0, 3, (64, 64, 3))
    return np.clip(from_linear(linear) * 255 + noise, 0, 255).astype(np.uint8)


def rival_of(image: np.ndarray, colour: str, model: PaintModel = DEFAULT) -> tuple[float, float]:
    byte = image.reshape(-1, 3)
    palette = palette_of([byte])
    regions = histograms_of(palette, [[np.ones(len(byte), np.float32)]])
    shares, asked = memberships(byte).mean(axis=0), COLOUR_NAMES.index(colour)
    paints = Paints(palette, regions, 0, np.ones(image.shape[:2], np.float32), model)
    return paints.rival(shares, asked, len(COLOUR_NAMES), frozenset())


def spread(lab: np.ndarray) -> Spread:
    count = len(lab)
    return Spread(lab, np.ones(count, np.intp), np.arange(count))


def test_shade_is_no_second_paint():
    assert rival_of(ramp((235, 235, 230), 0.3), "white")[0] < 0.1
    image = ramp((246, 246, 242), 0.55)
    assert rival_of(image, "white")[1] < 0.1
    # White is no shade of the gray that is asked for: it is lighter.
    assert rival_of(image, "gray")[1] > 0.3


@pytest.mark.parametrize("second", [(240, 240, 240), (206, 32, 36), (250, 214, 40), (20, 20, 22)])
def test_halves_are_two_paints(second):
    image = ramp((36, 84, 206), 0.9)
    image[:, 32:] = second
    assert rival_of(image, "blue")[0] > 0.4


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ((250, 214, 40), (40, 140, 60), "yellow"),
        ((120, 50, 150), (230, 120, 170), "purple"),
        ((240, 140, 40), (250, 214, 40), "orange"),
    ],
)
def test_what_a_lens_mixes_between_stripes_is_no_bridge(first, second, name):
    y, x = np.mgrid[:64, :64]
    stripes = np.where(((x + 0.37 * y) % 14 < 7)[..., None], first, second)
    noise = np.random.default_rng(0).normal(0, 2, (64, 64, 3))
    image = gaussian_filter(stripes.astype(float), (1.6, 1.6, 0)) + noise
    image = np.clip(image, 0, 255).astype(np.uint8)
    assert rival_of(image, name)[0] > 0.35
    assert rival_of(image, name, PaintModel(edge=9.0))[0] < 0.3


def test_pixels_off_edges_are_those_of_the_mirror_image():
    rng = np.random.default_rng(2)
    image = gaussian_filter(rng.uniform(0, 255, (48, 48, 3)), (3, 3, 0)).astype(np.uint8)
    image[:, :20] = (200, 40, 40)
    shares = [rival_of(turned, "red") for turned in (image, image[:, ::-1], image.swapaxes(0, 1))]
    assert np.allclose(shares, shares[0], atol=1e-6)


def test_unity_of_a_distribution_and_of_two():
    rng = np.random.default_rng(1)
    line = rng.uniform(20, 80, (4000, 1)) * np.array([1.0, 0.1, 0.1])
    assert unity(spread(line[line[:, 0] < 50]), spread(line[line[:, 0] >= 50])) == 1.0
    dark, light = (rng.normal((level, 0, 0), 2, (500, 3)) for level in (20, 60))
    assert unity(spread(dark), spread(light)) == 0.0
    one = spread(to_lab(np.full((9, 3), 120, np.uint8)))
    assert unity(one, one) == 1.0


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 5)), min_size=1, max_size=9))
def test_median_of_colours_is_that_of_their_pixels(some):
    byte, pixels = np.array([[level, 9, 80] for level, _ in some], np.uint8), [n for _, n in some]
    found = Spread(to_lab(byte), np.array(pixels), np.arange(len(some))).median
    every = np.median(np.repeat(to_lab(byte), pixels, axis=0), axis=0)
    np.testing.assert_allclose(found, every, atol=1e-6)


def test_crimson_is_a_red():
    assert parents_of("crimson") == {COLOUR_NAMES.index("red")}
