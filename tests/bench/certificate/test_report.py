"""The judge judged: right on known scenes, and seen to be wrong where it is made wrong."""

from __future__ import annotations

import numpy as np
import pytest

from bench.certificate.conditions import TRIALS, Trial
from bench.certificate.report import (
    certify,
    control_of,
    judge_known,
)
from bench.certificate.scenes import Conditions, known_answers, known_batches
from bench.certificate.summary import confusion, f1_by_verdict, summarise
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.records import VERDICTS, Fingerprint, Regions
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
    told = []
    trials = {"plain, 64 px": Trial(), "icons": Trial(None, 0.5)}
    report = certify(
        WholePicture(), SegmentationScorer(), 22, trials=trials, report_stage=told.append
    )
    assert list(report["trials"]) == list(trials)
    for rows in report["trials"].values():
        assert set(rows) == {"exact", "own"}
    plain = report["trials"]["plain, 64 px"]
    assert plain["exact"]["scenes"] >= 22
    assert report["whole"]["exact"]["scenes"] == plain["exact"]["scenes"]
    assert sum(one["n"] for one in plain["own"]["presence"]["bins"]) >= 20
    assert [(one.number, one.title, one.scenes) for one in told] == [
        (1, "plain, 64 px", 22),
        (2, "icons", 11),
    ]
    # A scene of 256 px takes 4 ** 1.3 times as long as one of 64 px.
    assert told[0].done == 0
    assert told[1].done == pytest.approx(22 / (22 + 11 * 4**1.3))


def test_bars_are_met_by_exact_masks_and_not_by_a_segmenter_that_sees_nothing():
    trials = {"plain, 64 px": Trial()}
    report = certify(WholePicture(), SegmentationScorer(), 55, trials=trials)
    met = {(bar["masks"], bar["what"][:6]): bar["met"] for bar in report["bars"]}
    assert met["exact", "macro "] == (report["trials"]["plain, 64 px"]["exact"]["macro_f1"] >= 0.99)
    assert met["whole picture", "macro "] is False


@pytest.mark.parametrize("name", TRIALS)
def test_every_trial_draws_what_it_says(name):
    trial = TRIALS[name]
    answers = [a for batch in trial.batches(10, 5) for a in batch]
    assert len(answers) == 10
    if not trial.photoreal:
        assert [a.verdicts[0] for a in answers] == [v for v in VERDICTS if v != "unjudged"]
    size = trial.conditions.size if trial.conditions else 384 if trial.photoreal else 256
    assert {a.generation.image.shape for a in answers} == {(size, size, 3)}
    assert len({a.generation.sample.id for a in answers}) == 10


def test_photoreal_scenes_show_every_verdict_but_the_void_one():
    shown = {a.verdicts[0] for batch in TRIALS["photoreal, 384 px"].batches(60, 0) for a in batch}
    # No lamp makes a path-traced picture void.
    assert shown == set(VERDICTS) - {"unjudged", "invalid"}


def test_scenes_do_not_depend_on_the_batches_they_are_drawn_in():
    whole = known_answers(20, 4, Conditions(size=512))
    assert len(list(known_batches(20, 4, Conditions(size=512)))) == 2
    assert [a.generation.sample.index for a in whole] == list(range(20))
    small = known_answers(20, 4)
    assert [a.verdicts for a in whole] == [a.verdicts for a in small]


def test_small_subjects_are_small_and_clutter_is_cluttered():
    plain = known_answers(60, 8, Conditions(size=64))
    small = known_answers(60, 8, Conditions(size=64, scale=(0.45, 0.7)))
    full = known_answers(60, 8, Conditions(size=64, clutter=1.0))
    area = [np.mean([a.regions.masks.sum() for a in rows]) for rows in (plain, small)]
    assert area[1] < 0.6 * area[0]
    objects = [np.mean([len(a.regions.neighbours) for a in rows]) for rows in (plain, full)]
    assert objects[1] > objects[0] + 0.5


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


def test_subjects_are_told_apart_by_size_and_name():
    report = certify(WholePicture(), SegmentationScorer(), 20, 7, {"plain": Trial()})
    row = report["trials"]["plain"]["exact"]
    by = row["by"]
    assert by["unnamed"]["n"] == 0
    assert by["unnamed"]["accuracy"] is None
    assert by["named"]["n"] == row["scenes"]
    sized = sum(by[size]["n"] for size in ("small", "medium", "large"))
    absent = sum(row["confusion"].get("absent", {}).values())
    assert row["scenes"] - absent - sum(row["confusion"].get("invalid", {}).values()) <= sized
    assert sized <= row["scenes"] - absent
