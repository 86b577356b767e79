import numpy as np
import pytest

from bench.judge.validity import examined, why_invalid
from tests.bench.scenes import Scene, draw, generation, single


def noise(low, high):
    return np.random.default_rng(0).integers(low, high, (64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((64, 64, 3), dtype=np.uint8), "black"),
        (noise(0, 5), "black"),
        (np.full((64, 64, 3), (30, 80, 220), dtype=np.uint8), "constant"),
        (noise(120, 124), "constant"),
        (np.full((64, 64, 3), 255, dtype=np.uint8), "constant"),
        (np.full((64, 64, 3), np.nan, dtype=np.float32), "not finite (NaN)"),
        (np.zeros((1, 4000, 3), dtype=np.uint8), "too small (4000 x 1)"),
        (np.zeros((0, 0, 3), dtype=np.uint8), "no picture (shape (0, 0, 3))"),
        (np.zeros((64, 64), dtype=np.uint8), "no picture (shape (64, 64))"),
        (noise(0, 255), ""),
        (noise(0, 255) / 255.0, ""),
        (draw(Scene())[0], ""),
    ],
)
def test_what_cannot_be_judged(image, reason):
    assert why_invalid(image) == reason


def test_a_small_object_on_an_empty_ground_is_an_image():
    image = np.full((64, 64, 3), 255, dtype=np.uint8)
    image[30:38, 30:38] = (30, 80, 220)
    assert why_invalid(image) == ""


def test_the_sampler_has_the_first_word():
    image, _ = draw(Scene())
    assert examined(generation(image, single(), invalid="safety filter")).invalid == "safety filter"
    assert examined(generation(image, single())).invalid is None
    assert examined(generation(image * 0, single())).invalid == "black"


def test_one_odd_column_speaks_for_no_picture():
    image = np.full((512, 512, 3), 128, np.uint8)
    image[:, :1] = np.arange(512, dtype=np.uint8)[:, None, None] // 2
    assert why_invalid(image) == why_invalid(image[:, ::-1]) == "constant"
