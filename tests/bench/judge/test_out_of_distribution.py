"""Distance to the certified kinds: known answers, conformal coverage, invariances, adversaries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.scenes import Conditions, known_answers
from bench.errors import UsageError
from bench.judge.out_of_distribution import (
    ALPHA,
    LEAST_PICTURES,
    Kind,
    conformal_threshold,
    fit_kind,
    held_out_distances,
    with_threshold,
)
from bench.judge.readings import DISTANCE as METRIC
from bench.judge.readings import nearest_kind
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.scorers.ood import OodScorer
from bench.records import Generation, PooledFeatures, Regions
from prompts.cells import Sample


def gaussian(n, width=12, seed=0, at=0.0, spread=1.0):
    return at + spread * np.random.default_rng(seed).normal(size=(n, width))


@pytest.fixture(scope="module")
def networks():
    return CutoutSegmenter()


@pytest.fixture(scope="module")
def scorer():
    return OodScorer()


def shares_outside(scorer, networks, images):
    return np.mean([scorer.distances(one)[METRIC][0] > 1 for one in networks.pooled(images)])


def test_the_distance_is_mahalanobis():
    axes = np.eye(3, dtype=np.float32)[:1]
    kind = Kind(np.array([1, 0, 0], np.float32), axes, np.array([4], np.float32), rest=0.25)
    found = kind.distances(np.array([[1, 0, 0], [3, 0, 0], [1, 1, 0], [3, 0, 1]]))
    assert found == pytest.approx([0, 1, 2, 5**0.5])


def test_the_fit_finds_the_gaussian_that_made_the_pictures():
    spread = np.array([5.0, 3.0, *[1.0] * 10])
    kind = fit_kind(gaussian(4000, spread=spread, at=2.0), axes=2)
    assert kind.mean == pytest.approx([2.0] * 12, abs=0.4)
    assert kind.variances == pytest.approx([25, 9], rel=0.1)
    assert kind.rest == pytest.approx(1, rel=0.05)
    squares = kind.distances(gaussian(4000, spread=spread, at=2.0, seed=1)) ** 2
    assert squares.mean() == pytest.approx(12, rel=0.05)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(40, 300), st.sampled_from((0.05, 0.1, 0.2)))
def test_no_more_than_alpha_of_the_like_are_outside(seed, n, alpha):
    threshold = conformal_threshold(gaussian(n, 1, seed)[:, 0], alpha)
    outside = (gaussian(20_000, 1, seed + 1)[:, 0] > threshold).mean()
    assert outside < alpha + 4 * math.sqrt(alpha * (1 - alpha) / n)


@given(st.lists(st.floats(0, 1e6), min_size=20, max_size=60))
def test_a_threshold_is_one_of_the_distances_and_falls_with_alpha(distances):
    one, other = conformal_threshold(distances, 0.05), conformal_threshold(distances, 0.2)
    assert one in distances
    assert other <= one


def test_too_few_pictures_have_no_threshold():
    assert math.isfinite(conformal_threshold([1.0] * LEAST_PICTURES, ALPHA))
    with pytest.raises(UsageError, match="18 pictures are too few"):
        conformal_threshold([1.0] * (LEAST_PICTURES - 1), ALPHA)


def test_distances_grow_away_from_the_kind():
    kind = with_threshold(gaussian(200))
    away = np.linspace(0, 20, 30)[:, None] * gaussian(1, seed=3) + kind.mean
    assert (np.diff(kind.distances(away)) > 0).all()


def test_a_thing_of_its_own_is_held_out_whole():
    features = gaussian(100)
    features[:10, 0] += 8
    alone = held_out_distances(features, ["new"] * 10 + [f"n{k % 20}" for k in range(90)])
    mixed = held_out_distances(features)
    assert alone[:10].mean() > mixed[:10].mean()


def test_certified_pictures_are_within(scorer, networks):
    small = [a.generation.image for a in known_answers(80, 91) if a.verdicts[0] != "invalid"]
    assert shares_outside(scorer, networks, small) <= 0.1
    scenes = [a.generation.image for b in photoreal_batches(48) for a in b]
    assert shares_outside(scorer, networks, scenes) <= 0.12
    mirrored = [image[:, ::-1].copy() for image in scenes]
    assert shares_outside(scorer, networks, mirrored) <= 0.12


@pytest.mark.parametrize("side", [64, 256])
def test_noise_and_checks_are_outside(scorer, networks, side):
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 256, (side, side, 3)).astype(np.uint8) for _ in range(8)]
    rows, columns = np.mgrid[:side, :side] // 4 % 2
    checks = np.repeat((255 * (rows ^ columns)).astype(np.uint8)[..., None], 3, 2)
    assert shares_outside(scorer, networks, [*noisy, checks]) == 1


def test_every_binding_has_the_metrics_and_a_reason_where_there_is_none(scorer):
    pair = next(a for a in known_answers(60, 92) if len(a.verdicts) == 2)
    one = pair.generation
    void = Generation(Sample(one.sample.cell, 99), one.image, invalid="blank")
    scores = scorer.score([one, void], [pair.regions, pair.regions])
    of_one = [s for s in scores if s.sample_id == one.sample.id]
    assert {s.binding for s in of_one} == {0, 1}
    assert {s.metric for s in of_one} == {METRIC, f"{METRIC}_rendered"}
    assert all(math.isfinite(s.value) for s in of_one)
    others = [s for s in scores if s.sample_id != one.sample.id]
    assert all(math.isnan(s.value) and s.reason == "invalid: blank" for s in others)


def test_what_the_segmenter_saw_is_what_is_looked_up(scorer, networks):
    answers = [a for a in known_answers(12, 93) if a.verdicts[0] != "invalid"]
    answers += known_answers(4, 94, Conditions(size=192))
    generations = [a.generation for a in answers]
    cells = [one.sample.cell for one in generations]
    seen = networks.segment([one.image for one in generations], cells)
    blind = [Regions(r.subjects, r.masks, r.found, r.neighbours, r.neighbour_masks, r.background,
                     "other") for r in seen]  # fmt: skip
    with_features = scorer.score(generations, seen)
    without = scorer.score(generations, blind)
    assert [s.value for s in with_features] == pytest.approx([s.value for s in without], rel=0.02)


def test_other_weights_are_told_and_not_measured(scorer):
    rows = scorer.distances(PooledFeatures("small", "0123", np.zeros(264, np.float32)))
    value, reason = rows[METRIC]
    assert math.isnan(value)
    assert "0123" in reason
    assert "bench.cli.fit ood" in reason


def test_the_nearest_kind():
    assert nearest_kind({"ood": 0.5, "ood_rendered": 0.9, "ood_photoreal": 0.5}) == "photoreal"
    assert nearest_kind({"ood": math.nan, "bind": 1.0}) == ""
