"""What means nothing changes nothing: mirror, turn, padding, size, gain and JPEG."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import judge
from bench.records import Generation, Regions
from prompts.cells import Sample
from tests.bench.scenes import Scene, draw, single

Pair = tuple[np.ndarray, Regions]

#: Metrics and verdict may move by so much.
WITHIN = 0.02


def shaded(size: int) -> Pair:
    """A gray ball before a wall that runs from dark on the left to light on the right."""
    image, regions = draw(Scene(subject="#969696", size=size, plate="#507850", noise=2.0))
    ramp = np.linspace(90, 240, size)[None, :, None].repeat(size, 0).repeat(3, 2)
    ground = regions.background[..., None] > 0.5
    return np.where(ground, ramp, image).astype(np.uint8), regions


SCENES: dict[str, Callable[[int], Pair]] = {
    "shaded wall": shaded,
    "tinted room": lambda n: draw(
        Scene(
            subject="blue",
            size=n,
            light=(0.8, 0.9, 1.0),
            shading=0.5,
            wall="#c8c8c8",
            plate="#f0f0ee",
        )
    ),
    "stripes": lambda n: draw(Scene(subject="blue", size=n, share=0.5, pattern="stripes")),
    "plate": lambda n: draw(Scene(size=n, plate="blue", shading=0.6, gloss=0.2)),
}
COLOURS = {"shaded wall": "gray"}


def moved(pair: Pair, of: Callable[[np.ndarray], np.ndarray], image: np.ndarray | None = None):
    """Both picture and masks put through a change of place; the last axes are rows and columns."""
    picture, regions = pair
    masks = np.stack([of(mask) for mask in regions.masks])
    ground = of(regions.background)
    beside = np.array([of(mask) for mask in regions.neighbour_masks], np.float32)
    beside = beside.reshape(-1, *ground.shape)
    found = Regions(
        regions.subjects, masks, regions.found, regions.neighbours, beside,
        ground, regions.segmenter,
    )  # fmt: skip
    return (np.ascontiguousarray(of(picture)) if image is None else image), found


def padded(array: np.ndarray) -> np.ndarray:
    return np.pad(array, ((0, 1), (0, 1), *[(0, 0)] * (array.ndim - 2)), mode="edge")


def jpeg(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95, subsampling=0)
    return np.array(Image.open(buffer).convert("RGB"))


def gained(image: np.ndarray) -> np.ndarray:
    return np.clip(np.round(image * 1.01), 0, 255).astype(np.uint8)


def same(array: np.ndarray) -> np.ndarray:
    return array


CHANGES: dict[str, Callable[[Pair], Pair]] = {
    "mirror": lambda pair: moved(pair, lambda a: a[:, ::-1]),
    "transpose": lambda pair: moved(pair, lambda a: np.swapaxes(a, 0, 1)),
    "quarter turn": lambda pair: moved(pair, np.rot90),
    "half turn": lambda pair: moved(pair, lambda a: np.rot90(a, 2)),
    "one pixel more": lambda pair: moved(pair, padded),
    "gain 1.01": lambda pair: moved(pair, same, gained(pair[0])),
    "JPEG 95": lambda pair: moved(pair, same, jpeg(pair[0])),
}
SIZES = (500, 512, 1000, 1024, 2048)


SCORER = SegmentationScorer()


def measured(scene: str, pair: Pair) -> tuple[str, dict[str, float]]:
    image, regions = pair
    cell = single(COLOURS.get(scene, "blue"))
    scores = SCORER.score([Generation(Sample(cell, 0), image)], [regions])
    metrics = {score.metric: score.value for score in scores}
    return judge(cell, "x", [metrics])[0].verdict, metrics


@cache
def before(scene: str) -> tuple[str, dict[str, float]]:
    return measured(scene, SCENES[scene](512))


def assert_alike(scene: str, after: tuple[str, dict[str, float]]) -> None:
    verdict, metrics = before(scene)
    assert after[0] == verdict
    for metric, value in metrics.items():
        assert after[1][metric] == pytest.approx(value, abs=WITHIN, nan_ok=True), metric


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_means_nothing(change, scene):
    pair = CHANGES[change](SCENES[scene](512))
    assert_alike(scene, measured(scene, pair))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("size", SIZES)
def test_another_size(size, scene):
    pair = SCENES[scene](size)
    assert_alike(scene, measured(scene, pair))
