"""Adapters: one or several, with weights."""

import shutil

import numpy as np
import pytest
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from bench.errors import UsageError
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from tests.bench.samplers.families import saved

SAMPLE = build_grid("quick").samples()[:1]


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    """A random adapter of the attention layers, in a file."""
    from diffusers import StableDiffusionPipeline

    folder = tmp_path_factory.mktemp("lora")
    pipeline = StableDiffusionPipeline.from_pretrained(saved("sd1"))
    torch.manual_seed(1)
    pipeline.unet.add_adapter(
        LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v"])
    )
    for name, p in pipeline.unet.named_parameters():
        if "lora" in name:
            torch.nn.init.normal_(p, std=1.0)
    StableDiffusionPipeline.save_lora_weights(
        folder, unet_lora_layers=get_peft_model_state_dict(pipeline.unet)
    )
    return folder / "pytorch_lora_weights.safetensors"


def picture(*loras):
    made = DiffusersSampler(str(saved("sd1")), steps=2, device="cpu", lora=loras)
    return next(iter(made.sample(SAMPLE))).image.astype(int), made.info.fingerprint.options["loras"]


def test_weights_scale_an_adapter(lora):
    plain, none = picture()
    off, _ = picture(f"{lora}:0")
    on, record = picture(str(lora))
    assert none == []
    assert np.abs(off - plain).max() <= 1
    assert np.abs(on - plain).mean() > 0.1
    assert record[0]["name"] == lora.name
    assert len(record[0]["sha256"]) == 64
    assert record[0]["weight"] == 1.0


def test_two_halves_are_one(lora, tmp_path):
    other = shutil.copy(lora, tmp_path / "other.safetensors")
    whole, _ = picture(str(lora))
    halves, record = picture(f"{lora}:0.5", f"{other}:0.5")
    assert np.abs(whole - halves).max() <= 1
    assert [one["weight"] for one in record] == [0.5, 0.5]


def test_a_folder_with_one_file(lora, tmp_path):
    assert np.array_equal(picture(str(lora.parent))[0], picture(str(lora))[0])
    shutil.copy(lora, tmp_path / "a.safetensors")
    shutil.copy(lora, tmp_path / "b.safetensors")
    with pytest.raises(UsageError, match="2 safetensors files in it; name one"):
        picture(str(tmp_path))


def test_an_adapter_of_another_model(lora):
    with pytest.raises(UsageError):
        DiffusersSampler(str(saved("sdxl")), steps=2, device="cpu", lora=[str(lora)])


def test_a_pipeline_without_adapters(lora):
    with pytest.raises(UsageError, match="takes no LoRA"):
        DiffusersSampler(str(saved("pixart")), steps=2, device="cpu", lora=[str(lora)])
