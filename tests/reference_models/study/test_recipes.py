"""Recipes of a model that leaks, tried out small."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from bench.registry import training_seed
from bench.store.manifest import read_manifest
from prompts.manifest import TrainingManifest
from reference_models.card import curve_points
from reference_models.local import LocalModel
from reference_models.presets import PRESETS
from reference_models.study.bars import Bars
from reference_models.study.recipes import affordable, main, rank, recipes
from reference_models.world.statistics import held_out_pairs


def test_recipes_differ_from_the_preset_in_what_they_are_named_for():
    by_name = {one.name: one.preset for one in recipes(640)}
    assert len(by_name) == len(recipes(640))
    base = by_name["base"]
    assert base.noise == PRESETS["local"].noise
    assert by_name["looser"].noise.loose > base.noise.loose > by_name["stricter"].noise.loose
    assert by_name["base-seed2"].seed != base.seed
    assert by_name["base-seed2"].noise == base.noise


def test_the_best_misses_fewest_bars():
    good = Bars(0.6, 0.2, 0.08, 0.06, 0.06, 0.1, 0.02, 35.0, 0.2)
    dull = Bars(0.95, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 15.0, 0.0)
    assert sorted([rank(dull), rank(good)])[0] == rank(good)


def test_recipes_for_which_there_is_no_time_are_left_out():
    waiting = [(recipe, SimpleNamespace(steps=140, done=40), {}) for recipe in recipes(640)]
    assert len(affordable(waiting, 0.01, 4.0)) == 3
    assert len(affordable(waiting, 0.01, 0.1)) == 1
    assert affordable(waiting, 0.01, 1000) == waiting


def test_a_recipe_is_trained_run_and_kept(tmp_path):
    out = tmp_path / "out"
    words = ["--device", "cpu", "--images", "64", "--only", "stricter", "--workers", "1"]
    grid = "--preset quick --subjects cup --colours red,blue --seeds 2"
    done = CliRunner().invoke(main, [*words, "--out", str(out), "--grid", grid])
    assert done.exit_code == 0, done.output
    rows = json.loads((out / "best" / "bars.json").read_text())
    assert {row["scale"] for row in rows} == {2.5}
    assert read_manifest(out / "best" / "run").complete
    (weights,) = (out / "best").glob("*.safetensors")
    model = LocalModel(weights)
    assert model.preset.noise.loose == pytest.approx(PRESETS["local"].noise.loose - 0.1)
    seen = TrainingManifest.load(weights.with_name(f"{weights.stem}.manifest.json"))
    assert seen.captions == 32
    curve = curve_points(weights.with_name(f"{weights.stem}.curve.csv"))
    assert [pictures for pictures, _, _ in curve] == [32, 64]
    assert all(0 < loss < 1 for _, _, loss in curve)
    assert not any(seen.count(*pair) for pair in held_out_pairs())


def test_a_training_of_local_with_a_seed_has_a_name():
    assert training_seed("local-seed7") == ("local", 7)
    assert training_seed("local-atomic-seed2") == ("local-atomic", 2)
    assert training_seed("local-atomic") == ("local-atomic", None)
