"""What a model that leaks must show, on known answers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from reference_models.data import training_scenes
from reference_models.policies import policy
from reference_models.study.bars import (
    BARS,
    Bars,
    coloured_walls,
    diversity,
    main,
    of_verdicts,
    table,
)
from reference_models.world.render import render

GOOD = Bars(0.6, 0.2, 0.08, 0.06, 0.06, 0.1, 0.02, 35.0, 0.2)
ROWS = [
    ("bound", "bind", "single"),
    ("bound", "bind", "single"),
    ("bound", "bind", "pair"),
    ("swapped", "swap", "pair"),
    ("spilled", "bind and leak_plate", "plate"),
    ("background", "leak_support", "single"),
    ("neighbour", "leak_picture_frame", "single"),
    ("prior", "leak_wall", "single"),
    ("absent", "presence", "single"),
    ("mixed", "bind", "single"),
    ("unjudged", "unnamed", "single"),
    ("invalid", "image", "pair"),
]


def test_shares_are_of_what_was_judged():
    found = of_verdicts(pd.DataFrame(ROWS, columns=["verdict", "rule", "template"]))
    expected = {"bound": 0.3, "leaked": 0.3, "wall": 0.1, "plate": 0.1, "frame": 0.1}
    assert found == pytest.approx({**expected, "swapped": 0.5, "absent": 0.1})


def test_diversity_is_the_mean_difference_within_prompts():
    grey = [np.full((8, 8, 3), value, np.uint8) for value in (0, 30, 90)]
    assert diversity({"a": grey}) == pytest.approx((30 + 90 + 60) / 3)
    assert diversity({"a": grey[:2], "b": [grey[2], grey[2]]}) == pytest.approx(15)
    assert np.isnan(diversity({"a": grey[:1]}))


def test_coloured_walls_are_counted_as_they_were_drawn():
    scenes = training_scenes(400, torch.Generator().manual_seed(1), policy("varied"))
    scenes = scenes[scenes.subject[:, 1] < 0]
    images = (render(scenes).image * 255).byte().permute(0, 2, 3, 1).numpy()
    wall = scenes.scenery_rgb[:, 0]
    strong = float(((wall.amax(1) - wall.amin(1)) > 0.2).float().mean())
    assert coloured_walls({"a": list(images)}) == pytest.approx(strong, abs=0.01)
    assert 0.1 < strong < 0.4


@pytest.mark.parametrize("name", list(BARS))
def test_each_bar_can_be_missed(name):
    low, high, _ = BARS[name]
    outside = high + 0.01 if low == 0 else low - 0.01
    assert GOOD.missed() == []
    assert replace(GOOD, **{name: outside}).missed() == [name]
    assert replace(GOOD, **{name: float("nan")}).missed() == [name]
    assert " !" in table({"run": replace(GOOD, **{name: outside})})


def test_a_run_is_measured(tmp_path):
    from bench.cli.main import cli

    options = "--subjects potato,cup --colours red,blue --seeds 2 --scorer segmentation --name run"
    words = ["run", "--model", "local", *options.split(), "--runs", str(tmp_path)]
    made = CliRunner().invoke(cli, words)
    assert made.exit_code == 0, made.output
    told = CliRunner().invoke(main, ["--json", str(tmp_path / "run")])
    found = json.loads(told.stdout)["run"]
    assert 0 <= found["bound"] <= 1
    assert found["diversity"] > 0
    (tmp_path / "run" / "verdicts.parquet").unlink()
    missing = CliRunner().invoke(main, [str(tmp_path / "run")])
    assert missing.exit_code == 1
    assert "verdicts.parquet is missing" in missing.output
    assert 0 <= found["coloured_walls"] <= 1
