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
    """``count`` steps of the schedule from the last one down, evenly spread, the first left out."""
    return [round((steps - 1) * (1 - k / count)) for k in range(count)]
