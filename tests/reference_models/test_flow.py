"""Path, times, solver and guidance: known answers."""

import math

import pytest
import torch

from reference_models.guidance import guided
from reference_models.path import between, picture_from, velocity
from reference_models.solver import euler
from reference_models.times import sampling_times, training_times


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def test_path_begins_as_noise_and_ends_as_picture():
    noise, picture = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.equal(between(noise, picture, torch.zeros(2)), noise)
    assert torch.equal(between(noise, picture, torch.ones(2)), picture)


def test_velocity_is_the_derivative_of_the_path():
    noise, picture = torch.randn(1, 3, 4, 4).double(), torch.randn(1, 3, 4, 4).double()
    t, h = torch.tensor([0.3]).double(), 1e-4
    slope = (between(noise, picture, t + h) - between(noise, picture, t - h)) / (2 * h)
    assert torch.allclose(slope, velocity(noise, picture), atol=1e-6)


def test_marginal_of_the_path_has_the_expected_variance():
    noise = torch.randn(4000, 1, 2, 2, generator=gen())
    x = between(noise, torch.zeros_like(noise), torch.full((4000,), 0.25))
    assert float(x.std()) == pytest.approx(0.75, abs=0.02)


def test_the_true_velocity_predicts_the_picture_at_any_time():
    noise, picture = torch.randn(3, 3, 4, 4), torch.randn(3, 3, 4, 4)
    t = torch.tensor([0.1, 0.5, 0.9])
    x = between(noise, picture, t)
    assert torch.allclose(picture_from(x, velocity(noise, picture), t), picture, atol=1e-5)


def test_euler_is_exact_on_a_straight_path_whatever_the_steps():
    noise, picture = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for steps in (1, 3, 8):
        for _, predicted, x in euler(lambda x, t: picture - noise, noise, sampling_times(steps)):
            assert torch.allclose(predicted, picture, atol=1e-5)
        assert torch.allclose(x, picture, atol=1e-5)


def test_euler_converges_to_the_exponential_at_first_order():
    def error(steps):
        start = torch.ones(1, 1, 1, 1).double()
        for _, _, x in euler(lambda x, t: x, start, sampling_times(steps)):
            pass
        return abs(float(x) - math.e)

    assert error(200) < 0.01
    assert error(100) / error(200) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_sampling_times_rise_from_zero_to_one(shift):
    times = sampling_times(10, shift)
    assert times[0] == 0
    assert times[-1] == 1
    assert all(a < b for a, b in zip(times, times[1:], strict=False))


def test_shift_spends_more_steps_near_the_noise():
    assert sampling_times(10, 3.0)[5] < sampling_times(10, 1.0)[5]


def test_training_times_stay_inside_and_favour_the_middle():
    t = training_times(20_000, gen())
    assert 0 < float(t.min())
    assert float(t.max()) < 1
    middle = ((t > 0.25) & (t < 0.75)).float().mean()
    assert 0.55 < float(middle) < 0.85


def test_guidance_of_one_changes_nothing_and_more_goes_further():
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    assert torch.allclose(guided(a, b, 1.0), a, atol=1e-6)
    assert torch.allclose(guided(a, b, 3.0) - b, 3 * (a - b), atol=1e-6)
