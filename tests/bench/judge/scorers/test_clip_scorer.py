"""The ``clip`` scorer on known scenes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.certificate.scenes import known_answers
from bench.judge.scorers.clip import METRICS, ClipScorer, rivals
from bench.records import Generation, Regions
from prompts import parse_prompt
from prompts.cells import Sample


@pytest.fixture(scope="module")
def scorer():
    return ClipScorer()


def by_metric(scores):
    return {(s.sample_id, s.binding, s.metric): s for s in scores}


def test_bound_scenes_score_high_and_wrong_ones_low(scorer):
    answers = known_answers(220, seed=12)
    scores = by_metric(scorer.score([a.generation for a in answers], [a.regions for a in answers]))
    means = {}
    for verdict in ("bound", "wrong", "prior"):
        values = [
            scores[a.generation.sample.id, 0, "clip_bind"].value
            for a in answers
            if a.verdicts[0] == verdict
        ]
        means[verdict] = np.nanmean(values)
    assert means["bound"] > 0.8
    assert means["wrong"] < 0.2
    assert means["prior"] < 0.2


def test_every_binding_has_every_metric_with_a_reason_where_it_is_nan(scorer):
    answers = known_answers(40, seed=13)
    scores = scorer.score([a.generation for a in answers], [a.regions for a in answers])
    expected = sum(len(a.verdicts) for a in answers) * len(METRICS)
    assert len(scores) == expected
    for score in scores:
        assert math.isnan(score.value) == bool(score.reason)
        assert math.isnan(score.value) or 0 <= score.value <= 1


def test_an_unknown_word_gives_a_reason_and_no_number(scorer):
    cell = parse_prompt("a blue zebra")
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    regions = Regions(
        ("zebra",), np.ones((1, 64, 64), np.float32), np.ones(1, np.float32), (),
        np.zeros((0, 64, 64), np.float32), np.zeros((64, 64), np.float32), "exact",
    )  # fmt: skip
    for score in scorer.score([Generation(Sample(cell, 0), image)], [regions]):
        assert math.isnan(score.value)
        assert "'zebra'" in score.reason


def test_rivals_of_a_potato():
    texts = rivals(parse_prompt("a blue potato"), 0)
    assert list(texts) == [
        "a blue potato",
        "a potato on a blue plate",
        "a potato in front of a blue wall",
        "a brown potato",
    ]
