"""Convolution, and the two rearrangements that trade resolution for channels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Convolution(nn.Module):
    """A square convolution that keeps height and width (zero padding).

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    size : int
        Side of the kernel, odd.
    gain : float
        Scale of the first weights, as in ``Linear``.
    """

    def __init__(self, inputs: int, outputs: int, size: int = 3, gain: float = 1.0) -> None:
        super().__init__()
        bound = gain / math.sqrt(inputs * size * size)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, size, size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)


def fold(x: Tensor, factor: int = 2) -> Tensor:
    """Space to depth: (N, C, H, W) to (N, C factor^2, H / factor, W / factor)."""
    return F.pixel_unshuffle(x, factor)


def unfold(x: Tensor, factor: int = 2) -> Tensor:
    """Depth to space, the inverse of ``fold``."""
    return F.pixel_shuffle(x, factor)


def channels_last(x: Tensor) -> Tensor:
    """(N, C, H, W) with the channels of a pixel side by side in memory, also under ``vmap``."""
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
