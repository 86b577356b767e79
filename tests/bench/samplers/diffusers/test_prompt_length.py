"""Prompts longer than the text encoders read."""

import pytest

from bench.run.usage import model_doubts
from bench.samplers.diffusers.prompt_length import limits, unseen_words
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts.cells import Cell, Sample
from tests.bench.samplers.families import OPTIONS, saved

#: The tokenizers of the tiny pipelines read 16 tokens, two of which are marks.
SHORT = "a red potato"
LONG = " and ".join(["a white house"] * 4) + " and a blue potato"


def sampler(family="sd1"):
    return DiffusersSampler(str(saved(family)), steps=1, device="cpu", **OPTIONS[family])


def samples(*texts):
    return [Sample(Cell(f"cell{k}", text, (), "control", "c"), 0) for k, text in enumerate(texts)]


def test_the_end_that_is_not_seen_is_named():
    pipeline = sampler().pipeline
    tokenizers = limits(pipeline, {})
    assert list(tokenizers) == ["tokenizer"]
    assert unseen_words(SHORT, tokenizers) == ""
    assert unseen_words(LONG, tokenizers).endswith("a blue potato")
    seen = LONG.removesuffix(unseen_words(LONG, tokenizers)).strip()
    assert unseen_words(seen, tokenizers) == ""
    # One word more is one word too many.
    assert unseen_words(f"{seen} potato", tokenizers) == "potato"


def test_images_are_counted_and_the_words_told():
    made = sampler()
    list(made.sample(samples(SHORT, LONG, LONG)))
    usage = made.usage()
    assert usage.counts == {"prompts_truncated": 2}
    (remark,) = usage.remarks
    assert "truncated the prompt of 2 images" in remark
    assert "blue potato" in remark


def test_nothing_is_said_where_all_is_seen():
    made = sampler()
    list(made.sample(samples(SHORT)))
    assert made.usage().counts == {}
    assert made.usage().remarks == ()


@pytest.mark.parametrize("family", ["sd3", "flux"])
def test_one_encoder_that_sees_it_all_is_enough(family):
    pipeline = sampler(family).pipeline
    assert unseen_words(LONG, limits(pipeline, {"max_sequence_length": 256})) == ""
    assert unseen_words(LONG, limits(pipeline, {"max_sequence_length": 16})) != ""


def test_a_run_tells_it(tmp_path, monkeypatch, capsys):
    from bench.cli.main import run
    from bench.store.manifest import read_manifest

    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.csv").write_text(
        f"prompt,colour,subject\n{SHORT},red,potato\n{LONG},blue,potato\n"
    )
    arguments = ["run", "--model", str(saved("sd1")), "--steps", "1", "--device", "cpu"]
    arguments += ["--scorer", "segmentation", "--segmenter", "tests.bench.shapes:ShapeSegmenter"]
    assert run([*arguments, "--grid", "g.csv", "--name", "r"]) == 0
    printed = capsys.readouterr()
    manifest = read_manifest(tmp_path / "runs" / "r")
    assert manifest.account["prompts_truncated"] >= 1
    (said,) = model_doubts(manifest)
    assert said in " ".join(printed.out.split())
    assert "it missed" in printed.err
