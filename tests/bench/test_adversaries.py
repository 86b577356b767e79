"""Pictures made to fool a judge of colour binding, each with its known verdict."""

import numpy as np
import pytest

from bench.scorers.segmentation import SegmentationScorer
from bench.validity import why_void
from bench.verdict import judge
from tests.bench.scenes import Scene, draw, generation, pair, single

SCORER = SegmentationScorer()


def verdicts(image, regions, cell):
    made = generation(image, cell)
    rows = [{} for _ in cell.bindings]
    for score in SCORER.score([made], [regions]):
        rows[score.binding][score.metric] = score.value
    return [v.verdict for v in judge(cell, made.sample.id, rows, invalid=why_void(made))]


def of(scene, cell=None):
    return verdicts(*draw(scene), cell or single())


@pytest.mark.parametrize(
    ("scene", "verdict"),
    [
        (Scene(subject="blue"), "bound"),
        (Scene(), "prior"),
        (Scene(subject="red"), "wrong"),
        (Scene(plate="blue"), "neighbour"),
        (Scene(wall="blue", table="blue"), "background"),
        (Scene(wall="blue"), "background"),
        (Scene(wall="blue", table="blue", plate="blue"), "background"),
        (Scene(subject="blue", plate="blue"), "spilled"),
        (Scene(subject="blue", wall="blue"), "spilled"),
        (Scene(subject="blue", wall="blue", table="blue", plate="blue", shading=0.3), "spilled"),
        (Scene(subject="blue", share=0.5), "mixed"),
        (Scene(subject="blue", share=0.5, pattern="stripes"), "mixed"),
        (Scene(subject="blue", share=0.4, pattern="rings"), "mixed"),
        (Scene(subject="blue", share=0.8, pattern="halves"), "bound"),
        (Scene(subject="blue", share=0.1, pattern="rings"), "prior"),
        (Scene(subject="blue", shading=0.8, gloss=0.25, noise=4), "bound"),
        (Scene(subject="gray", plate="gray", wall="gray", table="gray", shading=0.3), "wrong"),
    ],
)
def test_known_verdicts(scene, verdict):
    assert of(scene) == [verdict]


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "green", "purple", "pink", "black"])
def test_known_verdicts_in_every_colour(colour):
    cell = single(colour)
    assert of(Scene(subject=colour, shading=0.4), cell) == ["bound"]
    assert of(Scene(plate=colour), cell) == ["neighbour"]
    assert of(Scene(wall=colour, table=colour), cell) == ["background"]
    assert of(Scene(subject=colour, share=0.5, pattern="stripes"), cell) == ["mixed"]


def test_pairs():
    assert of(Scene(subject="red", second="blue"), pair()) == ["bound", "bound"]
    assert of(Scene(subject="blue", second="red"), pair()) == ["swapped", "swapped"]
    assert of(Scene(subject="red", second="red"), pair()) == ["bound", "swapped"]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64, 3), np.uint8),
        np.full((64, 64, 3), 255, np.uint8),
        np.full((64, 64, 3), (36, 84, 216), np.uint8),
    ],
    ids=["blank", "white", "solid requested colour"],
)
def test_nothing_to_see_is_invalid(image):
    assert verdicts(image, draw(Scene())[1], single()) == ["invalid"]


@pytest.mark.parametrize("colour", ["blue", "red", "gray", "brown"])
def test_noise_is_bound_to_nothing(colour):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = verdicts(image, draw(Scene())[1], single(colour))
    assert found[0] not in ("bound", "spilled")


def test_colour_mirrored_on_the_table_is_not_the_subject():
    image, regions = draw(Scene())
    image = image.copy()
    image[50:60, 20:44] = (36, 84, 216)
    assert verdicts(image, regions, single()) in (["prior"], ["neighbour"])
