"""A hub id, from a cache that is laid out as the hub's client lays it out."""

import hashlib
import shutil

import huggingface_hub.constants
import numpy as np
import pytest

from bench.errors import UsageError
from bench.judge.checkpoints import file_digest
from bench.samplers.diffusers.sampler import DiffusersSampler
from bench.samplers.diffusers.source import find
from prompts import build_grid
from tests.bench.samplers.families import saved

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SAMPLES = build_grid("quick").samples()[:2]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The tiny pipeline as ``tiny/sd``, its revision ``v1`` at a commit."""
    root = tmp_path / "models--tiny--sd"
    snapshot = root / "snapshots" / COMMIT
    (root / "blobs").mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "v1").write_text(COMMIT)
    for path in saved("sd1").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            blob = root / "blobs" / hashlib.sha256(content).hexdigest()
            blob.write_bytes(content)
            link = snapshot / path.relative_to(saved("sd1"))
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blob)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return root


def test_a_revision_gives_the_pictures_of_the_folder(cache):
    hub = DiffusersSampler("tiny/sd@v1", steps=2, device="cpu")
    folder = DiffusersSampler(str(saved("sd1")), steps=2, device="cpu")
    for one, other in zip(hub.sample(SAMPLES), folder.sample(SAMPLES), strict=True):
        assert np.array_equal(one.image, other.image)
    assert hub.info.fingerprint.name == "tiny/sd@v1"
    assert hub.info.fingerprint.options["commit"] == COMMIT
    # Known from the names of the blobs there, read here.
    assert hub.info.fingerprint.weights == folder.info.fingerprint.weights
    same = ("configuration", "arguments", "scheduler_config")
    assert all(hub.info.fingerprint.options[k] == folder.info.fingerprint.options[k] for k in same)


def test_a_name_that_looks_like_a_hash_is_believed_in_the_cache_of_the_hub_alone(
    cache, tmp_path_factory
):
    folder = shutil.copytree(saved("sd1"), tmp_path_factory.mktemp("elsewhere") / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    claimed = blobs / ("a" * 64)
    shutil.move(weights, claimed)
    weights.symlink_to(claimed)
    content = hashlib.sha256(claimed.read_bytes()).hexdigest()
    assert file_digest(weights) == content
    # Inside of the cache the name is the hash by the hub's own word.
    assert (
        file_digest(next((cache / "snapshots" / COMMIT / "unet").glob("*.safetensors"))) == content
    )


def test_a_revision_that_is_not_there(cache):
    with pytest.raises(UsageError, match="cannot be had from the hub"):
        find("tiny/sd@v2")


def test_pickles_of_the_hub_are_refused_too(cache):
    unet = cache / "snapshots" / COMMIT / "unet"
    shutil.move(unet / "diffusion_pytorch_model.safetensors", unet / "diffusion_pytorch_model.bin")
    with pytest.raises(UsageError, match="diffusion_pytorch_model.bin is not loaded"):
        find("tiny/sd@v1")
