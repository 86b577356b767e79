"""A training of seconds: it goes on where it stopped, and what it writes can be drawn with."""

import csv
import json

import pytest
import torch

from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from reference_models.sd.autoencoder import spread, squares
from reference_models.sd.parts import Shape, make_autoencoder, make_scheduler
from reference_models.sd.train import TrainingPlan, train

TINY = Shape((8, 8, 8), (16, 16), 16, 1)


def plan(images):
    return TrainingPlan(TINY, squares=64, images=images, batch=32, pool=1024)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Stopped after one step, and gone on with."""
    out = tmp_path_factory.mktemp("sd")
    train(out, plan(32))
    first = (out / "autoencoder.safetensors").read_bytes()
    folder = train(out, plan(96))
    assert (out / "autoencoder.safetensors").read_bytes() == first
    return out, folder


def test_it_goes_on(trained):
    out, folder = trained
    with (out / "log.csv").open() as file:
        rows = [
            (int(seen), float(seconds), float(loss)) for seen, seconds, loss in csv.reader(file)
        ]
    assert [seen for seen, _, _ in rows] == [32, 96]
    assert rows[0][1] < rows[1][1]
    assert all(0 < loss < 10 for _, _, loss in rows)
    assert (folder / "curve.csv").read_text() == (out / "log.csv").read_text()


def test_the_folder_is_a_pipeline(trained):
    _, folder = trained
    sampler = DiffusersSampler(str(folder), steps=2, device="cpu")
    images = [one.image for one in sampler.sample(build_grid("quick").samples()[:2])]
    assert {image.shape for image in images} == {(64, 64, 3)}
    assert sampler.info.training is not None
    assert sampler.info.training.captions > 0
    config = json.loads((folder / "vae" / "config.json").read_text())
    assert config["scaling_factor"] != 0.18215


def test_scaled_latents_have_unit_spread():
    model = make_autoencoder(TINY)
    pictures = torch.rand(8, 3, 64, 64) * 2 - 1
    once = spread(model, pictures)
    assert once > 0
    torch.nn.init.zeros_(model.quant_conv.weight)
    torch.nn.init.constant_(model.quant_conv.bias, 2.0)
    assert spread(model, pictures) == pytest.approx(2.0, rel=1e-2)


def test_squares_lie_on_the_grid_of_the_latents():
    pictures = torch.arange(64.0).expand(1, 3, 64, 64)
    for seed in range(20):
        part = squares(pictures, torch.Generator().manual_seed(seed))
        assert part.shape == (1, 3, 32, 32)
        assert part[0, 0, 0, 0] % 4 == 0


def test_the_schedule_ends_in_pure_noise():
    assert float(make_scheduler().alphas_cumprod[-1]) == pytest.approx(0, abs=1e-6)
