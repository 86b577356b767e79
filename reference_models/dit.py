"""A transformer in place of the U-Net: the picture as a sequence of patches.

Peebles and Xie 2023, "Scalable Diffusion Models with Transformers": patches in, patches out, and
blocks that are modulated by time and prompt (adaptive normalisation, section 3.2). The modulation
is computed once for all blocks and each adds its own constant to it, as in Chen et al. 2024,
"PixArt-alpha", section 2.3, which saves a quarter of the weights. Words come by cross-attention.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.attention import Attention
from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import RMSNorm
from reference_models.nn.prompted import Prompted
from reference_models.nn.time import TimeEmbedding
from reference_models.nn.transformer import TextEncoder


def patches(x: Tensor, size: int) -> Tensor:
    """Pictures (N, C, H, W) to patches (N, H W / size^2, C size^2), row by row."""
    return F.pixel_unshuffle(x, size).flatten(2).transpose(1, 2)


def picture(tokens: Tensor, size: int, side: int) -> Tensor:
    """Patches (N, L, C size^2) back to pictures (N, C, side, side)."""
    grid = side // size
    return F.pixel_shuffle(tokens.transpose(1, 2).unflatten(2, (grid, grid)), size)


class ModulatedBlock(nn.Module):
    """Self-attention, cross-attention and a perceptron; the first and last scaled and gated."""

    def __init__(self, width: int, heads: int, text: int) -> None:
        super().__init__()
        self.norm_self = RMSNorm(width)
        self.attend_self = Attention(width, heads)
        self.norm_cross = RMSNorm(width)
        self.attend_cross = Attention(width, heads, text)
        self.norm_mlp = RMSNorm(width)
        self.up = Linear(width, 3 * width)
        self.down = Linear(3 * width, width, gain=0.3)
        self.own = nn.Parameter(torch.zeros(6 * width))

    def forward(self, x: Tensor, modulation: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """(N, L, width), modulation (N, 6 width), words (N, M, text), mask (N, M) to the same."""
        parts = (modulation + self.own.to(modulation.dtype))[:, None].chunk(6, dim=-1)
        scale_self, shift_self, gate_self, scale_mlp, shift_mlp, gate_mlp = parts
        h = self.norm_self(x) * (1 + scale_self) + shift_self
        x = x + (1 + gate_self) * self.attend_self(h)
        x = x + self.attend_cross(self.norm_cross(x), text, mask)
        h = self.norm_mlp(x) * (1 + scale_mlp) + shift_mlp
        return x + (1 + gate_mlp) * self.down(F.gelu(self.up(h), approximate="tanh"))


class DiT(Prompted):
    """Prediction for every pixel of ``3 x side x side`` pictures, as ``UNet``.

    Parameters
    ----------
    words, length : int
        Vocabulary and longest prompt of the text encoder.
    side, patch : int
        Pixels of the picture and of a patch.
    width, depth, heads : int
    text, text_depth : int
        Width and depth of the text encoder.
    """

    def __init__(
        self,
        words: int,
        length: int,
        side: int = 32,
        patch: int = 4,
        width: int = 160,
        depth: int = 6,
        heads: int = 5,
        text: int = 128,
        text_depth: int = 2,
    ) -> None:
        super().__init__()
        self.side, self.patch = side, patch
        self.text = TextEncoder(words, length, text, text_depth, 4)
        self.time = TimeEmbedding(width)
        self.prompt = Linear(text, width)
        self.modulation = Linear(width, 6 * width, gain=0.3)
        self.enter = Linear(3 * patch * patch, width)
        self.position = nn.Parameter(0.1 * torch.randn(1, (side // patch) ** 2, width))
        self.blocks = nn.ModuleList(ModulatedBlock(width, heads, text) for _ in range(depth))
        self.norm = RMSNorm(width)
        self.leave = Linear(width, 3 * patch * patch, gain=0.1)

    def forward(self, x: Tensor, t: Tensor, prompt: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Noisy pictures (N, 3, side, side), times (N,) and encoded prompts to predictions."""
        words, mask, whole = prompt
        modulation = self.modulation(F.silu(self.time(t).to(whole.dtype) + whole))
        h = self.enter(patches(x, self.patch)) + self.position.to(whole.dtype)
        for block in self.blocks:
            h = block(h, modulation, words, mask)
        return picture(self.leave(self.norm(h)), self.patch, self.side)
