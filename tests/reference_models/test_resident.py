"""A training on its device takes the steps that the ordinary loop takes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from reference_models.device_optimiser import DeviceOptimiser
from reference_models.ema import Average
from reference_models.errors import ModelError
from reference_models.optimiser import make_optimisers, orthogonalised
from reference_models.policies import policy
from reference_models.presets import PRESETS, build
from reference_models.resident import ResidentTraining
from reference_models.training_pictures import draw_pictures
from reference_models.world.caption_noise import CaptionNoise

SMALL = replace(
    PRESETS["smoke"], fine=16, coarse=32, images=24, batch=4, lr=1e-3, matrix_lr=0.01, warm=0.0
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures():
    return draw_pictures(48, 3, policy("natural"), CaptionNoise(loose=0.5))


def new(preset, seed=1):
    torch.manual_seed(seed)
    return build(preset)


def test_the_optimiser_moves_as_the_ordinary_two_do():
    one, other = new(SMALL), new(SMALL)
    ordinary, average = make_optimisers(one, 1e-3, 0.01), Average(one, 0.9)
    device = DeviceOptimiser(other, 1e-3, 0.01, 0.9)
    g = torch.Generator().manual_seed(5)
    for step in range(4):
        for p, q in zip(one.parameters(), other.parameters(), strict=True):
            p.grad = torch.randn(p.shape, generator=g)
            q.grad = p.grad.clone()
        factor = 1 / (step + 1)
        for optimiser, peak in zip(ordinary, (0.01, 1e-3), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = peak * factor
            optimiser.step()
        average.update(one)
        device.step(torch.tensor(step + 1.0), torch.tensor(factor))
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        # Products in bfloat16 are rounded in another order.
        torch.testing.assert_close(p, q, atol=2e-4, rtol=0.02)
        torch.testing.assert_close(
            average.weights[name], device.average[name], atol=2e-4, rtol=0.02
        )


def test_a_stack_of_matrices_turns_as_each_does():
    stack = torch.randn(3, 40, 24, generator=torch.Generator().manual_seed(1))
    whole = orthogonalised(stack)
    for one, turned in zip(stack, whole, strict=True):
        torch.testing.assert_close(orthogonalised(one), turned, atol=0.02, rtol=0.02)
        values = torch.linalg.svdvals(turned)
        assert values.min() > 0.5
        assert values.max() < 1.4


def test_the_same_seed_gives_the_same_weights_and_another_does_not(pictures):
    def trained(seed):
        training = ResidentTraining(new(SMALL), replace(SMALL, seed=seed), [(pictures, 1.0)], CPU)
        while not training.advance():
            pass
        assert training.done == training.steps == 6
        training.finish()
        return training.average["leave.weight"]

    assert torch.equal(trained(1), trained(1))
    assert not torch.equal(trained(1), trained(2))


def test_a_training_learns(pictures):
    preset = replace(SMALL, images=320, batch=8)
    training = ResidentTraining(new(preset), preset, [(pictures, 1.0)], CPU)
    while not training.advance():
        pass
    assert training.finish() < float(training.losses[:4].mean()) - 0.2


def test_stages_come_one_after_the_other(pictures):
    dark = replace(pictures, pictures=torch.zeros_like(pictures.pictures))
    training = ResidentTraining(new(SMALL), SMALL, [(pictures, 0.5), (dark, 0.5)], CPU)
    rows = training._rows
    assert (rows[:3] < 48).all()
    assert (rows[3:] >= 48).all()
    assert not training.pictures[rows[3:].flatten()].any()


def test_scenes_are_the_same_whatever_is_wrong_with_their_captions():
    clean = draw_pictures(32, 7, policy("natural"))
    loose = draw_pictures(32, 7, policy("natural"), CaptionNoise(shuffled=1.0))
    assert torch.equal(clean.pictures, loose.pictures)
    assert not torch.equal(clean.ids, loose.ids)
    assert clean.taught == loose.taught


def test_more_loose_captions_keep_the_loose_ones():
    some, more = (
        draw_pictures(200, 7, policy("natural"), CaptionNoise(loose=share)).pictures
        for share in (0.2, 0.6)
    )
    clean = draw_pictures(200, 7, policy("natural")).pictures
    changed = [(one != clean).flatten(1).any(1) for one in (some, more)]
    assert changed[1][changed[0]].all()
    assert changed[1].sum() > changed[0].sum() > 0


@pytest.mark.parametrize("preset", [replace(SMALL, network="dit", width=40, depth=1, text="bag")])
def test_a_text_encoder_that_is_frozen_in_part_trains(preset, pictures):
    training = ResidentTraining(new(preset), preset, [(pictures, 1.0)], CPU)
    training.advance()
    assert not training.model.text.position.any()


def test_a_loss_that_is_no_number_is_an_error(pictures):
    training = ResidentTraining(new(SMALL), SMALL, [(pictures, 1.0)], CPU)
    with torch.no_grad():
        nn.init.constant_(training.model.leave.weight, torch.nan)
    while not training.advance():
        pass
    with pytest.raises(ModelError, match="astray"):
        training.finish()


def test_a_preset_that_predicts_noise_is_refused(pictures):
    with pytest.raises(ModelError, match="velocity or codes"):
        ResidentTraining(new(SMALL), replace(SMALL, target="noise"), [(pictures, 1.0)], CPU)
