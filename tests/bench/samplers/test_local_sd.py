"""The bundled Stable Diffusion of the rendered world."""

import numpy as np
import pytest
import torch

from bench import registry
from bench.errors import UsageError
from bench.run.components import build
from bench.samplers.local_sd import LocalSdSampler
from prompts.cells import Cell, Sample
from prompts.subjects import SUBJECT_NAMES
from reference_models.classifier import load_classifier, subjects_in
from reference_models.sd import FOLDER, GUIDANCE_SCALE, STEPS

SUBJECTS = ("car", "pear", "hat", "bottle", "eggplant", "umbrella", "fish", "taco")


@pytest.fixture(scope="module")
def drawn():
    sampler = LocalSdSampler(device="cpu")
    cells = [Cell(f"x/{name}", f"a red {name}", (), "single", f"x/{name}") for name in SUBJECTS]
    return sampler, list(sampler.sample([Sample(cell, 0) for cell in cells]))


def test_it_is_in_the_table_at_its_own_settings(drawn):
    assert registry.address("sampler", "local-sd").endswith(":LocalSdSampler")
    record = drawn[0].info.fingerprint
    assert record.name == "local-sd"
    assert record.options["arguments"]["num_inference_steps"] == STEPS
    assert record.options["arguments"]["guidance_scale"] == GUIDANCE_SCALE


def test_it_draws_what_it_is_asked_for(drawn):
    """Most subjects are named right by a classifier that saw rendered scenes only, and are red."""
    images = torch.from_numpy(np.stack([one.image for one in drawn[1]]))
    named = [SUBJECT_NAMES[k] for k in subjects_in(images, load_classifier())]
    assert sum(a == b for a, b in zip(named, SUBJECTS, strict=True)) >= 6, named
    red = images.float()
    share = ((red[..., 0] > 1.8 * red[..., 1]) & (red[..., 0] > 1.8 * red[..., 2])).float()
    assert (share.mean((1, 2)) > 0.02).sum() >= 7


def test_its_captions_are_known(drawn):
    training = drawn[0].info.training
    assert training.captions > 10_000


def test_a_word_it_was_never_taught():
    sampler = build("sampler", "local-sd", {"steps": 2}, {"device": "cpu", "batch_size": 2})
    cell = Cell("x", "a red zeppelin", (), "single", "x")
    with pytest.raises(UsageError, match="zeppelin"):
        next(sampler.sample([Sample(cell, 0)]))


def test_the_folder_is_small():
    size = sum(path.stat().st_size for path in FOLDER.rglob("*.safetensors"))
    assert size <= 6_000_000
