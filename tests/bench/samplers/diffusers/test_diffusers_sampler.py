"""Memory that runs out, pictures that say nothing, and what stands in the record of a run."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import transformers
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker

from bench.cli import main as cli
from bench.errors import UsageError
from bench.judge.validity import examined
from bench.samplers.diffusers.sampler import DiffusersSampler, as_uint8, bytes_of, gives_tensors
from prompts import build_grid
from tests.bench.samplers.families import saved, sd1

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SAMPLES = build_grid("quick").samples()[:7]


def sampler(path=None, **options):
    return DiffusersSampler(str(path or saved("sd1")), steps=2, device="cpu", **options)


def fail_above(made, most):
    """Let the U-Net run out of memory with more than ``most`` images, guidance counted."""

    def check(_, given):
        if given[0].shape[0] > 2 * most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    made.pipeline.unet.register_forward_pre_hook(check)


def test_out_of_memory_halves_and_changes_no_picture(capfd):
    made = sampler(batch_size=6)
    fail_above(made, 2)
    images = list(made.sample(SAMPLES))
    assert [one.sample for one in images] == list(SAMPLES)
    assert made.batch.size == 1
    err = capfd.readouterr().err
    assert "out of memory with 6 images a batch; going on with 3" in err
    for one, other in zip(images, sampler(batch_size=1).sample(SAMPLES), strict=True):
        assert np.abs(one.image.astype(int) - other.image).max() <= 2


@pytest.mark.parametrize("device", DEVICES)
def test_prompts_that_are_encoded_ahead_change_no_picture(device, monkeypatch):
    plain = DiffusersSampler(str(saved("sd1")), steps=2, device=device, batch_size=3)
    plain.beside = None
    expected = [one.image for one in plain.sample(SAMPLES)]
    made = DiffusersSampler(str(saved("sd1")), steps=2, device=device, batch_size=3)
    if device == "cpu":
        made.beside = "as on a GPU"
        monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    seen, ahead = [], made.text.ahead

    def counted(prompts, stream):
        before = made.text.encoded
        ahead(prompts, stream)
        seen.append(made.text.encoded - before)

    monkeypatch.setattr(made.text, "ahead", counted)
    for one, image in zip(made.sample(SAMPLES), expected, strict=True):
        assert np.array_equal(one.image, image)
    assert seen == [3, 1]
    assert made.text.encoded == plain.text.encoded == 7


def test_one_image_too_many_names_the_remedies():
    made = sampler(batch_size=2)
    fail_above(made, 0)
    with pytest.raises(UsageError, match=r"not enough memory for one image.*--offload model"):
        list(made.sample(SAMPLES))


def test_other_errors_are_not_taken_for_it():
    made = sampler(batch_size=4)

    def broken(*_):
        raise RuntimeError("device-side assert")

    made.pipeline.unet.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="device-side assert"):
        list(made.sample(SAMPLES))
    assert made.batch.size == 4


@pytest.fixture(scope="module")
def careful(tmp_path_factory):
    """A pipeline whose safety checker, a real one, finds fault with everything."""
    config = transformers.CLIPConfig(
        text_config={"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "vocab_size": 8},
        vision_config={"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
                       "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )  # fmt: skip
    checker = StableDiffusionSafetyChecker(config).eval()
    torch.nn.init.constant_(checker.concept_embeds_weights, -2.0)
    folder = tmp_path_factory.mktemp("careful") / "careful"
    torch.manual_seed(0)
    sd1(checker).save_pretrained(folder, safe_serialization=True)
    return folder


def test_what_a_safety_checker_blanked_is_invalid(careful):
    images = list(sampler(careful).sample(SAMPLES[:2]))
    assert {one.invalid for one in images} == {"safety filter"}
    assert {examined(one).invalid for one in images} == {"safety filter"}
    assert not any(one.image.any() for one in images)


def test_pictures_that_are_not_finite_are_invalid():
    made = sampler()
    torch.nn.init.constant_(made.pipeline.vae.decoder.conv_out.weight, float("nan"))
    (one,) = made.sample(SAMPLES[:1])
    assert one.invalid == "not finite (NaN)"


def test_pictures_of_any_kind_become_uint8():
    floats = np.array([[[0.0, 0.5, 1.0], [-1.0, 2.0, np.nan]]], dtype=np.float32)
    assert as_uint8(floats).tolist() == [[[0, 128, 255], [0, 255, 0]]]
    levels = np.arange(256, dtype=np.float32).repeat(3).reshape(16, 16, 3) / 255
    assert as_uint8(levels)[..., 0].ravel().tolist() == list(range(256))


def test_tensors_become_the_same_bytes():
    whole = torch.rand(3, 3, 5, 7)
    whole[0, 0, 0, :3] = torch.tensor([float("nan"), float("inf"), -2.0])
    whole[1] = whole[1].bfloat16().float()
    pictures, finite = bytes_of(whole)
    expected = [as_uint8(image) for image in whole.permute(0, 2, 3, 1).numpy()]
    assert finite == [False, True, True]
    assert all(np.array_equal(*both) for both in zip(pictures, expected, strict=True))
    assert pictures[0].flags.c_contiguous


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_pipeline_hands_over_what_it_would_as_arrays(family, monkeypatch):
    made = sampler(saved(family))
    assert gives_tensors(made.pipeline)
    tensors = [one.image for one in made.sample(SAMPLES[:2])]
    monkeypatch.setattr("bench.samplers.diffusers.sampler.gives_tensors", lambda pipeline: False)
    arrays = [one.image for one in made.sample(SAMPLES[:2])]
    assert all(np.array_equal(*both) for both in zip(tensors, arrays, strict=True))


def test_the_record_tells_everything_and_no_path():
    record = sampler(guidance_scale=3.0, extra=["guidance_rescale=0.5"]).info.fingerprint
    assert record.name == "tiny-sd1"
    assert len(record.weights) == 64
    options = record.options
    assert options["pipeline"] == "StableDiffusionPipeline"
    assert options["scheduler"] == "PNDMScheduler"
    assert options["scheduler_config"]["num_train_timesteps"] == 1000
    assert options["arguments"]["num_inference_steps"] == 2
    assert options["arguments"]["guidance_scale"] == 3.0
    assert options["arguments"]["guidance_rescale"] == 0.5
    assert options["arguments"]["eta"] == 0.0
    assert options["dtype"] == "float32"
    assert options["components"]["unet"] == "UNet2DConditionModel"
    assert {"torch", "diffusers", "transformers"} <= set(record.versions)
    assert str(saved("sd1").parent) not in json.dumps(dict(options))


def test_run_from_a_path_and_resume(tmp_path, monkeypatch, capsys):
    """The command: run, resume with another batch size, refuse other options; no secret kept."""
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    arguments = ["run", "--model", str(saved("sdxl")), "--preset", "quick", "--steps", "2"]
    arguments += ["--out", str(tmp_path), "--name", "tiny", "--scorer", "segmentation"]
    arguments += ["--device", "cpu", "--json"]
    first = cli.run([*arguments, "--limit", "3"])
    assert first == 0, capsys.readouterr().err
    record = (tmp_path / "tiny" / "run.json").read_text()
    assert "hf_secret" not in record
    assert json.loads(record)["sampler"]["name"] == "tiny-sdxl"
    assert cli.run([*arguments, "--limit", "5", "--batch-size", "2"]) == 0
    assert "2 images made" in capsys.readouterr().err
    assert cli.run([*arguments, "--limit", "5", "--scheduler", "DDIM"]) == 3
    assert "scheduler 'EulerDiscreteScheduler', not 'DDIMScheduler'" in capsys.readouterr().err


def test_options_of_pipelines_are_not_for_the_bundled_model(tmp_path, capsys):
    arguments = ["run", "--model", "local", "--out", str(tmp_path), "--lora", "x.safetensors"]
    assert cli.run(arguments) == 2
    assert "'local' has no option 'lora'" in capsys.readouterr().err
