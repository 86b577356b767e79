"""Miniatures: what they are shown is true, and what they learn is written so that it loads."""

from __future__ import annotations

import json

import pytest
import torch
from click.testing import CliRunner

from reference_models.miniatures.losses import centred, cornered, giou, matched, one_box_loss
from reference_models.miniatures.models import MINIATURES, bert_tokenizer, clip_tokenizer, make
from reference_models.miniatures.scenes import LEAST, SHAPES, Lesson, Lessons, boxes_of
from reference_models.miniatures.teach import main


@pytest.fixture(scope="module")
def lessons():
    return Lessons(192, seed=5)


def test_boxes_are_those_of_the_masks():
    masks = torch.zeros(2, 10, 20)
    masks[0, 2:5, 4:14] = 1
    assert boxes_of(masks)[0].tolist() == pytest.approx([0.2, 0.2, 0.7, 0.5])
    assert boxes_of(masks)[1].tolist() == [0, 0, 0, 0]


def test_a_lesson_shows_what_it_says(lessons):
    for moved in (False, True):
        lesson = lessons.draw(48, moved=moved)
        assert lesson.image.shape[-2:] in SHAPES
        assert len(set(lesson.words)) == len(lesson.words)
        assert {"plate", "picture frame"} < set(lesson.words)
        area = (lesson.masks > 0.5).sum((2, 3))
        assert torch.equal(lesson.there, area >= LEAST)
        subjects = [word not in ("plate", "picture frame") for word in lesson.words]
        assert lesson.there[:, subjects].any(1).float().mean() > 0.6
        assert float(lesson.masks.sum(1).max()) <= 1 + 2 / 255


def test_generalised_overlap_of_known_boxes():
    box = torch.tensor([0.0, 0.0, 2.0, 2.0])
    assert float(giou(box, box)) == pytest.approx(1)
    # Apart by one: no overlap, a hull of 10 of which 2 are empty.
    assert float(giou(box, torch.tensor([3.0, 0.0, 5.0, 2.0]))) == pytest.approx(-0.2)
    assert torch.equal(cornered(centred(box)), box)


def test_the_best_answer_is_matched_and_costs_least():
    true = torch.tensor([[0.1, 0.2, 0.5, 0.8]])
    boxes = torch.rand(1, 6, 4, generator=torch.Generator().manual_seed(0))
    boxes[0, 4] = centred(true)[0]
    logits = torch.full((1, 6), -4.0)
    assert matched(logits, boxes, centred(true)).tolist() == [4]
    lesson = Lesson(
        torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), torch.tensor([[True]]), true[None], ("x",)
    )
    right = logits.clone()
    right[0, 4] = 8.0
    wrong = logits.clone()
    wrong[0, 1] = 8.0
    costs = [
        float(one_box_loss(one[:, None], boxes[:, None], lesson, torch.ones(4))[0])
        for one in (right, logits, wrong)
    ]
    assert costs == sorted(costs)
    assert costs[0] < 0.1


def test_the_tokenizers_know_the_nouns_whole(tmp_path):
    bert, _ = bert_tokenizer(tmp_path)
    ids = bert("a potato. a picture frame.")["input_ids"]
    assert len(ids) == 9
    assert (ids[0], ids.count(1012), ids[-1]) == (101, 2, 102)
    clip, size = clip_tokenizer(tmp_path)
    ids = clip("a potato")["input_ids"]
    assert len(ids) == 4
    assert ids[-1] == size - 1


@pytest.mark.parametrize("name", list(MINIATURES))
def test_a_miniature_is_small_and_the_same_each_time(name):
    model, _ = make(name)
    again, _ = make(name)
    assert sum(p.numel() for p in model.parameters()) < 1_100_000
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_what_is_taught_is_written_and_loads(tmp_path):
    from transformers import AutoProcessor, CLIPSegForImageSegmentation

    done = CliRunner().invoke(
        main, ["clipseg", "--seconds", "0.3", "--batch", "4", "--scenes", "64", "--out",
               str(tmp_path)], catch_exceptions=False,
    )  # fmt: skip
    line = json.loads(done.stdout)
    assert line["step"] > 0
    assert 0 <= line["overlap"] <= 1
    model = CLIPSegForImageSegmentation.from_pretrained(tmp_path / "clipseg")
    assert all(torch.isfinite(p.float()).all() for p in model.parameters())
    AutoProcessor.from_pretrained(tmp_path / "clipseg")
