"""No verdict from a coin: what tells that a mask is the subject."""

from __future__ import annotations

import numpy as np
import pytest

from bench.certificate.scenes import Conditions, known_answers
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import judge
from bench.records import EVIDENCE, NO_EVIDENCE, Generation, Regions
from prompts.cells import Binding, Cell, Sample


@pytest.fixture(scope="module")
def segmenter():
    return CutoutSegmenter()


def cell(*asked: tuple[str, str]) -> Cell:
    text = " and ".join(f"a {colour} {noun}" for colour, noun in asked)
    return Cell(text, text, tuple(Binding(c, n) for c, n in asked), "pair", "control")


def verdicts(segmenter, image, asked):
    (regions,) = segmenter.segment([image], [asked])
    generation = Generation(Sample(asked, 0), image)
    rows: list[dict[str, float]] = [{} for _ in asked.bindings]
    for score in SegmentationScorer().score([generation], [regions]):
        rows[score.binding][score.metric] = score.value
    return judge(asked, "x", rows), regions


def test_every_reason_is_a_kind():
    assert set(NO_EVIDENCE) < set(EVIDENCE)


def test_two_nouns_without_a_name_are_never_judged(segmenter):
    answers = known_answers(40, 3, Conditions(size=128))
    pairs = [a for a in answers if len(a.generation.sample.cell.bindings) == 2]
    assert len(pairs) > 3
    for answer in pairs:
        (one, two) = answer.generation.sample.cell.bindings
        for order in ((0, 1), (1, 0)):
            asked = [(one.colour, "bench"), (two.colour, "bowl")]
            found, _ = verdicts(
                segmenter, answer.generation.image, cell(*(asked[k] for k in order))
            )
            assert {verdict.verdict for verdict in found} == {"unjudged"}


def test_the_only_thing_is_judged(segmenter):
    answers = known_answers(30, 4, Conditions(size=128, clutter=0.0))
    alone = [a for a in answers if a.verdicts == ("bound",)][:3]
    for answer in alone:
        colour = answer.generation.sample.cell.bindings[0].colour
        (found,), regions = verdicts(segmenter, answer.generation.image, cell((colour, "vase")))
        assert regions.evidence == ("only_thing",)
        assert found.verdict == "bound"


def test_a_plate_that_is_the_subject_is_that_plate(segmenter):
    answers = known_answers(110, 7, Conditions(size=128))
    plated = [
        a for a in answers if "plate" in a.regions.neighbours and a.verdicts[0] == "neighbour"
    ]
    overlaps = []
    for answer in plated[:5]:
        (regions,) = segmenter.segment([answer.generation.image], [cell(("blue", "plate"))])
        true = answer.regions.neighbour_masks[answer.regions.neighbours.index("plate")] > 0.5
        mine = regions.masks[0] > 0.5
        overlaps.append((mine & true).sum() / (mine | true).sum())
        assert regions.evidence == ("name",)
    assert np.mean(overlaps) > 0.6


def test_a_wall_is_judged_on_the_background(segmenter):
    answers = known_answers(60, 9, Conditions(size=128, clutter=0.0))
    walls = [a for a in answers if a.verdicts == ("background",)]
    for answer in walls[:3]:
        colour = answer.generation.sample.cell.bindings[0].colour
        (found,), regions = verdicts(segmenter, answer.generation.image, cell((colour, "wall")))
        assert regions.evidence == ("stuff",)
        assert found.verdict in ("bound", "spilled", "mixed")


def test_two_nouns_of_the_background_are_not_told_apart(segmenter):
    image = known_answers(1, 1)[0].generation.image
    found, regions = verdicts(segmenter, image, cell(("blue", "sky"), ("green", "grass")))
    assert regions.evidence == ("ambiguous", "ambiguous")
    assert [one.verdict for one in found] == ["unjudged", "unjudged"]
    assert "nothing tells" in found[0].words


def test_a_segmenter_that_does_not_say_vouches_for_its_masks():
    empty = np.zeros((0, 8, 8), np.float32)
    regions = Regions(("cup",), np.ones((1, 8, 8)), np.ones(1), (), empty, np.zeros((8, 8)), "own")
    assert regions.evidence_of(0) == "given"
