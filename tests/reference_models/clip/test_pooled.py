"""The small image tower and its training."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from bench.judge.scorers.clip import rivals
from prompts import parse_prompt
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip import distil
from reference_models.clip.answers import SCALE, Answers
from reference_models.clip.distil import FOLDER, SHAPES, Distillation, varied
from reference_models.clip.lessons import drawn
from reference_models.clip.network import load_network
from reference_models.clip.pooled import PooledShape, PooledTower, load_pooled, save_pooled
from reference_models.errors import ModelError

TINY = PooledShape(((8, 8, 16), (3, 1, 16), (2, 2, 32)), 1)


@pytest.fixture(scope="module")
def teacher():
    return load_network(FOLDER / "bundled.json", FOLDER / "bundled.safetensors")


@pytest.mark.parametrize("shape", [*SHAPES.values(), TINY])
def test_a_tower_that_was_written_is_read_again(tmp_path, shape):
    tower = PooledTower(shape).eval()
    save_pooled(tmp_path / "x.safetensors", tower, {"steps": 7})
    again = load_pooled(tmp_path / "x.safetensors")
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        said, said_again = tower(images), again(images)
    assert again.shape == shape
    assert said.shape == (2, 128)
    torch.testing.assert_close(said, said_again, atol=0.05, rtol=0.02)


def test_weights_that_are_no_tower_are_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match="does not say what tower"):
        load_pooled(tmp_path / "x.safetensors")


def test_the_answers_are_those_of_the_scorer(teacher):
    model, tokenizer = teacher
    feature = F.normalize(torch.randn(3, 128), dim=-1)
    subject, colour, rival = Answers(model, tokenizer, "cpu")(feature)
    potato, blue = SUBJECT_NAMES.index("potato"), COLOUR_NAMES.index("blue")

    def shares(texts):
        table = F.normalize(model.encode_text(tokenizer(texts)), dim=-1)
        return (SCALE * feature @ table.T).softmax(-1)

    asked = list(rivals(parse_prompt("a blue potato"), 0))
    found = rival[:, potato, blue].exp()
    torch.testing.assert_close(found[:, : len(asked)], shares(asked), atol=1e-4, rtol=1e-3)
    assert float(found[:, len(asked) :].max()) == 0
    every = shares([f"{'an' if c == 'orange' else 'a'} {c} potato" for c in COLOUR_NAMES])
    torch.testing.assert_close(colour[:, potato].exp(), every, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(subject.exp().sum(-1), torch.ones(3))


def test_who_says_what_the_teacher_says_has_no_loss_and_others_have(teacher):
    answers = Answers(*teacher, "cpu")
    one, other = F.normalize(torch.randn(2, 4, 128), dim=-1)
    assert float(answers.divergence(one, one)) == pytest.approx(0, abs=1e-4)
    assert float(answers.divergence(other, one)) > 1


def test_pictures_vary_one_by_one_and_stay_pictures():
    torch.manual_seed(0)
    image = torch.rand(64, 3, 16, 16)
    changed = varied(image)
    assert changed.shape == image.shape
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1
    same = (changed - image).flatten(1).abs().amax(1) < 1e-4
    assert 0 < int(same.sum()) < 48


def test_a_student_comes_nearer_to_its_teacher(monkeypatch):
    monkeypatch.setattr(distil, "HELD", 64)
    monkeypatch.setattr(distil, "WARM", 5)
    torch.manual_seed(0)
    pictures = next(drawn(192, 0, seed=3, workers=1))
    training = Distillation({"tiny": PooledTower(TINY)}, pictures, 16, "cpu")
    training.steps.fill_(24)
    training.advance(1)
    before = training.report()["tiny"]
    training.advance(23)
    after = training.report()["tiny"]
    assert after["cosine"] > before["cosine"] + 0.02
    assert after["bind"] < before["bind"]


def test_the_same_pictures_are_drawn_again_with_crops_of_what_is_in_them():
    first, again = (next(drawn(192, 0, seed=5, workers=1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.dtype == torch.uint8
    assert len(first) > 2 * 192
    corners = first[192:, :, 0, 0].float()
    assert float((corners == 128).float().mean()) > 0.9
