"""Thresholds are set on one part of the world and reported on another."""

import pytest

from bench.certificate.conditions import CONTROL_SEED, REPORT_SEED, SET_SEED, TRIALS
from bench.certificate.report import judge_measured, measure_known
from bench.certificate.scenes import known_answers
from bench.certificate.threshold_sweep import macro_f1, measure_part, report_of, sweep
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import DEFAULT, Thresholds


@pytest.fixture(scope="module")
def report():
    return report_of(40)


def test_the_parts_share_no_seed():
    reach = len(TRIALS)
    parts = [range(s, s + reach) for s in (SET_SEED, CONTROL_SEED, REPORT_SEED)]
    assert len({seed for part in parts for seed in part}) == 3 * reach


def test_the_parts_share_no_subject():
    first, second = (
        {m.answer.generation.sample.cell.bindings[0].subject for m in measure_part(9, parity, 30)}
        for parity in (0, 1)
    )
    assert first
    assert second
    assert not first & second


def test_every_threshold_is_swept_and_near_its_best(report):
    assert set(report["thresholds"]) == set(Thresholds.__dataclass_fields__)
    for name, row in report["thresholds"].items():
        assert row["loss"] <= 0.02, name
    assert report["reported_on"]["macro_f1"] > 0.93


def test_a_bad_threshold_is_seen_to_be_bad():
    measured = measure_known(known_answers(110, SET_SEED), None, SegmentationScorer())
    assert macro_f1(measured, Thresholds(bound=0.95)) < macro_f1(measured, DEFAULT) - 0.05
    curve = sweep(measured)["presence"]
    assert curve[0.5] == macro_f1(measured, DEFAULT)
    assert len(judge_measured(measured)) >= 110
