"""Normalisation: keep activations at unit size, with one learned scale a channel.

Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4: no mean is taken away.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Added to the mean square.
EPSILON = 1e-5


class RMSNorm(nn.Module):
    """x / rms(x) * g over the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return F.rms_norm(x, self.gain.shape, self.gain.to(x.dtype), EPSILON)


class ChannelNorm(nn.Module):
    """RMSNorm over the channels of each pixel of an image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape; in channels-last memory axes only swap names."""
        y = F.rms_norm(x.permute(0, 2, 3, 1), self.gain.shape, self.gain.to(x.dtype), EPSILON)
        return y.permute(0, 3, 1, 2)
