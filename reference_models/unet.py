"""The U-Net: a velocity for every pixel, from a noisy picture, a time and a prompt.

Two resolutions, fine and coarse. Convolutions work at both; self-attention and cross-attention to
the words work at the coarse one, where there are few pixels. Time and the whole of the prompt
modulate each block (FiLM: Perez et al. 2018, eq. 1). Skips add instead of concatenating.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.attention import Attention
from reference_models.nn.convolution import Convolution, channels_last, fold, unfold
from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import ChannelNorm, RMSNorm
from reference_models.nn.prompted import Prompted
from reference_models.nn.time import TimeEmbedding
from reference_models.nn.transformer import TextEncoder


class ResidualBlock(nn.Module):
    """Two convolutions on a residual branch, modulated in between."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.first = Convolution(channels, channels)
        self.film = Linear(condition, 2 * channels, gain=0.3)
        self.second = Convolution(channels, channels, gain=0.1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W) and (N, condition) to (N, C, H, W)."""
        h = self.first(F.silu(self.norm(x)))
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        return x + self.second(F.silu(h * (1 + scale) + shift))


class AttentionBlock(nn.Module):
    """Pixels look at one another, then at the words."""

    def __init__(self, channels: int, heads: int, text: int) -> None:
        super().__init__()
        self.norm_self = RMSNorm(channels)
        self.attend_self = Attention(channels, heads)
        self.norm_cross = RMSNorm(channels)
        self.attend_cross = Attention(channels, heads, text)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """(N, C, H, W), words (N, L, text) and their mask (N, L) to (N, C, H, W)."""
        n, c, height, width = x.shape
        tokens = x.permute(0, 2, 3, 1).reshape(n, height * width, c)
        tokens = tokens + self.attend_self(self.norm_self(tokens))
        tokens = tokens + self.attend_cross(self.norm_cross(tokens), text, mask)
        return tokens.view(n, height, width, c).permute(0, 3, 1, 2)


class UNet(Prompted):
    """Velocity of flow matching for pictures of ``3 x side x side``.

    Parameters
    ----------
    words, length : int
        Vocabulary and longest prompt of the text encoder.
    side : int
        Pixels; the fine level has half, the coarse one a quarter.
    fine, coarse : int
        Channels of the two levels.
    fine_blocks, coarse_blocks : int
        Residual blocks on the way down (and again on the way up), and at the coarse level.
    text : int
        Width of the text encoder.
    """

    def __init__(
        self,
        words: int,
        length: int,
        side: int = 32,
        fine: int = 64,
        coarse: int = 128,
        fine_blocks: int = 2,
        coarse_blocks: int = 4,
        text: int = 128,
        text_depth: int = 2,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.side = side
        condition = 2 * coarse
        self.text = TextEncoder(words, length, text, text_depth, heads)
        self.time = TimeEmbedding(condition)
        self.prompt = Linear(text, condition)
        self.enter = Convolution(12, fine)
        self.position = nn.Parameter(0.1 * torch.randn(1, coarse, side // 4, side // 4))
        self.down = nn.ModuleList(ResidualBlock(fine, condition) for _ in range(fine_blocks))
        self.to_coarse = Convolution(4 * fine, coarse, 1)
        self.middle = nn.ModuleList(ResidualBlock(coarse, condition) for _ in range(coarse_blocks))
        self.attention = nn.ModuleList(
            AttentionBlock(coarse, heads, text) for _ in range(coarse_blocks)
        )
        self.to_fine = Convolution(coarse, 4 * fine, 1)
        self.up = nn.ModuleList(ResidualBlock(fine, condition) for _ in range(fine_blocks))
        self.norm = ChannelNorm(fine)
        self.leave = Convolution(fine, 12, gain=0.1)

    def forward(self, x: Tensor, t: Tensor, prompt: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Noisy pictures (N, 3, side, side), times (N,) and encoded prompts to velocities."""
        words, mask, whole = prompt
        condition = F.silu(self.time(t).to(whole.dtype) + whole)
        h = self.enter(channels_last(fold(x)))
        skips = []
        for block in self.down:
            h = block(h, condition)
            skips.append(h)
        h = self.to_coarse(fold(h)) + self.position
        for block, attention in zip(self.middle, self.attention, strict=True):
            h = attention(block(h, condition), words, mask)
        h = unfold(self.to_fine(h))
        for block in self.up:
            h = block(h + skips.pop(), condition)
        return unfold(self.leave(F.silu(self.norm(h))))
