"""Which times are trained on, and which are visited when sampling."""

from __future__ import annotations

import torch
from torch import Tensor


def training_times(
    n: int, generator: torch.Generator, mean: float = -0.2, uniform: float = 0.2
) -> Tensor:
    """Times in (0, 1), float32 (n,): mostly logit-normal, so that the middle is seen most.

    Esser et al. 2024, "Scaling Rectified Flow Transformers", eq. 19. A share ``uniform`` is drawn
    uniformly, so that the ends are learned too.
    """
    normal = torch.sigmoid(mean + torch.randn(n, generator=generator))
    flat = torch.rand(n, generator=generator)
    return torch.where(torch.rand(n, generator=generator) < uniform, flat, normal)


def sampling_times(steps: int, shift: float = 1.0) -> list[float]:
    """``steps + 1`` times from 0 to 1.

    ``shift`` above 1 spends more steps near the noise, where layout and colour are decided
    (Esser et al. 2024, eq. 23, in this direction of time): t = u / (u + shift (1 - u)).
    """
    grid = [k / steps for k in range(steps + 1)]
    return [u / (u + shift * (1 - u)) for u in grid]
