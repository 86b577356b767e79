"""`bench plan`: what it prints is what the gate does."""

import json

import numpy as np
import pytest
import yaml

from bench.cli.main import run as bench
from bench.statistics.simulation import power_of, rates, seeds_for, spread_of
from tests.bench.runs import make_run
from tests.bundled import ROOT


def test_it_prints_preset_seeds_images_and_what_they_find(capsys):
    assert bench(["plan", "--margin", "0.03", "--preset", "quick", "--seconds", "2"]) == 0
    out = capsys.readouterr().out
    assert "margin 3.0% at alpha 0.05, a model of score 90.0% and spread 0.30" in out
    assert "quick" in out
    assert bench(["plan", "--margin", "0.03", "--preset", "quick", "--seconds", "2", "--json"]) == 0
    stored = json.loads(capsys.readouterr().out)
    (row,) = stored["presets"]
    assert row["images"] == 150 * row["seeds"]
    assert row["seconds"] == 2 * row["images"]
    assert row["passes"] >= 0.8
    assert row["finds"] >= 0.03


def test_an_unknown_preset_is_told(capsys):
    assert bench(["plan", "--preset", "quik"]) == 2
    assert "quick" in capsys.readouterr().err


def test_the_time_score_and_spread_are_those_of_a_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "runs" / "r", seeds=3)
    assert bench(["plan", "--like", "r", "--preset", "quick", "--margin", "0.1", "--json"]) == 0
    stored = json.loads(capsys.readouterr().out)
    assert 0 < stored["score"] < 1
    assert stored["presets"][0]["seconds"] is not None


def test_seeds_grow_as_the_margin_shrinks_and_too_many_are_told():
    many, few = (seeds_for(104, score=0.9, spread=0.3, margin=m)[0] for m in (0.03, 0.06))
    assert many > 2 * few
    assert seeds_for(104, score=0.9, spread=0.3, margin=0.005, most=10) is None
    assert seeds_for(429, score=1.0, spread=0.3, margin=0.02)[0] == 1


def test_the_chance_is_that_of_the_normal_form():
    """Where it is neither small nor large."""
    found = power_of(429, 4, score=0.9, spread=0.3, margin=0.025)
    error = np.sqrt(2 * 0.09 * 0.7 / 429 / 4)
    from scipy.stats import norm

    assert found.passed == pytest.approx(norm.cdf(0.025 / error - 1.96), abs=0.1)


def test_the_spread_of_a_run_is_found_again():
    rng = np.random.default_rng(0)
    means = rng.binomial(4, rates(rng, 4000, 0.9, 0.3)) / 4
    score, spread = spread_of(means, means * (1 - means) / 3, np.full(4000, 4))
    assert (score, spread) == (pytest.approx(0.9, abs=0.01), pytest.approx(0.3, abs=0.03))
    assert spread_of(means, means * np.nan, np.ones(4000))[1] is None


def test_the_default_of_the_action_sees_its_own_margin():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert inputs["run-options"]["default"].split() == ["--preset", "default", "--seeds", "3"]
    margin = float(inputs["margin"]["default"])
    assert power_of(429, 3, score=0.9, spread=0.3, margin=margin).passed >= 0.8
