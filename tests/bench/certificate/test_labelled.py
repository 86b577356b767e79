"""Labelled pictures: balanced accuracy over what is judged, and the share that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.certificate.labelled import Question, measure_labelled, summarise_questions
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.records import LabelledBinding, LabelledPicture
from tests.bench.scenes import Scene, draw


def question(true: str, said: str, named: bool = True) -> Question:
    return Question(true, said, "prompted", "here", named, 0.1)


def test_known_counts():
    found = summarise_questions(
        [
            *[question("bound", "bound")] * 3,
            question("bound", "mixed"),
            question("prior", "wrong"),
            question("prior", "spilled"),
            *[question("bound", "unjudged", named=False)] * 4,
        ]
    )
    assert (found["n"], found["judged"], found["unjudged"]) == (10, 6, pytest.approx(0.4))
    assert found["bound_found"] == pytest.approx(0.75)
    assert found["balanced_accuracy"] == pytest.approx((0.75 + 0.5) / 2)
    assert found["by"]["unnamed"]["balanced_accuracy"] is None
    assert found["by"]["named"]["n"] == 6


def test_nothing_is_no_number():
    assert summarise_questions([])["balanced_accuracy"] is None


def test_masks_by_hand_are_given():
    image, regions = draw(Scene(subject="blue"))
    labels = tuple(
        LabelledBinding(colour, "potato", label)
        for colour, label in (("blue", "bound"), ("red", "prior"))
    )
    picture = LabelledPicture(Path("a.png"), labels, {}, source="here")
    masks = {"potato": regions.masks[0] > 0.5, "plate": regions.neighbour_masks[0] > 0.5}
    asked = measure_labelled([(picture, image, masks)], SegmentationScorer(), None)
    assert [one.judged().said == "bound" for one in asked] == [True, False]
    assert asked[0].share == pytest.approx(float(np.mean(masks["potato"])))
