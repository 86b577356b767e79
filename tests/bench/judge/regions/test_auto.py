"""What ``auto`` is: the best that is here, chosen once, in words that say why."""

from __future__ import annotations

import numpy as np
import pytest

from bench.judge.regions.auto import (
    BUNDLED,
    STRONG,
    AutoSegmenter,
    choose,
    chosen_before,
)
from bench.judge.regions.word_segmenters import DEFAULTS
from bench.run.components import build
from prompts import parse_prompt

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DETECTOR, SAM = DEFAULTS[STRONG]


def photograph(seed=0):
    """A picture unlike the rendered world: noise of two scales."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(0, 200, (20, 26, 3)), np.ones((8, 8, 1)))
    return (coarse + rng.integers(0, 55, coarse.shape)).astype(np.uint8)


@pytest.fixture
def stocked(hub, miniature):
    hub.models = {DETECTOR: miniature("mmdino"), SAM: miniature("sam2")}
    return hub


def test_nothing_is_asked_of_the_hub_where_nobody_can_be_asked(stocked):
    choice = choose()
    assert choice.name == BUNDLED
    assert "--yes" in choice.reason
    assert stocked.asked == []


@pytest.mark.parametrize("variable", ["1", "yes"])
def test_offline_is_the_bundled_network(stocked, monkeypatch, variable):
    monkeypatch.setenv("BENCH_OFFLINE", variable)
    choice = choose(lambda question: pytest.fail("asked"))
    assert choice.name == BUNDLED
    assert "switched off" in choice.reason
    assert stocked.asked == []


def test_what_is_fetched_is_asked_for_once_with_size_and_licence(stocked):
    questions = []
    choice = choose(lambda question: not questions.append(question))
    (question,) = questions
    for model in (DETECTOR, SAM):
        assert model in question
    assert question.count("apache-2.0") == 2
    assert question.count(" MB") == 2
    assert choice.name == f"auto:{STRONG}:{DETECTOR}@{COMMIT},{SAM}@{COMMIT}"
    assert choice.reason == ""
    # From now on it is in the cache: nobody is asked, and nothing is sent.
    stocked.asked.clear()
    assert choose(lambda question: pytest.fail("asked")) == choice
    assert stocked.asked == []
    segmenter = build("segmenter", choice.name, {})
    assert segmenter.fingerprint.options[STRONG] == {
        "models": [f"{DETECTOR}@{COMMIT}", f"{SAM}@{COMMIT}"]
    }
    assert chosen_before(segmenter.fingerprint.options) == choice.name


def test_who_says_no_has_the_bundled_network(stocked):
    choice = choose(lambda question: False)
    assert choice.name == BUNDLED
    assert not any("resolve" in path for path in stocked.asked)


@pytest.mark.parametrize("state", ["gone", "pickles"])
def test_a_hub_that_has_it_not_is_one_line(hub, miniature, tmp_path, state):
    if state == "pickles":
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / "pytorch_model.bin").write_bytes(b"")
        hub.models = {DETECTOR: tmp_path, SAM: miniature("sam2")}
    choice = choose(lambda question: pytest.fail("asked"))
    assert choice.name == BUNDLED
    assert ("no safetensors" if state == "pickles" else "not at the hub") in choice.reason
    assert "\n" not in choice.reason


def test_pictures_of_the_rendered_world_and_the_background_keep_the_bundled_network(miniature):
    strong = f"auto:{STRONG}:{miniature('mmdino')},{miniature('sam2')}"
    segmenter = AutoSegmenter(strong)
    from bench.certificate.scenes import Conditions, known_answers

    drawn = known_answers(11, 3, Conditions(size=192))[0].generation.image
    small = drawn[::3, ::3]
    prompts = ["a blue potato", "a blue potato", "a blue zebra", "a blue wall"]
    images = [drawn, small, photograph(), photograph(1)]
    found = segmenter.segment(images, [parse_prompt(prompt) for prompt in prompts])
    assert [one.segmenter for one in found] == ["cutout", "cutout", STRONG, "cutout"]


def test_a_record_without_a_strong_one_means_the_bundled_network():
    assert chosen_before(AutoSegmenter(BUNDLED).fingerprint.options) == BUNDLED
