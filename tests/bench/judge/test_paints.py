"""One surface under two names, and two paints."""

from __future__ import annotations

import numpy as np
import pytest

from bench.judge.colour import memberships
from bench.judge.colour.difference import parents_of
from bench.judge.colour.model import table
from bench.judge.colour.palette import palette_of
from bench.judge.colour.spaces import from_linear, to_lab, to_linear
from bench.judge.paints import Paints, unity
from prompts.colours import COLOUR_NAMES


def ramp(paint: tuple[int, int, int], darkest: float) -> np.ndarray:
    """A paint under light that falls to a share of the whole, with noise: uint8 (64, 64, 3)."""
    light = np.linspace(1.0, darkest, 64)[None, :, None]
    linear = to_linear(np.array(paint) / 255.0) * light
    noise = np.random.default_rng(0).normal(0, 3, (64, 64, 3))
    return np.clip(from_linear(linear) * 255 + noise, 0, 255).astype(np.uint8)


def rival_of(image: np.ndarray, colour: str) -> tuple[float, float]:
    byte = image.reshape(-1, 3)
    paints = Paints(palette_of(byte, table()), image.shape[:2])
    mask, asked = np.ones(len(byte), np.float32), COLOUR_NAMES.index(colour)
    return paints.rival(mask, memberships(byte).mean(axis=0), asked, len(COLOUR_NAMES), frozenset())


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


def test_unity_of_a_distribution_and_of_two():
    rng = np.random.default_rng(1)
    line = rng.uniform(20, 80, (4000, 1)) * np.array([1.0, 0.1, 0.1])
    assert unity(line[line[:, 0] < 50], line[line[:, 0] >= 50]) == 1.0
    assert unity(rng.normal(20, 2, (500, 3)), rng.normal(60, 2, (500, 3))) == 0.0
    lab = to_lab(np.full((9, 3), 120, np.uint8))
    assert unity(lab, lab) == 1.0


def test_crimson_is_a_red():
    assert parents_of("crimson") == {COLOUR_NAMES.index("red")}
