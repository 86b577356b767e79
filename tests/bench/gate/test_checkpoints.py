"""Two checkpoints of one model are compared, however they were saved; two models are not."""

import json
import shutil
import textwrap

import pytest
import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from bench.cli.main import run as bench
from bench.gate.baseline import read_baseline
from tests.bench.samplers.families import saved
from tests.bundled import ROOT

GRID = [
    *("--colours", "red,blue,green,yellow,purple", "--subjects", "potato,cup"),
    *("--templates", "single,control", "--scorer", "segmentation"),
    *("--segmenter", "tests.bench.shapes:ShapeSegmenter"),
]
ALLOW = ["--allow", "control"]  # Regions of discs find nothing in noise.
PIPELINE = ["--steps", "2", "--device", "cpu"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT))
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def base(here):
    return shutil.copytree(saved("sd1"), here / "base")


def sampled(name, *options):
    assert bench(["run", *options, *GRID, "--name", name]) == 0
    return name


def checked(name, *options):
    """Exit code of the gate, without a word of the images."""
    return bench(["check", name, "--baseline", "b.json", "--margin", "0.9", *ALLOW, *options])


def baseline(name):
    assert bench(["baseline", name, "--out", "b.json"]) == 0


def tuned(folder, out):
    """A full fine-tune, as a training script ends."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    with torch.no_grad():
        for value in pipeline.unet.parameters():
            value.add_(0.02 * torch.randn(value.shape, generator=torch.manual_seed(1)))
    pipeline.save_pretrained(out, safe_serialization=True)
    return out


def test_fine_tune_of_a_folder_is_compared_with_its_base(base, here, capsys):
    sampled("base", "--model", str(base), *PIPELINE)
    baseline("base")
    out = tuned(base, here / "tuned")
    index = (out / "unet" / "config.json").read_text()
    assert json.loads(index)["_name_or_path"]
    sampled("tuned", "--model", str(out), *PIPELINE)
    assert checked("tuned") == 0, capsys.readouterr().err


def test_what_another_version_wrote_is_the_same_model(base, here, capsys):
    sampled("base", "--model", str(base), *PIPELINE)
    baseline("base")
    for path in base.rglob("*.json"):
        told = json.loads(path.read_text())
        if "_diffusers_version" in told or "transformers_version" in told:
            more = {"_diffusers_version": "0.99.0", "_commit_hash": "abc", "torch_dtype": "float16"}
            path.write_text(json.dumps(told | more, indent=7))
    sampled("other", "--model", str(base), *PIPELINE)
    assert checked("other") == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "key", "value", "field"),
    [
        ("vae/config.json", "scaling_factor", 0.5, "sampler.configuration.vae.scaling_factor"),
        (
            "text_encoder/config.json",
            "layer_norm_eps",
            0.5,
            "sampler.configuration.text_encoder.layer_norm_eps",
        ),
        (
            "scheduler/scheduler_config.json",
            "beta_end",
            0.5,
            "sampler.scheduler_config.beta_end",
        ),
        (
            "tokenizer/tokenizer_config.json",
            "model_max_length",
            9,
            "sampler.configuration.tokenizer.model_max_length",
        ),
    ],
)
def test_another_model_is_refused_by_the_name_of_the_key(
    file, key, value, field, base, here, capsys
):
    sampled("base", "--model", str(base), *PIPELINE)
    baseline("base")
    path = base / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    sampled("other", "--model", str(base), *PIPELINE)
    capsys.readouterr()
    assert checked("other") == 3
    assert f"cannot compare: {field} was" in capsys.readouterr().err
    assert checked("other", "--allow", field) == 0


@pytest.fixture
def adapters(base, here):
    """Two checkpoints of one training of an adapter."""
    pipeline = StableDiffusionPipeline.from_pretrained(base)
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"]))
    state = get_peft_model_state_dict(pipeline.unet)
    StableDiffusionPipeline.save_lora_weights(here / "lora", unet_lora_layers=state)
    first = here / "style-000500.safetensors"
    shutil.move(here / "lora" / "pytorch_lora_weights.safetensors", first)
    second = here / "style-001000.safetensors"
    save_file({key: value + 0.1 for key, value in load_file(first).items()}, second)
    return first, second


def test_two_checkpoints_of_an_adapter_are_compared(base, adapters, capsys):
    first, second = adapters
    model = ["--model", str(base), *PIPELINE]
    sampled("first", *model, "--lora", str(first))
    baseline("first")
    sampled("second", *model, "--lora", str(second))
    assert checked("second") == 0, capsys.readouterr().err
    sampled("half", *model, "--lora", f"{second}:0.5")
    capsys.readouterr()
    assert checked("half") == 3
    assert "sampler.loras.scales was [1.0] in the baseline and is [0.5]" in capsys.readouterr().err
    sampled("none", *model)
    assert checked("none") == 3
    assert "sampler.loras.count was 1 in the baseline and is 0" in capsys.readouterr().err


OWN = """
    import torch
    from pathlib import Path

    def load():
        net = torch.nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            for value in net.parameters():
                value.fill_(float(Path("checkpoint.txt").read_text()))

        def draw(prompts, generators):
            noise = torch.stack([torch.rand(3, 32, 32, generator=g) for g in generators])
            return torch.sigmoid(net(noise))

        return draw
"""


def own(here, text=OWN, module="my_checkpoint"):
    import sys

    (here / f"{module}.py").write_text(textwrap.dedent(text))
    sys.modules.pop(module, None)
    return ["--model", f"{module}:load"]


def test_an_edited_module_is_the_same_model(here, capsys):
    (here / "checkpoint.txt").write_text("0.5")
    sampled("before", *own(here))
    baseline("before")
    sampled("after", *own(here, OWN + "\n    # A word.\n"))
    assert checked("after") == 0, capsys.readouterr().err


def test_another_checkpoint_is_another_model_though_no_line_of_code_differs(here, capsys):
    (here / "checkpoint.txt").write_text("0.5")
    sampled("own", *own(here))
    (here / "checkpoint.txt").write_text("0.25")
    assert bench(["run", *own(here), *GRID, "--name", "own"]) == 3
    assert "made with model weights" in capsys.readouterr().err


def test_another_kind_of_model_is_told_by_that(base, here, capsys):
    sampled("base", "--model", str(base), *PIPELINE)
    baseline("base")
    (here / "checkpoint.txt").write_text("0.5")
    sampled("own", *own(here))
    capsys.readouterr()
    assert checked("own") == 3
    said = capsys.readouterr().err
    assert "sampler.kind was 'diffusers pipeline' in the baseline and is 'callable' now" in said


def test_baseline_of_an_older_release_says_what_to_do(base, here, capsys):
    sampled("base", "--model", str(base), *PIPELINE)
    baseline("base")
    stored = json.loads((here / "b.json").read_text())
    stored["about"]["sampler"]["configuration"] = "458a" * 16
    (here / "b.json").write_text(json.dumps(stored))
    assert read_baseline(here / "b.json")
    capsys.readouterr()
    assert checked("base") == 3
    assert "write it again with `bench baseline`" in capsys.readouterr().err
