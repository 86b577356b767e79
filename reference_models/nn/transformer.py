"""A transformer over the words of a prompt: tokens in, one vector a word out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.attention import Attention
from reference_models.nn.linear import Linear, looked_up
from reference_models.nn.normalisation import RMSNorm


class TransformerBlock(nn.Module):
    """Pre-normalised self-attention, then a two-layer perceptron, each on a residual branch."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_attention = RMSNorm(width)
        self.attention = Attention(width, heads)
        self.norm_mlp = RMSNorm(width)
        self.up = Linear(width, 3 * width)
        self.down = Linear(3 * width, width, gain=0.1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, L, width) to the same shape; ``mask`` bool (N, L)."""
        y = self.norm_attention(x)
        x = x + self.attention(y, None, mask)
        return x + self.down(F.gelu(self.up(self.norm_mlp(x)), approximate="tanh"))


class TextEncoder(nn.Module):
    """Word embeddings plus learned positions through a few transformer blocks.

    The empty prompt of classifier-free guidance is a row of padding: its first place is left
    visible, so that attention always has something to look at. Without positions (``ordered``
    False) it reads a bag of words.
    """

    def __init__(
        self,
        words: int,
        length: int,
        width: int,
        depth: int,
        heads: int,
        ordered: bool = True,
    ) -> None:
        super().__init__()
        self.embedding = nn.Parameter(0.5 * torch.randn(words, width))
        position = 0.1 * torch.randn(length, width)
        self.position = nn.Parameter(position if ordered else torch.zeros_like(position))
        self.position.requires_grad_(ordered)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.norm = RMSNorm(width)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids int64 (N, L), 0 for padding, to vectors (N, L, width) and mask bool (N, L)."""
        mask = ids != 0
        mask[:, 0] = True
        x = looked_up(ids, self.embedding) + self.position[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x), mask
