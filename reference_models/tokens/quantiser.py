"""The quantiser: a picture as 8 x 8 whole numbers, and back.

Mentzer et al. 2023, "Finite Scalar Quantization: VQ-VAE Made Simple": each place has a few numbers,
each is squashed into a range and rounded to one of a few levels, and all of them together are one
code. No codebook is learned, so none of its codes can die out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.convolution import Convolution, channels_last, fold, unfold
from reference_models.nn.normalisation import ChannelNorm

#: Levels of the numbers of one place.
LEVELS = (8, 6, 6, 5)
#: Codes that these give.
CODES = math.prod(LEVELS)


class Levels(nn.Module):
    """Rounding to levels, and counting the codes.

    Parameters
    ----------
    levels : tuple of int
        Of each number of a place, at least 2.
    """

    counts: Tensor
    places: Tensor

    def __init__(self, levels: tuple[int, ...] = LEVELS) -> None:
        super().__init__()
        counts = torch.tensor(levels)
        places = torch.tensor([math.prod(levels[:k]) for k in range(len(levels))])
        self.register_buffer("counts", counts, persistent=False)
        self.register_buffer("places", places, persistent=False)

    def rounded(self, z: Tensor) -> Tensor:
        """Numbers (..., len(levels)) to levels 0 to L - 1, as floats, differentiable.

        The tanh keeps them in range (eq. 1 of the paper); the gradient passes the rounding as if it
        were not there (Bengio, Leonard and Courville 2013).
        """
        top = (self.counts - 1).to(z.dtype)
        inside = (torch.tanh(z) + 1) / 2 * top
        return inside + (inside.round() - inside).detach()

    def centred(self, levels: Tensor) -> Tensor:
        """Levels (..., len(levels)) to numbers in [-1, 1]: what the decoder reads."""
        return 2 * levels / (self.counts - 1).to(levels.dtype) - 1

    def codes(self, levels: Tensor) -> Tensor:
        """Levels (..., len(levels)) to codes int64 (...), the first number counting fastest."""
        return (levels.round().long() * self.places).sum(-1)

    def levels_of(self, codes: Tensor) -> Tensor:
        """Codes int64 (...) to levels, int64 (..., len(levels))."""
        return codes[..., None] // self.places % self.counts


class Residual(nn.Module):
    """Two convolutions on a residual branch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.first = Convolution(channels, channels)
        self.second = Convolution(channels, channels, gain=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


class Quantiser(nn.Module):
    """Autoencoder with levels in the middle: a code for each square of 4 x 4 pixels.

    Parameters
    ----------
    fine, coarse : int
        Channels at half and at a quarter of the side.
    levels : tuple of int
    """

    #: Pixels of a square's side.
    square = 4

    def __init__(self, fine: int = 48, coarse: int = 96, levels: tuple[int, ...] = LEVELS) -> None:
        super().__init__()
        self.levels = Levels(levels)
        self.enter = Convolution(12, fine)
        self.fine_in = Residual(fine)
        self.to_coarse = Convolution(4 * fine, coarse, 1)
        self.coarse_in = Residual(coarse)
        self.to_levels = Convolution(coarse, len(levels), 1)
        self.from_levels = Convolution(len(levels), coarse)
        self.coarse_out = nn.ModuleList(Residual(coarse) for _ in range(2))
        self.to_fine = Convolution(coarse, 4 * fine, 1)
        self.fine_out = Residual(fine)
        self.norm = ChannelNorm(fine)
        self.leave = Convolution(fine, 12)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [-1, 1] to levels, floats (N, H / 4, W / 4, numbers)."""
        h = self.fine_in(self.enter(channels_last(fold(pictures))))
        h = self.coarse_in(self.to_coarse(fold(h)))
        return self.levels.rounded(self.to_levels(h).float().permute(0, 2, 3, 1))

    def decode(self, levels: Tensor) -> Tensor:
        """Levels (N, h, w, numbers) to pictures (N, 3, 4 h, 4 w), about in [-1, 1]."""
        z = self.levels.centred(levels).permute(0, 3, 1, 2).to(self.from_levels.weight.dtype)
        h = self.from_levels(z)
        for block in self.coarse_out:
            h = block(h)
        h = self.fine_out(unfold(self.to_fine(h)))
        return unfold(self.leave(F.silu(self.norm(h))))

    @torch.no_grad()
    def codes(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) to codes int64 (N, H W / 16), row by row."""
        return self.levels.codes(self.encode(pictures)).flatten(1)

    def pictures(self, codes: Tensor) -> Tensor:
        """Codes int64 (N, L) of a square grid, row by row, to pictures (N, 3, side, side)."""
        grid = math.isqrt(codes.shape[1])
        return self.decode(self.levels.levels_of(codes.view(-1, grid, grid)).float())

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) to what is left of them, differentiable."""
        return self.decode(self.encode(pictures))
