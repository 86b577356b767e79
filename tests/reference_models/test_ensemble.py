"""Networks that are trained in one step are trained as each is alone."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from reference_models.ensemble import Ensemble, EnsembleTraining
from reference_models.errors import ModelError
from reference_models.nn.convolution import Convolution
from reference_models.nn.normalisation import ChannelNorm, RMSNorm
from reference_models.policies import policy
from reference_models.presets import PRESETS, build
from reference_models.resident import ResidentTraining
from reference_models.training_pictures import draw_pictures
from reference_models.world.caption_noise import CaptionNoise

CPU = torch.device("cpu")
SMALL = replace(PRESETS["smoke"], fine=16, coarse=32, images=24, batch=4, lr=1e-3, matrix_lr=0.01)
KINDS = {
    "unet": SMALL,
    "dit": replace(SMALL, network="dit", width=40, depth=1, text="bag"),
    "tokens": replace(SMALL, network="tokens", target="codes", width=40, depth=1, text="static"),
    "masked": replace(SMALL, network="masked", target="codes", width=40, depth=1),
    "clip": replace(SMALL, network="dit", width=40, depth=1, text="clip-pooled"),
}


def new(preset):
    torch.manual_seed(preset.seed)
    return build(preset)


def compared(modules, x):
    """Values and gradients of modules in an ensemble, and of each alone."""
    found = Ensemble(modules)
    given = x.clone().requires_grad_()
    values = found(given)
    weight = torch.randn(values.shape, generator=torch.Generator().manual_seed(1)).double()
    (values * weight).sum().backward()
    for k, module in enumerate(modules):
        alone = x[k].clone().requires_grad_()
        value = module(alone)
        (value * weight[k]).sum().backward()
        torch.testing.assert_close(values[k], value)
        torch.testing.assert_close(given.grad[k], alone.grad)
        for p, q in zip(found.parameters(), module.parameters(), strict=True):
            torch.testing.assert_close(p.grad[k], q.grad)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolutions_are_those_of_torch(size):
    modules = [Convolution(3, 4, size).double() for _ in range(3)]
    for module in modules:
        nn.init.normal_(module.bias)
    compared(modules, torch.randn(3, 2, 3, 6, 5).double())


@pytest.mark.parametrize(("kind", "shape"), [(RMSNorm, (2, 5, 6)), (ChannelNorm, (2, 6, 4, 3))])
def test_norms_are_those_of_torch(kind, shape):
    modules = [kind(6).double() for _ in range(2)]
    for module in modules:
        nn.init.normal_(module.gain)
    compared(modules, torch.randn(2, *shape).double())


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_trained_as_if_it_were_alone(kind):
    presets = [replace(KINDS[kind], seed=seed) for seed in (1, 2, 1)]
    pools = [draw_pictures(24 + 8 * k, k, policy("natural"), noise) for k, noise in NOISES]
    stages = [[(pools[0], 1.0)], [(pools[1], 0.5), (pools[0], 0.5)], [(pools[2], 1.0)]]
    together = EnsembleTraining([new(one) for one in presets], presets, stages, CPU)
    alone = [
        ResidentTraining(new(one), one, own, CPU) for one, own in zip(presets, stages, strict=True)
    ]
    for training in (together, *alone):
        while not training.advance():
            pass
    assert together.done == together.steps == 6
    torch.testing.assert_close(
        together.losses, torch.cat([one.losses for one in alone], 1), rtol=2e-3, atol=1e-4
    )
    for (loss, average), one in zip(together.results(), alone, strict=True):
        assert loss == pytest.approx(one.finish(), rel=2e-3)
        assert average.keys() == one.average.keys()
        one.model.load_state_dict(average, strict=False)


NOISES = list(enumerate((CaptionNoise(), CaptionNoise(loose=0.5), CaptionNoise(shuffled=1.0))))


def test_one_that_goes_astray_takes_no_other_with_it():
    pictures = draw_pictures(24, 1, policy("natural"))
    models = [new(SMALL), new(SMALL)]
    nn.init.constant_(models[1].leave.weight, torch.nan)
    training = EnsembleTraining(models, [SMALL] * 2, [[(pictures, 1.0)]] * 2, CPU)
    while not training.advance():
        pass
    (loss, weights), (astray, _) = training.results()
    assert 0 < loss < 2
    assert astray != astray
    assert all(one.isfinite().all() for one in weights.values())


def test_what_predicts_noise_is_refused():
    preset = replace(SMALL, target="noise")
    with pytest.raises(ModelError, match="velocity or codes"):
        EnsembleTraining(
            [new(preset)], [preset], [[(draw_pictures(4, 1, policy("natural")), 1)]], CPU
        )
