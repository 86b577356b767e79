"""Adapters: one or several, with weights."""

import shutil

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from bench.cli.main import run as bench
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


def kohya(path, blocks):
    """A file in the form of kohya's sd-scripts, with layers of some down blocks."""
    tensors = {}
    for block in blocks:
        for layer in ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0"):
            width = 16
            key = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_{layer}"
            tensors[f"{key}.lora_down.weight"] = torch.full((2, width), 0.5)
            tensors[f"{key}.lora_up.weight"] = torch.full((width, 2), 0.5)
            tensors[f"{key}.alpha"] = torch.tensor(2.0)
    save_file(tensors, path)
    return path


def test_layers_that_find_no_place_are_counted(tmp_path):
    whole, record = picture(str(kohya(tmp_path / "whole.safetensors", [1])))
    half, said = picture(str(kohya(tmp_path / "half.safetensors", [1, 7])))
    assert np.array_equal(whole, half)
    assert (record[0]["layers"], record[0]["dropped"]) == (4, 0)
    assert (said[0]["layers"], said[0]["dropped"]) == (8, 4)


def test_an_adapter_of_which_nothing_fits_is_refused(tmp_path):
    path = kohya(tmp_path / "other.safetensors", [7, 8])
    with pytest.raises(UsageError, match="none of its 8 layers has a place in this Stable"):
        picture(str(path))


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("hada_w1_a", "LoHa"),
        ("lokr_w1", "LoKr"),
        ("oft_blocks", "OFT"),
        ("dora_scale", "DoRA in the form of LyCORIS"),
        ("lora_mid.weight", "LoCon with Tucker decomposition"),
        ("diff", "differences of whole weights"),
    ],
)
def test_other_kinds_are_refused_by_name(key, kind, tmp_path):
    path = kohya(tmp_path / "a.safetensors", [1])
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    save_file({**load_file(path), f"{layer}.{key}": torch.zeros(2, 2)}, path)
    with pytest.raises(UsageError, match=f"holds {kind}, which diffusers does not apply"):
        picture(str(path))


def test_a_file_of_something_else_is_refused(tmp_path):
    save_file({"unet.weight": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="no layer of a LoRA that is known"):
        picture(str(tmp_path / "a.safetensors"))


@pytest.mark.parametrize("alpha", [2, 4])
def test_what_peft_wrote_is_what_diffusers_wrote(alpha, tmp_path):
    """A training with peft alone, saved by ``unet.save_pretrained``: the scale is beside it."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(saved("sd1"))
    config = LoraConfig(
        r=2, lora_alpha=alpha, init_lora_weights=False, target_modules=["to_q", "to_v"]
    )
    torch.manual_seed(1)
    tuned = get_peft_model(pipeline.unet, config)
    tuned.save_pretrained(tmp_path / "peft")
    pipeline.set_progress_bar_config(disable=True)
    generator = [torch.Generator("cpu").manual_seed(SAMPLE[0].seed)]
    with torch.inference_mode():
        wanted = pipeline(
            [SAMPLE[0].cell.text], generator=generator, num_inference_steps=2, output_type="np"
        ).images[0]
    made, record = picture(str(tmp_path / "peft"))
    assert np.abs(made - wanted * 255).max() <= 2
    assert (record[0]["layers"], record[0]["dropped"]) == (16, 0)
    plain, _ = picture()
    assert np.abs(made - plain).max() > 2
    (tmp_path / "peft" / "adapter_config.json").unlink()
    with pytest.raises(UsageError, match=r"adapter_config.json beside it, which has the scale"):
        picture(str(tmp_path / "peft"))


def test_a_part_that_was_dropped_is_in_the_run_its_summary_and_the_gate(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    path = kohya(tmp_path / "half.safetensors", [1, 7])
    grid = tmp_path / "g.csv"
    tail = " and a white house" * 4
    grid.write_text(f'prompt\na red potato\n"a blue cup{tail}"\n')
    arguments = ["run", "--model", str(saved("sd1")), "--steps", "2", "--device", "cpu"]
    arguments += ["--scorer", "segmentation", "--segmenter", "tests.bench.shapes:ShapeSegmenter"]
    arguments += ["--colours", "red,blue", "--subjects", "potato", "--name", "r"]
    arguments += ["--templates", "single,control", "--lora", str(path)]
    assert bench(arguments) == 0
    said = "4 of 8 layers of the LoRA half.safetensors found no place in the model"
    assert said in " ".join(capsys.readouterr().out.split())
    assert bench(["baseline", "r", "--out", "b.json"]) == 0
    check = ["check", "r", "--baseline", "b.json", "--allow", "control"]
    assert bench(check) == 0
    printed = capsys.readouterr()
    assert said in " ".join((printed.out + printed.err).split())
    assert bench([*check, "--strict"]) == 3
    assert said in capsys.readouterr().err
