"""The bundled model through the general path: the same pictures, to the bit."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from bench.errors import UsageError
from bench.samplers.diffusers.sampler import DiffusersSampler
from bench.samplers.local import LocalSampler
from prompts import build_grid
from reference_models import export as command
from reference_models.errors import ModelError
from reference_models.pipeline import LocalPipeline
from reference_models.weights import FOLDER

SAMPLES = build_grid("quick").samples()[:40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "local"
    result = CliRunner().invoke(command.main, [str(folder)])
    assert result.exit_code == 0, result.output
    assert result.output.strip() == str(folder)
    return folder


@pytest.fixture(scope="module")
def sampler(folder):
    return DiffusersSampler(str(folder), device="cpu", dtype="float32")


def test_the_same_pictures_to_the_bit(sampler):
    """More than a chunk of them, so that a full one and a padded one are compared."""
    own = LocalSampler(device="cpu", dtype="float32").sample(SAMPLES)
    for one, other in zip(sampler.sample(SAMPLES), own, strict=True):
        assert one.sample == other.sample
        assert np.array_equal(one.image, other.image)


def test_the_batch_size_changes_no_bit(folder, sampler):
    few = SAMPLES[:5]
    small = DiffusersSampler(str(folder), device="cpu", dtype="float32", batch_size=2)
    for one, other in zip(small.sample(few), sampler.sample(few), strict=True):
        assert np.array_equal(one.image, other.image)


def test_options_of_the_general_path(folder):
    made = DiffusersSampler(str(folder), steps=2, device="cpu", dtype="float32")
    own = LocalSampler(steps=2, device="cpu", dtype="float32")
    (one,), (other,) = made.sample(SAMPLES[:1]), own.sample(SAMPLES[:1])
    assert np.array_equal(one.image, other.image)
    with pytest.raises(UsageError, match="has no argument width"):
        DiffusersSampler(str(folder), size="64", device="cpu")


def test_a_model_that_is_guided_when_sampled(tmp_path):
    folder = tmp_path / "teacher"
    result = CliRunner().invoke(command.main, [str(folder), "--name", "local-teacher"])
    assert result.exit_code == 0, result.output
    few = SAMPLES[:2]
    for options in ({"steps": 2}, {"steps": 2, "guidance_scale": 2.0}):
        made = DiffusersSampler(str(folder), device="cpu", dtype="float32", **options)
        own = LocalSampler("local-teacher", device="cpu", dtype="float32", **options)
        for one, other in zip(made.sample(few), own.sample(few), strict=True):
            assert np.array_equal(one.image, other.image)


def test_a_model_that_is_not_there(tmp_path):
    result = CliRunner().invoke(command.main, [str(tmp_path / "x"), "--name", "local-none"])
    assert result.exit_code != 0
    assert "local-none is not bundled" in result.output


def test_the_folder_holds_no_code_and_names_installed_classes(folder):
    index = json.loads((folder / "model_index.json").read_text())
    assert index["_class_name"] == ["reference_models.pipeline", "LocalPipeline"]
    assert index["network"] == ["reference_models.pipeline", "LocalNetwork"]
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert kinds == {".json", ".safetensors"}


def test_cells_are_tagged_by_the_captions_of_its_training(sampler):
    own = LocalSampler(device="cpu").info.training
    assert sampler.info.training.to_json() == own.to_json()


def test_half_the_precision_is_the_precision_of_the_weights(folder):
    pipeline = LocalPipeline.from_pretrained(folder).to(torch.bfloat16)
    assert pipeline.model.dtype == torch.bfloat16


def test_from_python_as_any_pipeline(folder):
    pipeline = LocalPipeline.from_pretrained(folder)
    (image,) = pipeline("a red car", generator=torch.Generator().manual_seed(3)).images
    (again,) = pipeline(
        ["a red car"], generator=[torch.Generator().manual_seed(3)], output_type="np"
    ).images
    assert image.size == (64, 64)
    assert np.array_equal(np.asarray(image), (again * 255).round().astype(np.uint8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": "a red zeppelin"}, "zeppelin"),
        ({"prompt": ["a car", "a hat"], "generator": [torch.Generator()]}, "1 generators for 2"),
        ({"prompt": "a car", "output_type": "jpeg"}, "expected pil or np"),
    ],
)
def test_what_it_refuses(folder, arguments, message):
    pipeline = LocalPipeline.from_pretrained(folder)
    with pytest.raises(ValueError, match=message):
        pipeline(**arguments)


def test_an_unknown_word_is_one_line(sampler):
    cell = type(SAMPLES[0].cell)("x", "a red zeppelin", (), "single", "x")
    with pytest.raises(UsageError, match="zeppelin"):
        next(sampler.sample([type(SAMPLES[0])(cell, 0)]))


def test_a_folder_with_something_in_it(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ModelError, match="is not empty"):
        command.export(tmp_path, FOLDER / "local.safetensors")


def test_a_model_that_was_loaded_is_saved_as_it_was(folder, tmp_path):
    """As a training script ends: read, changed, written, read again."""
    pipeline = LocalPipeline.from_pretrained(folder)
    pipeline.save_pretrained(tmp_path / "again")
    made = DiffusersSampler(str(tmp_path / "again"), device="cpu", dtype="float32")
    first = DiffusersSampler(str(folder), device="cpu", dtype="float32")
    assert made.info.training == first.info.training
    assert made.info.training is not None
    (picture,), (other,) = made.sample(SAMPLES[:1]), first.sample(SAMPLES[:1])
    assert np.array_equal(picture.image, other.image)


def test_the_small_stable_diffusion_is_exported_too(tmp_path):
    result = CliRunner().invoke(command.main, [str(tmp_path / "sd"), "--name", "local-sd"])
    assert result.exit_code == 0, result.output
    made = DiffusersSampler(str(tmp_path / "sd"), steps=1, device="cpu")
    assert next(iter(made.sample(SAMPLES[:1]))).image.shape == (64, 64, 3)
    again = CliRunner().invoke(command.main, [str(tmp_path / "sd"), "--name", "local-sd"])
    assert "is not empty" in again.output
