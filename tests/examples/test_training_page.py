"""The page on training loops: its snippets, in their order, are one script that runs."""

import re
import shutil
import sys
import warnings

import numpy as np
import pytest
import torch

from reference_models.export import export
from reference_models.weights import FOLDER
from tests.bench.samplers.families import saved
from tests.bundled import ROOT


@pytest.fixture
def _accelerate_alone():
    from accelerate.state import AcceleratorState, GradientState

    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@pytest.mark.usefixtures("_accelerate_alone")
def test_the_snippets_run(tmp_path, monkeypatch, capsys):
    from diffusers import StableDiffusionPipeline

    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(snippets) == 8
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    shutil.copy(ROOT / "examples/binding_callback.py", tmp_path)
    monkeypatch.delitem(sys.modules, "binding_callback", raising=False)
    pipeline = export(tmp_path / "pipeline", FOLDER / "local-clean.safetensors")
    pipeline.network.float().train()
    pipeline.upsampler.float()
    generator = [torch.Generator().manual_seed(3)]
    given = {
        "images": pipeline(["a blue potato"], generator=generator).images,
        "prompts": ["a blue potato"],
        "pipeline": pipeline,
        "stable_diffusion": StableDiffusionPipeline.from_pretrained(saved("sd1")),
        "trackers": ["tensorboard"],
        "training_loss": lambda network: (
            1e-6 * sum(weight.square().sum() for weight in network.parameters())
        ),
    }
    for snippet in snippets:
        # A second for each scoring; the page gives it what a training has.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(re.sub(r"seconds=\d+", "seconds=1", snippet), given)
        if "images" in given and "training_loss" in snippet:
            assert pipeline.network.training
    assert given["found"]["images"] == 1
    assert given["whole"]["images"] == 1
    assert given["callback"].pictures
    assert all(": " in words for _, words in given["callback"].pictures)
    assert np.isfinite(given["callback_of_lora"].metric.compute()["unscored"])
    assert (tmp_path / "checkpoint-500/pytorch_lora_weights.safetensors").is_file()
    assert list((tmp_path / "logs").rglob("*tfevents*"))
