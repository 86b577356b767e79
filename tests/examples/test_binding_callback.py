"""The example callback in a real training loop of the bundled pipeline: one that goes wrong."""

import importlib.util
import sys

import pytest
import torch

from reference_models.export import export
from reference_models.weights import FOLDER
from tests.bundled import ROOT


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location(
        "binding_callback", ROOT / "examples/binding_callback.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["binding_callback"] = module
    spec.loader.exec_module(module)
    return module


def test_training_that_forgets_is_seen(example, tmp_path):
    pipeline = export(tmp_path / "pipeline", FOLDER / "local-clean.safetensors")
    pipeline.network.float()
    pipeline.upsampler.float()
    logged = {}
    callback = example.BindingCallback(
        2, lambda numbers, step: logged.__setitem__(step, numbers), batch_size=32
    )
    callback.samples = callback.samples[:16]
    network = pipeline.network.train().requires_grad_(True)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(3):
        callback(step, pipeline)
        # The objective of nobody: weights towards zero.
        loss = sum(weight.square().sum() for weight in network.parameters())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert sorted(logged) == [0, 2]
    assert set(logged[0]) == {f"binding/{name}" for name in example.LOGGED}
    assert logged[0]["binding/binding_score"] > 0.7
    assert logged[2]["binding/binding_score"] < logged[0]["binding/binding_score"] - 0.2


def test_same_weights_are_scored_the_same(example, tmp_path):
    pipeline = export(tmp_path / "pipeline", FOLDER / "local-clean.safetensors")
    callback = example.BindingCallback(1, lambda numbers, step: None)
    callback.samples = callback.samples[:6]
    assert callback(0, pipeline) == callback(1, pipeline)
    assert example.BindingCallback(5, print)(3, pipeline) is None
