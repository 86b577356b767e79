"""The cutout segmenter and the choice of `auto`, far from the rendered world too."""

from __future__ import annotations

import numpy as np
import pytest

from bench.certificate.composites import compose
from bench.certificate.report import judge_known
from bench.certificate.scenes import known_answers
from bench.certificate.summary import summarise
from bench.judge.dtype import VARIABLE, scoring_dtype
from bench.judge.regions.assignment import Piece, Sight, assign, assign_regions
from bench.judge.regions.auto import AutoSegmenter
from bench.judge.regions.cutout import SIDE, TINY_SIDE, CutoutSegmenter, network_size
from bench.judge.resolution import working_shape
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.records import Regions
from prompts import parse_prompt
from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.quantised import available


@pytest.fixture(scope="module")
def cutout():
    return CutoutSegmenter()


def total(regions: Regions) -> np.ndarray:
    return regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background


def test_verdicts_hold_on_composed_pictures_that_it_never_saw(cutout):
    answers = compose(80, seed=12)
    judged = judge_known(answers, cutout, SegmentationScorer())
    assert summarise(judged, "cutout")["macro_f1"] > 0.75


def test_verdicts_hold_on_the_rendered_world(cutout):
    judged = judge_known(known_answers(110, seed=12), cutout, SegmentationScorer())
    assert summarise(judged, "cutout")["macro_f1"] > 0.93


def test_a_plate_that_the_prompt_does_not_name_is_a_neighbour(cutout):
    answers = compose(20, seed=5, verdicts=("neighbour",))
    overlap = []
    for answer in answers:
        cell = answer.generation.sample.cell
        regions = cutout.segment([answer.generation.image], [cell])[0]
        true = answer.regions.neighbour_masks[0] > 0.5
        plate = np.zeros_like(true)
        if "plate" in regions.neighbours:
            plate = regions.neighbour_masks[regions.neighbours.index("plate")] > 0.5
        overlap.append((plate & true).sum() / (plate | true).sum())
    assert np.mean(overlap) > 0.65


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 400), (300, 7), (64, 64), (97, 33), (256, 256), (300, 401)]
)
def test_every_shape_is_shared_out_without_overlap(cutout, shape):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    for prompt in ("a blue potato", "a red apple and a blue cup"):
        regions = cutout.segment([image], [parse_prompt(prompt)])[0]
        assert regions.masks.shape[1:] == working_shape(*shape)
        assert np.allclose(total(regions), 1, atol=1e-3)
        assert ((regions.found >= 0) & (regions.found <= 1)).all()


def test_an_image_without_pixels_is_not_found_but_unknown(cutout):
    regions = cutout.segment([np.zeros((0, 5, 3), np.uint8)], [parse_prompt("a blue potato")])[0]
    assert np.isnan(regions.found).all()


def test_an_answer_does_not_depend_on_the_batch(cutout):
    answers = known_answers(6, seed=3)
    images = [a.generation.image for a in answers]
    cells = [a.generation.sample.cell for a in answers]
    together = cutout.segment(images, cells)
    for image, cell, regions in zip(images, cells, together, strict=True):
        alone = cutout.segment([image], [cell])[0]
        assert np.array_equal(alone.masks, regions.masks)
        assert np.array_equal(alone.found, regions.found)


def test_an_empty_picture_holds_no_subject(cutout):
    flat = np.full((64, 64, 3), 180, np.uint8)
    regions = cutout.segment([flat], [parse_prompt("a blue potato")])[0]
    assert regions.found[0] < 0.5
    assert regions.background.mean() > 0.9


def piece(name: str, left: int, width: int) -> Piece:
    inside = np.zeros((20, 40), bool)
    inside[5:15, left : left + width] = True
    names = np.full(len(SUBJECT_NAMES) + 1, 0.01)
    names[SUBJECT_NAMES.index(name)] = 1
    return Piece(inside, float(inside.mean()), 0.95, names / names.sum())


def test_each_subject_takes_the_thing_that_looks_like_it():
    things = [piece("cup", 2, 12), piece("apple", 25, 8)]
    assert assign(things, ("apple", "cup")) == [1, 0]
    assert assign(things, ("cup", "apple")) == [0, 1]
    assert assign(things[:1], ("apple", "cup")) == [None, 0]
    assert assign([], ("apple",)) == [None]


def sight(things: list[tuple[str, int, int]]) -> Sight:
    kinds = np.zeros((4, 20, 40), np.float32)
    names = np.full((len(SUBJECT_NAMES) + 1, 20, 40), 0.01, np.float32)
    for name, left, width in things:
        kinds[1, 5:15, left : left + width] = 0.98
        names[SUBJECT_NAMES.index(name), 5:15, left : left + width] = 1
    kinds[0] = 1 - kinds[1]
    return Sight(kinds[1:], kinds[1], names / names.sum(0))


def test_a_missing_subject_of_two_is_said_to_be_missing():
    regions = assign_regions(
        sight([("cup", 5, 12)]), parse_prompt("a red apple and a blue cup"), "cutout"
    )
    assert regions.found[0] < 0.5 < regions.found[1]
    assert not regions.masks[0].any()


def test_two_things_that_touch_are_told_apart_by_their_names():
    regions = assign_regions(
        sight([("cup", 5, 12), ("apple", 17, 12)]),
        parse_prompt("a red apple and a blue cup"),
        "cutout",
    )
    assert regions.masks[0][10, 20] > 0.9
    assert regions.masks[1][10, 10] > 0.9
    assert (regions.masks.min(0) < 0.01).all()


def test_another_thing_is_a_neighbour():
    regions = assign_regions(
        sight([("cup", 2, 14), ("pig", 25, 10)]), parse_prompt("a blue cup"), "cutout"
    )
    assert regions.neighbours == ("other",)
    assert regions.neighbour_masks[0][10, 30] > 0.9


def test_networks_see_any_shape_in_multiples_of_sixteen():
    for height, width in [(1, 4000), (64, 64), (480, 640), (3000, 20)]:
        size = network_size(height, width)
        assert all(side % 16 == 0 and 32 <= side <= SIDE for side in size)
    assert network_size(64, 40) == (TINY_SIDE, 48)


def test_auto_names_what_it_chose(cutout):
    regions = AutoSegmenter().segment(
        [np.full((64, 64, 3), 90, np.uint8)] * 2,
        [parse_prompt("a blue potato"), parse_prompt("a blue zeppelin")],
    )
    assert [r.segmenter for r in regions] == ["cutout", "cutout"]


@pytest.mark.parametrize(("forced", "expected"), [("float32", "float32"), ("", "int8")])
def test_the_precision_of_the_small_network_is_recorded(monkeypatch, forced, expected):
    monkeypatch.setenv(VARIABLE, forced)
    recorded = CutoutSegmenter().fingerprint.versions["small_network"]
    assert recorded == (expected if forced or available() else scoring_dtype())
