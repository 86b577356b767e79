"""After an evaluation a training has its random states, modes, gradients and autocast as before."""

import random

import numpy as np
import pytest
import torch

import bench
from bench.metric import evaluating
from tests.bench.test_api import PARTS, pictures


class Pipeline:
    """As those of diffusers: modules by name, and things that are none."""

    def __init__(self):
        self.components = {
            "unet": torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5)),
            "vae": torch.nn.Linear(2, 2).eval(),
            "tokenizer": object(),
        }


def states():
    """What every generator draws from."""
    numbers = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), numbers[1].tolist(), numbers[2], random.getstate()


def test_every_module_has_its_own_mode_back():
    pipeline = Pipeline()
    unet, vae = pipeline.components["unet"], pipeline.components["vae"]
    unet[0].eval()
    with evaluating(pipeline, unet):
        assert not any(module.training for module in (*unet.modules(), *vae.modules()))
        assert not torch.is_grad_enabled()
    assert (unet.training, unet[0].training, unet[1].training, vae.training) == (
        *(True, False, True, False),
    )
    assert torch.is_grad_enabled()


def test_random_states_are_restored_also_after_an_error():
    pipeline, before = Pipeline(), states()

    def fail():
        with evaluating(pipeline):
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002
            random.seed(0)
            raise ValueError("oh")

    with pytest.raises(ValueError, match="oh"):
        fail()
    assert states() == before


def test_the_first_update_of_a_metric_changes_no_random_state():
    """The one that loads the networks, the default ones."""
    images, prompts = pictures(2)
    torch.manual_seed(5)
    before = states()
    metric = bench.BindingScore()
    metric.update(images, prompts)
    assert states() == before
    metric.update(images, prompts)
    assert states() == before


def test_a_metric_scores_the_same_under_autocast_and_leaves_it_on():
    images, prompts = pictures(6)
    plain, inside = bench.BindingScore(), bench.BindingScore()
    plain.update(images, prompts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside.update(images, prompts)
        assert torch.is_autocast_enabled("cpu")
        assert torch.mm(torch.ones(1, 1), torch.ones(1, 1)).dtype == torch.bfloat16
    assert plain.verdicts()["words"].tolist() == inside.verdicts()["words"].tolist()


def test_gradients_of_a_training_survive():
    weight = torch.nn.Parameter(torch.ones(2))
    (weight.sum() * 3).backward()
    metric = bench.BindingScore(**PARTS)
    images, prompts = pictures(2)
    tensors = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image in images]) / 255
    metric.update(tensors * weight[0], prompts)
    assert weight.grad.tolist() == [3.0, 3.0]
    assert torch.is_grad_enabled()
