"""GenEval's rule on transformers: which object, which colour, which task."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.certificate.scenes import known_answers
from bench.errors import UsageError
from bench.judge.regions.claims import regions_from
from bench.judge.scorers.geneval import COLOURS, METRICS, FoundObject
from bench.records import Generation
from bench.run.components import build_scorers
from prompts import parse_prompt
from prompts.cells import Sample


@pytest.fixture(scope="module")
def scorer(miniature):
    made = build_scorers([f"geneval:{miniature('mask2former')},bundled"], {"device": "cpu"})
    return made["geneval"]


def scores_of(scorer, image, prompt, invalid=None):
    cell = parse_prompt(prompt)
    generation = Generation(Sample(cell, 0), image, invalid=invalid)
    empty = regions_from(np.zeros((4, *image.shape[:2])), np.zeros(4), cell, "x")
    return {
        (score.metric, score.binding): (score.value, score.reason)
        for score in scorer.score([generation], [empty])
    }


def test_the_surest_object_of_the_class_is_taken(scorer):
    apple, car = scorer.classes["apple"], scorer.classes["car"]
    chances = torch.full((4, len(scorer.classes)), 0.01)
    chances[0, apple], chances[1, apple], chances[2, car] = 0.8, 0.9, 0.95
    masks = torch.full((4, 8, 8), -9.0)
    masks[0, 2:6, 2:6] = 9.0
    # The second is surer of its class, and unsure of its mask: 0.9 * 0.52 < 0.8.
    masks[1, :4] = 0.1
    masks[2, 6:] = 9.0
    sizes = ((32, 32), (32, 32), (64, 64))
    found = scorer._surest(chances, masks, apple, sizes)
    assert found.score == pytest.approx(0.8, abs=0.03)
    assert found.mask[16:48, 16:48].mean() > 0.95
    assert found.mask.sum() < 36 * 36
    assert scorer._surest(chances, masks, scorer.classes["chair"], sizes) is None


def test_what_is_padded_is_no_part_of_the_picture(scorer):
    chances = torch.full((1, len(scorer.classes)), 0.0)
    chances[0, 0] = 1.0
    masks = torch.full((1, 8, 12), -9.0)
    masks[0, :, 6:] = 9.0
    # Of 48 columns 36 are the picture: its right third, and what is beyond it.
    found = scorer._surest(chances, masks, 0, ((32, 48), (32, 36), (64, 72)))
    columns = np.flatnonzero(found.mask.any(0))
    assert (columns[0], columns[-1]) == (pytest.approx(48, abs=2), 71)


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow"])
def test_the_colour_is_that_of_the_object_and_not_of_its_surroundings(scorer, colour):
    codes = {"red": (220, 20, 30), "green": (30, 150, 40), "blue": (30, 60, 220),
             "yellow": (240, 220, 40)}  # fmt: skip
    image = np.full((90, 120, 3), codes["blue" if colour != "blue" else "red"], np.uint8)
    mask = np.hypot(*np.mgrid[-45:45, -60:60]) < 30
    image[mask] = codes[colour]
    assert scorer.colour_of(image, FoundObject(1.0, mask), "apple") == colour


def test_every_metric_has_a_value_or_a_reason(scorer):
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    single = scores_of(scorer, image, "a red apple")
    assert set(single) == {(metric, 0) for metric in METRICS}
    assert single["geneval_bind", 0][0] in (0.0, 1.0)
    assert single["geneval_colors", 0] == single["geneval_bind", 0]
    assert "two coloured things" in single["geneval_color_attr", 0][1]
    pair = scores_of(scorer, image, "a red apple and a blue car")
    assert pair["geneval_color_attr", 0] == pair["geneval_color_attr", 1]
    assert math.isnan(pair["geneval_colors", 0][0])
    for prompt, words in [
        ("a gray apple", "GenEval has no gray"),
        ("a red potato", "potato is no class of COCO"),
        ("an apple", "no colour"),
    ]:
        value, reason = scores_of(scorer, image, prompt)["geneval_bind", 0]
        assert math.isnan(value)
        assert words in reason
    value, reason = scores_of(scorer, image, "a red apple", invalid="blank")["geneval_colors", 0]
    assert math.isnan(value)
    assert reason == "invalid: blank"


def test_both_must_be_right_of_two(scorer, monkeypatch):
    there = FoundObject(0.9, np.ones((4, 4), bool))
    monkeypatch.setattr(scorer, "detect", lambda images, nouns: [[there] * len(n) for n in nouns])
    monkeypatch.setattr(scorer, "colour_of", lambda image, found, noun: "red")
    image = np.zeros((60, 80, 3), np.uint8)
    pair = scores_of(scorer, image, "a red apple and a blue car")
    assert [pair["geneval_bind", k][0] for k in range(2)] == [1.0, 0.0]
    assert pair["geneval_color_attr", 0][0] == 0.0
    assert scores_of(scorer, image, "a red car")["geneval_colors", 0][0] == 1.0


def test_known_scenes_are_judged_from_end_to_end(scorer):
    answers = known_answers(33, seed=4)
    generations = [answer.generation for answer in answers]
    scores = scorer.score(generations, [answer.regions for answer in answers])
    bindings = sum(len(g.sample.cell.bindings) for g in generations)
    assert len(scores) == len(METRICS) * bindings
    assert all(score.value in (0, 1) or score.reason for score in scores)
    assert any(score.value in (0, 1) for score in scores)
    (alone,) = (scorer.score([g], [a.regions]) for g, a in [(generations[4], answers[4])])
    of_all = [score for score in scores if score.sample_id == generations[4].sample.id]
    assert [repr(score) for score in alone] == [repr(score) for score in of_all]


def test_the_record_says_by_which_weights(scorer, miniature):
    options = scorer.fingerprint.options
    assert options["detector"] == miniature("mask2former").name
    assert options["clip"] == "bundled"
    assert len(scorer.fingerprint.weights.split(" ")) == 2
    assert len(COLOURS) == 10


def test_a_detector_without_the_classes_of_coco_is_refused(miniature, tmp_path):
    from transformers import AutoImageProcessor, Mask2FormerForUniversalSegmentation

    model = Mask2FormerForUniversalSegmentation.from_pretrained(miniature("mask2former"))
    model.config.id2label = {k: f"stuff {k}" for k in range(model.config.num_labels)}
    model.save_pretrained(tmp_path)
    AutoImageProcessor.from_pretrained(miniature("mask2former")).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="none of COCO's classes"):
        build_scorers([f"geneval:{tmp_path},bundled"], {})
