"""The embedding of time: a number in [0, 1] becomes a vector.

Sines and cosines of geometrically spaced frequencies, as in Vaswani et al. 2017, section 3.5.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.linear import Linear


def fourier(t: Tensor, width: int) -> Tensor:
    """(N,) in [0, 1] to (N, width): half sines, half cosines, periods from 2 pi / 1000 to 2 pi."""
    half = width // 2
    steps = torch.arange(half, device=t.device, dtype=torch.float32) / half
    angles = 1000 * t.float()[:, None] * torch.exp(-math.log(1000.0) * steps)
    return torch.cat((angles.sin(), angles.cos()), dim=1)


class TimeEmbedding(nn.Module):
    """Fourier features through two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Linear(64, width)
        self.second = Linear(width, width)

    def forward(self, t: Tensor) -> Tensor:
        """(N,) to (N, width)."""
        features = fourier(t, 64).to(self.first.weight.dtype)
        return self.second(F.silu(self.first(features)))
