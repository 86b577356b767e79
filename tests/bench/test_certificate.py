"""The judge judged: right on known scenes, and seen to be wrong where it is made wrong."""

from __future__ import annotations

import numpy as np
import pytest

from bench.certificate import (
    certify,
    clopper_pearson,
    confusion,
    control_of,
    f1_by_verdict,
    judge_known,
    summarise,
)
from bench.known import Conditions, known_answers
from bench.records import Fingerprint, Regions
from bench.scorers.segmentation import SegmentationScorer
from prompts.colours import COLOUR_NAMES


class WholePicture:
    """A segmenter that calls the whole picture the subject."""

    fingerprint = Fingerprint("segmenter", "whole picture")

    def segment(self, images, cells):
        found = []
        for image, cell in zip(images, cells, strict=True):
            shape = image.shape[:2]
            k = len(cell.bindings)
            found.append(
                Regions(
                    tuple(b.subject for b in cell.bindings),
                    np.full((k, *shape), 1 / k, np.float32),
                    np.ones(k, np.float32),
                    (),
                    np.zeros((0, *shape), np.float32),
                    np.zeros(shape, np.float32),
                    "whole picture",
                )
            )
        return found


@pytest.fixture(scope="module")
def answers():
    return known_answers(220, seed=1)


def test_exact_masks_give_the_known_verdicts(answers):
    result = summarise(judge_known(answers, None, SegmentationScorer()), "exact")
    assert result["macro_f1"] > 0.97
    assert min(result["recall_by_colour"].values()) > 0.9
    assert min(result["recall_by_verdict"].values()) > 0.9
    assert result["bind_error"] < 0.06
    assert result["presence_brier"] == 0


def test_exact_masks_hold_at_another_size_and_under_jpeg():
    for conditions in (Conditions(size=128), Conditions(jpeg=80)):
        judged = judge_known(known_answers(110, 2, conditions), None, SegmentationScorer())
        assert summarise(judged, "exact")["macro_f1"] > 0.9


def test_a_segmenter_that_sees_nothing_fails_the_control():
    control = control_of(WholePicture(), SegmentationScorer(), scenes=60)
    assert control["passed"] is False
    assert control["macro_f1"] < 0.6


def test_certificate_has_both_masks_for_every_trial():
    report = certify(WholePicture(), SegmentationScorer(), 20, trials={"plain": Conditions()})
    assert set(report["trials"]["plain"]) == {"exact", "own"}
    assert report["trials"]["plain"]["exact"]["scenes"] >= 20


def test_scenes_are_the_same_for_the_same_seed(answers):
    again = known_answers(220, seed=1)
    assert all(
        (a.generation.image == b.generation.image).all()
        for a, b in zip(answers, again, strict=True)
    )


def test_every_colour_is_asked(answers):
    asked = {a.generation.sample.cell.bindings[0].colour for a in answers}
    assert asked == set(COLOUR_NAMES)


def test_f1_of_a_known_table():
    judged = judge_known(known_answers(20, 3), None, SegmentationScorer())
    table = {t: dict.fromkeys(row, 0) for t, row in confusion(judged).items()}
    table["bound"]["bound"], table["bound"]["mixed"], table["mixed"]["mixed"] = 8, 2, 6
    f1 = f1_by_verdict(table)
    assert f1["bound"] == pytest.approx(16 / 18)
    assert f1["mixed"] == pytest.approx(12 / 14)
    assert set(f1) == {"bound", "mixed"}


def test_clopper_pearson_against_a_published_value():
    # Newcombe 1998, table I: 81 of 263, exact interval 0.2527 to 0.3676.
    low, high = clopper_pearson(81, 263)
    assert low == pytest.approx(0.2527, abs=1e-4)
    assert high == pytest.approx(0.3676, abs=1e-4)
    assert clopper_pearson(0, 5)[0] == 0
    assert clopper_pearson(5, 5)[1] == 1
