"""Options as text, checked against what a pipeline has."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.samplers.diffusers.options import Lora, parse_extra, parse_lora, parse_size
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from tests.bench.samplers.families import saved

SAMPLES = build_grid("quick").samples()[:2]


def sampler(family="sd1", **options):
    return DiffusersSampler(str(saved(family)), device="cpu", **({"steps": 2} | options))


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_sizes(width, height):
    assert parse_size(f"{width}x{height}") == (width, height)
    assert parse_size(f"{width}") == (width, width)


@pytest.mark.parametrize("text", ["", "x", "0", "64x", "x64", "64x64x3", "-64", "6 4", "64.", "٦٤"])
def test_no_sizes(text):
    with pytest.raises(UsageError, match="expected N or WxH"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "lora"),
    [
        ("a.safetensors", Lora("a.safetensors", 1.0)),
        ("a.safetensors:0.5", Lora("a.safetensors", 0.5)),
        ("C:\\a.safetensors", Lora("C:\\a.safetensors", 1.0)),
        ("a:b:-1", Lora("a:b", -1.0)),
    ],
)
def test_loras(text, lora):
    assert parse_lora(text) == lora


@pytest.mark.parametrize("text", ["", ":1", "a:nan"])
def test_no_loras(text):
    with pytest.raises(UsageError, match="expected PATH or PATH:WEIGHT"):
        parse_lora(text)


def test_extra_values_are_json_or_text():
    assert parse_extra(["a=1", "b=[1, 2.5]", "c=null", "d=true", "e=a b=c", 'f="1"', "g="]) == {
        "a": 1,
        "b": [1, 2.5],
        "c": None,
        "d": True,
        "e": "a b=c",
        "f": "1",
        "g": "",
    }


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["a"], "expected key=value"),
        (["=1"], "expected key=value"),
        (["a=1", "a=2"], "given twice"),
        (["guidance_scale=3"], "use --guidance-scale instead"),
        (["height=64"], "use --size instead"),
        (["generator=1"], "bench sets generator itself"),
        (["num_images_per_prompt=4"], "bench sets num_images_per_prompt itself"),
    ],
)
def test_no_extras(pairs, message):
    with pytest.raises(UsageError, match=message):
        parse_extra(pairs)


def test_an_unknown_argument_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'guidance_rescale'"):
        sampler(extra=["guidance_rescal=0.5"])


def test_what_a_pipeline_does_not_have():
    with pytest.raises(UsageError, match=r"true_cfg_scale is above 1.*--extra true_cfg_scale=4"):
        sampler("flux", negative_prompt="blue")
    sampler("flux", negative_prompt="blue", extra=["true_cfg_scale=4"])


@pytest.mark.parametrize("name", ["DDIM", "DDIMScheduler"])
def test_a_scheduler_by_name(name):
    made = sampler(scheduler=name)
    assert type(made.pipeline.scheduler).__name__ == "DDIMScheduler"
    assert made.info.fingerprint.options["scheduler"] == "DDIMScheduler"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("EulerDiscret", "did you mean 'EulerDiscreteScheduler'"),
        ("FlowMatchEulerDiscrete", "does not fit StableDiffusionPipeline"),
    ],
)
def test_schedulers_that_do_not_do(name, message):
    with pytest.raises(UsageError, match=message):
        sampler(scheduler=name)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"dtype": "float64"}, "--dtype 'float64' is unknown; known: float32"),
        ({"offload": "disk"}, "--offload 'disk' is unknown; known: model, sequential"),
        ({"offload": "model"}, "needs a GPU"),
        ({"size": "31"}, "divisible by 8"),
        ({"lora": ["nowhere.safetensors"]}, "no file 'nowhere.safetensors'"),
        ({"lora": ["weights.bin"]}, "pickle can run any code"),
    ],
)
def test_options_that_do_not_do(option, message):
    with pytest.raises(UsageError, match=message):
        list(sampler(**option).sample(SAMPLES))


def test_the_size_is_that_of_the_image():
    (image,) = [one.image for one in sampler(size="48x32").sample(SAMPLES[:1])]
    assert image.shape == (32, 48, 3)


def test_options_change_the_picture():
    def picture(**options):
        return next(iter(sampler(**options).sample(SAMPLES[:1]))).image.astype(int)

    plain = picture()
    for options in (
        {"guidance_scale": 1.5},
        {"negative_prompt": "a red car"},
        {"scheduler": "EulerDiscrete"},
        {"extra": ["guidance_rescale=0.7"]},
        {"steps": 3},
    ):
        assert abs(picture(**options) - plain).max() > 0, options


def test_slicing_and_tiling_do_not():
    plain = next(iter(sampler().sample(SAMPLES[:1]))).image.astype(int)
    sliced = sampler(attention_slicing=True, vae_tiling=True)
    assert sliced.pipeline.vae.use_tiling
    assert abs(next(iter(sliced.sample(SAMPLES[:1]))).image - plain).max() <= 1


def test_half_precision_reaches_every_model():
    made = sampler(dtype="bfloat16")
    parts = (made.pipeline.unet, made.pipeline.vae, made.pipeline.text_encoder)
    assert {part.dtype for part in parts} == {torch.bfloat16}
    assert next(iter(made.sample(SAMPLES[:1]))).image.std() > 5


def test_compiling_marks_the_denoiser_and_pads_the_last_batch(monkeypatch):
    made = sampler(compile=True, batch_size=4)
    assert made.pipeline.unet._compiled_call_impl is not None
    assert made.pipeline.vae._compiled_call_impl is None
    # Not compiled in a test, which would take minutes: what counts is the shape.
    made.pipeline.unet._compiled_call_impl = None
    shapes = []
    made.pipeline.unet.register_forward_pre_hook(lambda _, given: shapes.append(given[0].shape[0]))
    images = list(made.sample(SAMPLES))
    assert len(images) == 2
    assert set(shapes) == {8}
    alone = sampler(batch_size=1).sample(SAMPLES)
    assert all(
        abs(a.image.astype(int) - b.image).max() <= 2 for a, b in zip(images, alone, strict=True)
    )
