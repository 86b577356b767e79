"""Distillation: what the student is taught, and that a short one goes on and publishes."""

from dataclasses import replace

import pytest
import torch

from reference_models.distil import regression
from reference_models.presets import PRESETS, build
from reference_models.sampling import Settings, walk
from reference_models.trajectories import Trajectories, every_pair_alike, rollout
from reference_models.world.statistics import colour_given_subject

TINY = replace(PRESETS["smoke"], fine=8, coarse=16, batch=8)
SETTINGS = Settings(steps=4, guidance_scale=3.0)


def pool(keep=2):
    torch.manual_seed(0)
    teacher = build(TINY)
    generator = torch.Generator().manual_seed(0)
    return Trajectories(teacher, TINY, SETTINGS, generator, keep, size=16, block=16)


def test_a_target_leads_from_one_state_of_the_teacher_to_another():
    made = pool()
    x, t, _, target = made.batch(64)
    assert set(t.tolist()) == {0.0, 0.5}
    ends = x + 0.5 * target
    last = made.states[:, -1].float()
    for end, time in zip(ends, t, strict=True):
        if time == 0.5:
            assert float((last - end).abs().amax((1, 2, 3)).min()) < 1e-2


def test_states_are_those_of_guided_sampling():
    made = pool(keep=4)
    noise, ids = made.states[:, 0].float(), made.ids
    again = rollout(made.teacher, ids, noise, TINY, SETTINGS)
    assert torch.allclose(torch.stack(again, 1), made.states.float(), atol=1e-2)
    prompt = made.teacher.encode(torch.cat((ids, torch.zeros_like(ids))))
    with torch.no_grad():
        *_, (*_, end) = walk(made.teacher, prompt, noise, TINY, SETTINGS)
    assert torch.allclose(end, again[-1], atol=1e-4)


def test_held_out_pairs_stay_held_out():
    assert torch.equal(every_pair_alike() > 0, colour_given_subject() > 0)


def test_steps_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="4 steps"):
        pool(keep=3)


def test_a_perfect_student_has_no_loss_and_the_teacher_alone_has():
    made = pool()
    batch = made.batch(16)

    class Perfect(torch.nn.Module):
        def encode(self, ids):
            return ids

        def forward(self, x, t, prompt):
            return batch[3]

    assert float(regression(Perfect(), batch)) == 0
    assert float(regression(made.teacher, batch).detach()) > 0
