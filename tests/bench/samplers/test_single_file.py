"""One safetensors file in the original layout gives the pictures of its folder."""

import numpy as np
import pytest
from diffusers import StableDiffusionPipeline

from bench.errors import UsageError
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from tests.bench.samplers.families import saved
from tests.bench.samplers.original import write_single_file

SAMPLES = build_grid("quick").samples()[:2]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("single") / "original.safetensors"
    write_single_file(StableDiffusionPipeline.from_pretrained(saved("sd1")), path)
    return path


def test_the_file_with_its_configuration(file):
    folder = DiffusersSampler(str(saved("sd1")), steps=2, device="cpu")
    single = DiffusersSampler(str(file), steps=2, device="cpu", config=saved("sd1"))
    for one, other in zip(single.sample(SAMPLES), folder.sample(SAMPLES), strict=True):
        assert np.abs(one.image.astype(int) - other.image).max() <= 1
    assert single.info.fingerprint.name == "original.safetensors"
    assert len(single.info.fingerprint.weights) == 64
    assert single.info.fingerprint.options["configuration"]


def test_the_file_alone_asks_for_its_configuration(file):
    """Out of reach of the hub, where the usual configuration would be."""
    with pytest.raises(UsageError, match="--config DIR"):
        DiffusersSampler(str(file), device="cpu")


def test_a_configuration_goes_with_a_file():
    with pytest.raises(UsageError, match=r"--config goes with a single .safetensors file"):
        DiffusersSampler(str(saved("sd1")), config=saved("sd1"))


def test_a_configuration_that_is_none(file, tmp_path):
    with pytest.raises(UsageError, match=r"has no model_index.json"):
        DiffusersSampler(str(file), config=tmp_path)


def test_a_file_of_something_else(tmp_path):
    from safetensors.torch import save_file
    from torch import zeros

    path = tmp_path / "other.safetensors"
    save_file({"a": zeros(1)}, path)
    with pytest.raises(UsageError, match="does not hold a whole StableDiffusionPipeline"):
        DiffusersSampler(str(path), device="cpu", config=saved("sd1"))
