"""Pictures made to fool a judge of colour binding, each with its known verdict."""

from dataclasses import replace

import numpy as np
import pytest

from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.validity import examined
from bench.judge.verdict import judge
from tests.bench.scenes import Scene, draw, generation, pair, single

SCORER = SegmentationScorer()


def verdicts(image, regions, cell):
    made = examined(generation(image, cell))
    rows = [{} for _ in cell.bindings]
    for score in SCORER.score([made], [regions]):
        rows[score.binding][score.metric] = score.value
    return [v.verdict for v in judge(cell, made.sample.id, rows, invalid=made.invalid or "")]


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


def test_an_object_of_the_requested_colour_beside_the_subject_is_a_neighbour():
    image, regions = draw(Scene(second="blue"))
    cup = replace(
        regions,
        subjects=("potato",),
        masks=regions.masks[:1],
        found=regions.found[:1],
        neighbours=("cup", *regions.neighbours),
        neighbour_masks=np.concatenate([regions.masks[1:], regions.neighbour_masks]),
    )
    assert verdicts(image, cup, single()) == ["neighbour"]


def test_a_two_tone_object_of_neither_colour_is_wrong():
    assert of(Scene(subject="red", rest="green", share=0.5)) == ["wrong"]


def test_the_colour_mirrored_on_the_table_does_not_change_the_verdict():
    image, regions = draw(Scene(subject="blue", plate="#8a6f55"))
    table = replace(
        regions,
        neighbours=(),
        neighbour_masks=regions.neighbour_masks[:0],
        background=regions.background + regions.neighbour_masks[0],
    )
    mirrored = image.copy()
    # Upside down under the ball and at half strength, as a polished table shows it.
    below = image[32:51][::-1].astype(float)
    ball = regions.masks[0, 45:64, :, None] > 0.5
    mirrored[45:64] = np.where(ball, image[45:64], 0.5 * image[45:64] + 0.5 * below)
    assert np.abs(mirrored.astype(int) - image).max() > 50
    assert verdicts(mirrored, table, single()) == ["bound"]


def test_a_reflection_of_another_colour_is_not_the_subject():
    image, regions = draw(Scene())
    image = image.copy()
    image[54:60, 24:40] = (36, 84, 216)
    assert verdicts(image, regions, single()) == ["prior"]


@pytest.mark.parametrize(("colour", "verdict"), [("blue", "prior"), ("white", "bound")])
def test_a_white_cup_in_a_blue_lit_room_is_white(colour, verdict):
    room = Scene(subject="white", plate="#f0f0ee", wall="#d4d6d8", table="#b4b6b6")
    image, regions = draw(room.but(light=(0.4, 0.55, 1.0)))
    cup = replace(regions, subjects=("cup",))
    assert verdicts(image, cup, single(colour, "cup"))[0] in (verdict, "spilled")
    assert (verdicts(image, cup, single("blue", "cup")) == ["bound"]) is False


def test_a_gray_world_has_no_colour():
    image, regions = draw(Scene(subject="blue", shading=0.5))
    gray = np.repeat(image.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    for colour in ("red", "blue", "green", "yellow"):
        assert verdicts(gray, regions, single(colour)) == ["wrong"]
