"""From 32 to 64 pixels: a feed-forward network that draws the edges in.

The U-Net decides what is where in which colour on 32 x 32 pixels; this network, the same for every
prompt, adds what the rendered world's shapes look like at twice the size. It predicts a residual
on top of the enlarged picture, as in cascades (Ho et al. 2022), but without noise: there is little
left to choose.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.convolution import Convolution, unfold


class Upsampler(nn.Module):
    """Doubles the side of a picture.

    Parameters
    ----------
    channels : int
    depth : int
        Residual pairs of convolutions.
    """

    def __init__(self, channels: int = 48, depth: int = 2) -> None:
        super().__init__()
        self.enter = Convolution(3, channels)
        self.first = nn.ModuleList(Convolution(channels, channels) for _ in range(depth))
        self.second = nn.ModuleList(Convolution(channels, channels, gain=0.3) for _ in range(depth))
        self.leave = Convolution(channels, 12, gain=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, 2H, 2W), both in [-1, 1]."""
        h = self.enter(x)
        for first, second in zip(self.first, self.second, strict=True):
            h = h + second(F.silu(first(F.silu(h))))
        large = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return large + unfold(self.leave(F.silu(h)))
