"""Models of transformers that answer questions: tiny random ones of the very classes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.certificate.scenes import known_answers
from bench.errors import UsageError
from bench.judge.vqa.blip import BlipVqa
from bench.judge.vqa.local import LocalVlm, answered
from bench.run.components import build_scorers
from tests.bench.judge.vqa.tiny import WORDS, blip_vqa, llava, qwen3_vl

QUESTIONS = ["Is the potato blue?", "Is there a potato in the image?", "a red apple?"]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    return qwen3_vl(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    return blip_vqa(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module", name="llava")
def _llava(tmp_path_factory):
    return llava(tmp_path_factory.mktemp("llava"))


def pictures(count):
    """Of different sizes, so that a batch has to fill up."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (40 + 8 * (n % 3), 48, 3), dtype=np.uint8) for n in range(count)]


@pytest.mark.parametrize("kind", ["qwen", "llava", "blip"])
def test_one_at_a_time_and_eight_at_once_agree(kind, request):
    folder = str(request.getfixturevalue(kind))
    vlm = BlipVqa(folder) if kind == "blip" else LocalVlm(folder)
    images = pictures(8)
    texts = [QUESTIONS[n % 3] for n in range(8)]
    together = [value for value, _ in vlm.chances(images, texts)]
    alone = [vlm.chances([one], [text])[0][0] for one, text in zip(images, texts, strict=True)]
    assert np.allclose(together, alone, atol=1e-3)
    assert len(set(np.round(alone, 7))) > 1
    assert all(0 < value < 1 for value in alone)


def test_all_four_spellings_of_yes_are_summed(qwen):
    vlm = LocalVlm(str(qwen))
    assert vlm.yes == (WORDS.index("Yes"), WORDS.index("yes"))
    assert vlm.no == (WORDS.index("No"), WORDS.index("no"))


def test_blip_weighs_yes_against_no_and_pads_change_nothing(blip):
    vlm = BlipVqa(str(blip))
    image = pictures(1)[0]
    short, long = "a cup?", "a red apple a blue potato a cup a red cup?"
    (alone, _), *_ = vlm.chances([image], [short])
    (beside, _), (other, _) = vlm.chances([image, image], [short, long])
    assert beside == pytest.approx(alone, abs=1e-7)
    assert other != beside
    # Of two tokens among fourteen, either would have a fourteenth.
    assert 0.3 < alone < 0.7
    pixels = vlm.processor.image_processor([image], return_tensors="pt")["pixel_values"]
    ids = vlm.processor.tokenizer([short], return_tensors="pt")["input_ids"]
    ids[:, 0] = vlm.model.config.text_config.vocab_size - 1
    out = vlm.model.generate(
        ids, pixels, max_new_tokens=1, do_sample=False, num_beams=1, output_logits=True,
        return_dict_in_generate=True,
    )  # fmt: skip
    yes, no = out.logits[0][0, [vlm.yes, vlm.no]].double().exp().tolist()
    assert alone == pytest.approx(yes / (yes + no), abs=1e-6)


def test_who_answers_neither_yes_nor_no_has_no_number():
    value, reason = answered(0.004, 0.003)
    assert math.isnan(value)
    assert "neither yes nor no" in reason
    assert answered(0.004, 0.9) == (0.004, "")


def test_a_model_without_the_words_is_refused(tmp_path):
    folder = qwen3_vl(tmp_path, words=("<unk>", "Is", "No"))
    with pytest.raises(UsageError, match="no single token for yes"):
        LocalVlm(str(folder))


def test_a_model_that_takes_no_questions_is_refused(tmp_path):
    folder = qwen3_vl(tmp_path, template=None)
    with pytest.raises(UsageError, match="no chat template"):
        LocalVlm(str(folder))


@pytest.mark.parametrize(("kind", "name"), [("qwen", "vqa"), ("llava", "vqa"), ("blip", "blipvqa")])
def test_the_known_scenes_end_to_end(kind, name, request):
    folder = request.getfixturevalue(kind)
    (scorer,) = build_scorers([f"{name}:{folder}"], {"device": "cpu"}).values()
    answers = known_answers(12, seed=3)
    scores = scorer.score([a.generation for a in answers], [a.regions for a in answers])
    metrics = 3 if name == "vqa" else 1
    assert len(scores) == metrics * sum(len(a.verdicts) for a in answers)
    for one in scores:
        assert math.isnan(one.value) == bool(one.reason)
        assert math.isnan(one.value) or 0 <= one.value <= 1
    assert sum(not math.isnan(one.value) for one in scores) > len(scores) / 2
    # Where the weights were is nobody's business; what they were is known.
    assert str(folder) not in repr(scorer.fingerprint)
    assert scorer.fingerprint.options["model"] == folder.name
    assert scorer.fingerprint.weights


def test_two_models_of_a_scorer_in_one_run_are_refused(blip):
    with pytest.raises(UsageError, match="one of each"):
        build_scorers([f"blipvqa:{blip}", f"blipvqa:{blip}"], {})
