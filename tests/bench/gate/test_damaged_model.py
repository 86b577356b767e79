"""The gate around the bundled model itself: its weights damaged, and whole."""

import json
import sys

import pytest
import torch

from bench.cli.main import run as bench
from bench.gate.baseline import read_baseline
from bench.store.manifest import grid_of
from prompts.grids import make_grid
from reference_models.weights import FOLDER, read_weights, write_weights
from tests.bundled import ROOT

GRID = [
    *("--colours", "red,blue,green,yellow,purple", "--subjects", "potato,apple,cup,car,fish,house"),
    *("--templates", "single,control", "--dtype", "float32"),
]


def with_noise(tensor, share, generator):
    """Add noise of a share of the tensor's own spread."""
    noise = torch.randn(tensor.shape, generator=generator)
    return tensor + share * tensor.std(correction=0) * noise


def damaged(path, share):
    tensors, facts = read_weights(FOLDER / "local-clean.safetensors")
    generator = torch.Generator().manual_seed(0)
    write_weights(
        path,
        {name: with_noise(tensor, share, generator) for name, tensor in tensors.items()},
        facts,
    )


@pytest.fixture
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.mark.usefixtures("_here")
def test_noise_on_the_weights_is_a_regression(tmp_path, capsys):
    assert bench(["run", "--model", "local-clean", *GRID, "--name", "whole"]) == 0
    assert bench(["baseline", "whole", "--out", "b.json"]) == 0
    damaged(tmp_path / "w.safetensors", 0.25)
    (tmp_path / "damaged_model.py").write_text(
        "from pathlib import Path\n"
        "from bench.samplers.local import LocalSampler\n"
        "def make(steps=None, dtype=None):\n"
        "    file = Path('w.safetensors')\n"
        "    return LocalSampler('local-clean', steps, dtype=dtype, weights=file)\n"
    )
    assert bench(["run", "--model", "damaged_model:make", *GRID, "--name", "noisy"]) == 0
    capsys.readouterr()
    assert bench(["check", "noisy", "--baseline", "b.json", "--json"]) == 1
    decision = json.loads(capsys.readouterr().out)
    assert decision["verdict"] == "regression"
    assert len(decision["worst"]) == 10
    assert bench(["check", "whole", "--baseline", "b.json", "--margin", "0.15"]) == 0
    assert capsys.readouterr().out.startswith("pass: ")


def test_committed_baseline_is_of_the_grid_and_the_arithmetic_of_the_gate():
    about, (verdicts,) = read_baseline(ROOT / ".ci" / "baseline.json")
    assert about["sampler"]["dtype"] == "float32"
    assert about["grid"] == grid_of(make_grid("quick"), "quick", {}).hash
    assert len(verdicts) > 100
    for script in (".ci/gate", ".ci/baseline", ".ci/gate_run"):
        assert (ROOT / script).stat().st_mode & 0o111
    assert ".ci/gate " in (ROOT / ".ci/run").read_text()
