"""The discrete schedule and its solvers: known answers."""

import pytest
import torch

from reference_models import schedule
from reference_models.solver import discrete

PICTURE, SPREAD = 0.3, 0.2


def test_signal_and_noise_are_on_the_unit_circle_and_fall_and_rise():
    alpha, sigma = schedule.signal(), schedule.noise()
    assert torch.allclose(alpha**2 + sigma**2, torch.ones_like(alpha))
    assert (alpha.diff() < 0).all()
    assert (sigma.diff() > 0).all()
    assert alpha[0] > 0.999


def test_terminal_snr_is_nearly_nothing_but_not_zero():
    # Below the 0.0047 that Lin et al. 2024 report for Stable Diffusion's schedule, by far.
    assert 0 < schedule.terminal_snr() < 1e-6


def test_one_beta_after_the_other_gives_the_marginal():
    """Adding noise step by step has the variance that the closed form says."""
    generator = torch.Generator().manual_seed(0)
    x = torch.full((20_000,), PICTURE, dtype=torch.float64)
    betas = schedule.betas(50)
    for beta in betas[:40]:
        fresh = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = (1 - beta).sqrt() * x + beta.sqrt() * fresh
    alpha, sigma = float(schedule.signal(50)[39]), float(schedule.noise(50)[39])
    assert float(x.mean()) == pytest.approx(alpha * PICTURE, abs=0.02)
    assert float(x.std()) == pytest.approx(sigma, abs=0.02)


def test_noise_level_is_one_number_for_one_ratio():
    assert schedule.noise_level(0.0, 1.0) == 1
    assert schedule.noise_level(1.0, 0.0) == 0
    assert schedule.noise_level(0.25, 0.75) == pytest.approx(0.75)
    assert schedule.noise_level(0.5, 1.5) == schedule.noise_level(0.25, 0.75)


def test_visited_steps_fall_from_where_noise_is_ten_times_the_signal():
    steps = schedule.visited(12)
    ratio = schedule.noise() / schedule.signal()
    assert float(ratio[steps[0]]) <= 10 < float(ratio[steps[0] + 1])
    assert all(a > b > 0 for a, b in zip(steps, steps[1:], strict=False))


def test_weighted_error_of_the_noise_is_that_of_the_picture_where_noise_prevails():
    weight, alpha, sigma = schedule.weight(), schedule.signal(), schedule.noise()
    # x = alpha p + sigma e is known, so an error d of e is an error of -sigma / alpha d of p.
    noisy = (sigma > alpha) & (sigma**2 <= 25 * alpha**2)
    assert torch.allclose(weight[noisy], (sigma / alpha)[noisy] ** 2)
    assert (weight[sigma <= alpha] == 1).all()
    assert (weight <= 25).all()
    assert (weight.diff() >= 0).all()


def exact(x, t):
    """Noise expected at x_k where pictures are normal with mean PICTURE and deviation SPREAD."""
    k = (t * schedule.STEPS).round().long()
    alpha = schedule.signal()[k].view(-1, 1, 1, 1)
    sigma = schedule.noise()[k].view(-1, 1, 1, 1)
    total = alpha**2 * SPREAD**2 + sigma**2
    return sigma * (x - alpha * PICTURE) / total


def samples(steps, ancestral):
    generator = torch.Generator().manual_seed(0)
    shape = (4000, 1, 1, 1)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)

    def fresh():
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    walk = discrete(exact, noise, schedule.visited(steps), fresh if ancestral else None)
    for _, predicted, x in walk:
        pass
    return x


@pytest.mark.parametrize("ancestral", [False, True])
def test_both_solvers_arrive_at_the_pictures_of_a_known_field(ancestral):
    x = samples(200, ancestral)
    assert float(x.mean()) == pytest.approx(PICTURE, abs=0.02)
    assert float(x.std()) == pytest.approx(SPREAD, abs=0.02)


def test_euler_is_deterministic_and_ancestral_is_not_the_same():
    assert torch.equal(samples(20, False), samples(20, False))
    assert not torch.allclose(samples(20, False), samples(20, True))


def test_the_true_noise_leads_to_the_picture_in_any_number_of_steps():
    picture, noise = torch.full((1, 1, 2, 2), 0.5).double(), torch.randn(1, 1, 2, 2).double()
    alpha, sigma = schedule.signal(), schedule.noise()

    def true(x, t):
        k = int((t[0] * schedule.STEPS).round())
        return (x - alpha[k] * picture) / sigma[k]

    for steps in (1, 5):
        for _, predicted, x in discrete(true, noise, schedule.visited(steps)):
            assert torch.allclose(predicted, picture, atol=1e-3)
        assert torch.allclose(x, picture, atol=1e-3)
