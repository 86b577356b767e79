"""A discrete noise schedule: how much picture and how much noise there is at each of T steps.

Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", eq. 4: x_k = alpha_k picture
+ sigma_k noise, with alpha^2 + sigma^2 = 1 and alpha_k^2 the running product of 1 - beta. Here the
betas follow the cosine of Nichol and Dhariwal 2021, eq. 17, which reaches nearly pure noise at the
last step; ``terminal_snr`` tells how nearly (Lin et al. 2024, "Common Diffusion Noise Schedules and
Sample Steps are Flawed", section 3.1: what is left over tells the model the mean colour).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Steps of training.
STEPS = 1000
#: No step destroys more than this (Nichol and Dhariwal 2021, section 3.2).
_LARGEST_BETA = 0.999
_OFFSET = 0.008
#: Noise over signal where sampling starts.
MOST_NOISE = 10.0
#: Largest weight of an error in training.
HEAVIEST = 25.0


def betas(steps: int = STEPS) -> Tensor:
    """Variance added at each step, float64 (steps,)."""

    def kept(u: float) -> float:
        return math.cos((u + _OFFSET) / (1 + _OFFSET) * math.pi / 2) ** 2

    pairs = [(k / steps, (k + 1) / steps) for k in range(steps)]
    return torch.tensor(
        [min(1 - kept(then) / kept(now), _LARGEST_BETA) for now, then in pairs],
        dtype=torch.float64,
    )


def signal(steps: int = STEPS) -> Tensor:
    """alpha_k, the factor on the picture after step k, float64 (steps,), falling from 1."""
    return (1 - betas(steps)).cumprod(0).sqrt()


def noise(steps: int = STEPS) -> Tensor:
    """sigma_k, the factor on the noise, float64 (steps,): sigma^2 = 1 - alpha^2."""
    return (1 - (1 - betas(steps)).cumprod(0)).sqrt()


def terminal_snr(steps: int = STEPS) -> float:
    """Signal-to-noise ratio alpha^2 / sigma^2 at the last step; zero would be pure noise."""
    return float((signal(steps)[-1] / noise(steps)[-1]) ** 2)


def noise_level(alpha: float, sigma: float) -> float:
    """Sigma / (alpha + sigma): 1 pure noise, 0 clean, one number for one signal-to-noise ratio.

    On the straight path alpha = t and sigma = 1 - t, so it is 1 - t there.
    """
    return sigma / (alpha + sigma)


def visited(count: int, steps: int = STEPS) -> list[int]:
    """``count`` steps of the schedule, evenly spread and falling, the cleanest left out.

    The first is the last one at which there is at most ``MOST_NOISE`` times as much noise as
    signal. Beyond it a predicted noise says nothing of the picture: an error of one in a hundred is
    multiplied by sigma / alpha, and its guidance multiplies it again.
    """
    ratio = noise(steps) / signal(steps)
    first = int((ratio <= MOST_NOISE).sum()) - 1
    return [round(first * (1 - k / count)) for k in range(count)]


def weight(steps: int = STEPS) -> Tensor:
    """Weight of the squared error of the noise at each step, float64 (steps,).

    max(1, sigma^2 / alpha^2), so that where there is more noise than signal the error counts as
    that of the picture which it implies (the truncated weighting of Salimans and Ho 2022,
    "Progressive Distillation", section 4). Without it the noisy steps, where the colours are
    decided, count for next to nothing. At most ``HEAVIEST``, to keep the gradient finite.
    """
    return ((noise(steps) / signal(steps)) ** 2).clamp(1.0, HEAVIEST)


def picture_from(x: Tensor, predicted: Tensor, t: Tensor) -> Tensor:
    """Predicted clean picture at x (N, C, H, W) with a predicted noise, t = k / T (N,): eq. 15.

    Kept in [-1, 1], as the solver keeps it.
    """
    k = (t * STEPS).round().long()
    alphas, sigmas = signal().to(x)[k.cpu()], noise().to(x)[k.cpu()]
    return ((x - sigmas.view(-1, 1, 1, 1) * predicted) / alphas.view(-1, 1, 1, 1)).clamp(-1, 1)
