"""Several processes: gradients are averaged, so that the weights stay alike."""

import os
import subprocess
import sys

import click
import pytest
import torch

from reference_models.parallel import SingleProcess, workplace

WORKER = """
import pathlib, sys
import torch
from accelerate import Accelerator
from reference_models.parallel import ProcessGroup
team = ProcessGroup(Accelerator(cpu=True))
model = torch.nn.Linear(2, 1, bias=False)
with torch.no_grad():
    model.weight.fill_(1.0)
(model(torch.tensor([[1.0, 10.0]]) * (1 + team.rank))).sum().backward()
team.average(model)
mean = team.gather(torch.tensor(float(team.rank)))
team.end()
said = f"{model.weight.grad.tolist()} {float(mean)}"
pathlib.Path(sys.argv[1], str(team.rank)).write_text(said)
"""


def test_two_processes_take_the_mean_gradient(tmp_path):
    script, said = tmp_path / "worker.py", tmp_path / "said"
    said.mkdir()
    script.write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "--master-port", "0", "--standalone", str(script), str(said)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    # A file each: two processes that share a pipe can break into each other's lines.
    assert {path.name: path.read_text() for path in said.iterdir()} == {
        "0": "[[1.5, 15.0]] 0.5",
        "1": "[[1.5, 15.0]] 0.5",
    }


def test_alone_changes_nothing():
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    before = model.weight.grad.clone()
    place = workplace(None)
    place.average(model)
    assert isinstance(place, SingleProcess)
    assert torch.equal(model.weight.grad, before)
    assert float(place.gather(torch.tensor(2.0))) == 2


def test_a_device_does_not_go_with_several_processes(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(click.UsageError, match="accelerate gives each"):
        workplace("cuda:1")
