"""Predicted clean images of pipelines: what the scheduler itself adds as noise is the truth."""

from types import SimpleNamespace

import diffusers
import numpy as np
import pytest
import torch

from bench.errors import UsageError
from bench.samplers.diffusers.frames import (
    Frames,
    conditional_of,
    is_guided_within,
    predicted_picture,
    scales,
)
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from tests.bench.samplers.families import OPTIONS, saved

SAMPLES = build_grid("quick").samples()[:2]
KINDS = ("epsilon", "v_prediction", "sample")
SCHEDULERS = (
    diffusers.DDIMScheduler,
    diffusers.DDPMScheduler,
    diffusers.EulerDiscreteScheduler,
    diffusers.EulerAncestralDiscreteScheduler,
    diffusers.DPMSolverMultistepScheduler,
    diffusers.UniPCMultistepScheduler,
    diffusers.PNDMScheduler,
)


def truth(scheduler, kind, picture, noise, timestep):
    """State, and what a perfect model of a kind would say, by the scheduler's own noise."""
    t = torch.tensor([timestep])
    state = scheduler.add_noise(picture, noise, t)
    kept = scheduler.alphas_cumprod[int(timestep)]
    says = {
        "epsilon": noise,
        "sample": picture,
        "v_prediction": kept.sqrt() * noise - (1 - kept).sqrt() * picture,
    }
    return state, says[kind]


# PNDM predicts no sample.
PAIRS = [
    (s, k) for s in SCHEDULERS for k in KINDS if (s.__name__, k) != ("PNDMScheduler", "sample")
]


@pytest.mark.parametrize(("made", "kind"), PAIRS)
def test_a_perfect_prediction_gives_the_picture_at_every_step(made, kind):
    scheduler = made(prediction_type=kind)
    scheduler.set_timesteps(6)
    torch.manual_seed(0)
    picture, noise = torch.rand(1, 4, 4, 4) * 2 - 1, torch.randn(1, 4, 4, 4)
    for timestep in scheduler.timesteps:
        alpha, sigma = scales(scheduler, timestep)
        if int(timestep) != float(timestep):
            continue
        state, says = truth(scheduler, kind, picture, noise, timestep)
        found = predicted_picture(scheduler, says, state, alpha, sigma)
        assert torch.allclose(found, picture, atol=2e-2), float(timestep)


def test_the_straight_path_too():
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(4)
    torch.manual_seed(0)
    picture, noise = torch.rand(1, 4, 4, 4) * 2 - 1, torch.randn(1, 4, 4, 4)
    for timestep in scheduler.timesteps:
        state = scheduler.scale_noise(picture, timestep[None], noise)
        alpha, sigma = scales(scheduler, timestep)
        found = predicted_picture(scheduler, noise - picture, state, alpha, sigma)
        assert torch.allclose(found, picture, atol=1e-3)


@pytest.mark.parametrize(
    ("family", "scheduler"), [("sd1", "EulerDiscrete"), ("sd1", "DDIM"), ("sd3", None)]
)
def test_the_last_frame_is_the_image(family, scheduler):
    sampler = DiffusersSampler(
        str(saved(family)), steps=3, device="cpu", scheduler=scheduler, trajectory=0
    )
    assert len(sampler.info.noise_levels) == 3
    assert list(sampler.info.noise_levels) == sorted(sampler.info.noise_levels, reverse=True)
    for made in sampler.sample(SAMPLES):
        assert made.frames.shape == (3, *made.image.shape)
        assert np.abs(made.frames[-1].astype(int) - made.image.astype(int)).max() <= 2


@pytest.mark.parametrize("family", ["sd1", "sd3"])
def test_the_conditional_prediction_stands_beside_the_guided_one(family):
    def drawn(scale):
        sampler = DiffusersSampler(
            str(saved(family)), steps=3, device="cpu", trajectory=0, guidance_scale=scale
        )
        return sampler.info.predictions, list(sampler.sample(SAMPLES))

    both, guided = drawn(3.0)
    assert both == ("guided", "conditional")
    alone, plain = drawn(1.0)
    assert alone == ("conditional",)
    for one, two in zip(guided, plain, strict=True):
        # At the first step both stand at the same noise: guidance has not led them apart yet.
        assert np.abs(one.conditional[0].astype(int) - two.frames[0]).max() <= 1
        assert not np.array_equal(one.conditional[0], one.frames[0])
        assert two.conditional is None


def test_only_what_follows_from_both_halves_is_taken_for_guidance():
    torch.manual_seed(0)
    without, with_prompt = torch.randn(2, 1, 4, 4, 4)
    raw = torch.cat((without, with_prompt))
    for scale in (1.0, 1.5, 7.5):
        found = conditional_of(raw, without + scale * (with_prompt - without))
        assert torch.equal(found, with_prompt)
    # The prompts first, another picture altogether, three in a batch: not told.
    assert conditional_of(raw, with_prompt + 3 * (without - with_prompt)) is None
    assert conditional_of(raw, torch.randn(1, 4, 4, 4)) is None
    assert conditional_of(torch.cat((raw, without)), without) is None
    assert torch.equal(conditional_of(without, without), without)
    assert conditional_of(without, with_prompt) is None


def test_a_network_that_is_told_the_scale_guides_by_itself():
    assert is_guided_within(SimpleNamespace(config={"guidance_embeds": True}))
    assert not is_guided_within(None)


def test_frames_change_no_image_and_fewer_are_kept_when_asked():
    plain = DiffusersSampler(str(saved("sd1")), steps=4, device="cpu")
    kept = DiffusersSampler(str(saved("sd1")), steps=4, device="cpu", trajectory=2)
    assert plain.info.noise_levels is None
    for a, b in zip(plain.sample(SAMPLES), kept.sample(SAMPLES), strict=True):
        assert (a.image == b.image).all()
        assert a.frames is None
        assert len(b.frames) == 2


def test_packed_latents_are_refused_in_one_line():
    with pytest.raises(UsageError, match="no --trajectory"):
        list(
            DiffusersSampler(
                str(saved("flux")), steps=2, device="cpu", trajectory=0, **OPTIONS["flux"]
            ).sample(SAMPLES)
        )


def test_a_pipeline_without_a_scheduler_is_refused():
    with pytest.raises(UsageError, match="no scheduler"):
        Frames(object())
