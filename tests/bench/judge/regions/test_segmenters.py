"""Segmenters on known scenes, and on pictures of every shape."""

from __future__ import annotations

import numpy as np
import pytest

from bench.certificate.clip_calibration import logistic_fit
from bench.certificate.scenes import known_answers
from bench.judge.regions.clip import ClipSegmenter
from bench.judge.regions.dense_clip import views
from bench.judge.regions.saliency import SaliencySegmenter
from prompts import parse_prompt


def iou(mask: np.ndarray, true: np.ndarray) -> float:
    a, b = mask > 0.5, true > 0.5
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.fixture(scope="module")
def segmenter():
    return ClipSegmenter()


@pytest.fixture(scope="module")
def answers():
    return [a for a in known_answers(110, seed=6) if a.verdicts[0] != "invalid"]


def regions_of(segmenter, answers):
    return segmenter.segment(
        [a.generation.image for a in answers], [a.generation.sample.cell for a in answers]
    )


def test_clip_finds_subjects_of_the_rendered_world(segmenter, answers):
    found, overlap = [], []
    for answer, regions in zip(answers, regions_of(segmenter, answers), strict=True):
        for k, there in enumerate(answer.regions.found):
            found.append((regions.found[k] > 0.5) == bool(there))
            if there:
                overlap.append(iou(regions.masks[k], answer.regions.masks[k]))
    assert np.mean(found) > 0.9
    assert np.mean(overlap) > 0.8


def test_masks_never_overlap(segmenter, answers):
    for regions in regions_of(segmenter, answers):
        total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
        assert float(total.max()) <= 1 + 1e-4
        assert float(regions.masks.min()) >= 0


def test_a_subject_that_is_missing_is_told_from_one_that_is_there(segmenter):
    answers = known_answers(60, seed=8)
    absent = [a for a in answers if a.verdicts[0] == "absent"]
    there = [a for a in answers if a.verdicts[0] == "bound"]
    gone = [float(r.found[0]) for r in regions_of(segmenter, absent)]
    seen = [float(r.found[0]) for r in regions_of(segmenter, there)]
    assert np.mean(seen) > np.mean(gone) + 0.5


@pytest.mark.parametrize("which", ["clip", "saliency"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 5), (90, 64), (64, 300)])
def test_any_size_and_aspect_ratio(segmenter, which, shape):
    part = segmenter if which == "clip" else SaliencySegmenter()
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    for prompt in ("a blue potato", "a red apple and a blue cup"):
        cell = parse_prompt(prompt)
        (regions,) = part.segment([image], [cell])
        assert regions.masks.shape == (len(cell.bindings), *shape)
        assert np.isfinite(regions.masks).all()


def test_the_batch_does_not_matter(segmenter, answers):
    together = regions_of(segmenter, answers[:9])
    for k in (0, 4, 8):
        (alone,) = regions_of(segmenter, [answers[k]])
        assert np.allclose(alone.masks, together[k].masks, atol=1e-3)
        assert np.allclose(alone.found, together[k].found, atol=1e-4)


def test_an_unknown_word_falls_back_to_saliency_and_says_so(segmenter):
    cell = parse_prompt("a blue zebra")
    image = np.full((64, 64, 3), 220, np.uint8)
    image[20:44, 20:44] = (30, 60, 200)
    (regions,) = segmenter.segment([image], [cell])
    assert regions.segmenter == "saliency"
    assert iou(regions.masks[0], np.pad(np.ones((24, 24)), 20)) > 0.8


def test_saliency_finds_the_thing_that_stands_out():
    image = np.full((96, 128, 3), (210, 205, 200), np.uint8)
    image[30:70, 40:90] = (200, 40, 40)
    true = np.zeros((96, 128))
    true[30:70, 40:90] = 1
    (regions,) = SaliencySegmenter().segment([image], [parse_prompt("a red apple")])
    assert iou(regions.masks[0], true) > 0.8


def test_windows_cover_the_image_where_several_subjects_are_asked():
    assert views(64, 48, 1) == [(0, 0, 64, 48)]
    covered = np.zeros((64, 48), bool)
    for y, x, h, w in views(64, 48, 2)[1:]:
        covered[y : y + h, x : x + w] = True
    assert covered.all()


def test_logistic_fit_recovers_known_weights():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (20_000, 2))
    chance = 1 / (1 + np.exp(-(-2 + 5 * x[:, 0] + 1 * x[:, 1])))
    found = (rng.uniform(size=len(x)) < chance).astype(float)
    intercept, first, second = logistic_fit(x, found)
    assert intercept == pytest.approx(-2, abs=0.3)
    assert first == pytest.approx(5, abs=0.5)
    assert second == pytest.approx(1, abs=0.3)
