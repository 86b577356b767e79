"""The small image tower of the bundled CLIP: the feature of a whole picture, and nothing dense.

It is distilled from the vision transformer (`reference_models.clip.distil`) and speaks the same
language as its text tower, for a fifth of the time. Convolutions bring a picture of 64 pixels to
a grid of 4 by 4; then come blocks of a transformer over those, or the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.clip.network import Blocks
from reference_models.errors import ModelError
from reference_models.weights import fill, read_weights, write_weights


@dataclass(frozen=True, slots=True)
class PooledShape:
    """What a small tower is built of.

    Attributes
    ----------
    stem : tuple of (int, int, int)
        Kernel, stride and channels of each convolution; one that keeps the shape adds to it.
    layers : int
        Blocks of a transformer over the last grid; the mean is taken where there is none.
    features : int
        Of the space shared with the texts.
    head_width : int
        Channels of one head of attention.
    ratio : float
        Of the hidden width of a block to its width.
    side : int
        Of the picture.
    """

    stem: tuple[tuple[int, int, int], ...]
    layers: int
    features: int = 128
    head_width: int = 32
    ratio: float = 3.0
    side: int = 64


class Rectified(nn.Conv2d):
    """A convolution and a rectifier."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, rectify."""
        return F.relu(super().forward(x))


class PooledTower(nn.Module):
    """Pictures, normalised as for the vision transformer, to features.

    Parameters
    ----------
    shape : PooledShape
    """

    def __init__(self, shape: PooledShape) -> None:
        super().__init__()
        self.shape = shape
        channels, grid, parts = 3, shape.side, []
        for kernel, stride, width in shape.stem:
            parts.append(Rectified(channels, width, kernel, stride, (kernel - stride + 1) // 2))
            channels, grid = width, grid // stride
        self.stem = nn.ModuleList(parts)
        self.ln_post = nn.LayerNorm(channels)
        self.proj = nn.Parameter(torch.randn(channels, shape.features) * channels**-0.5)
        if shape.layers:
            self.class_embedding = nn.Parameter(torch.randn(channels) * 0.02)
            self.positional_embedding = nn.Parameter(torch.randn(grid**2 + 1, channels) * 0.02)
            self.ln_pre = nn.LayerNorm(channels)
            heads = channels // shape.head_width
            self.transformer = Blocks(shape.layers, channels, heads, shape.ratio)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, D), not normalised, of pictures (N, 3, side, side)."""
        x = images.contiguous(memory_format=torch.channels_last)
        for convolution in self.stem:
            y = convolution(x)
            x = x + y if y.shape == x.shape else y
        x = x.flatten(2).transpose(1, 2)
        if self.shape.layers:
            whole = self.class_embedding.expand(len(x), 1, -1)
            x = self.ln_pre(torch.cat([whole, x], 1) + self.positional_embedding)
            seen = self.transformer(x, first=True)[:, 0]
        else:
            seen = x.mean(1)
        pooled: Tensor = self.ln_post(seen) @ self.proj
        return pooled


def save_pooled(path: Path, tower: PooledTower, facts: dict[str, Any]) -> None:
    """Write a tower, float16, with its shape and what else is known of it in the header."""
    write_weights(path, tower.state_dict(), {"shape": asdict(tower.shape), **facts})


def load_pooled(path: Path) -> PooledTower:
    """Read what `save_pooled` wrote, float32, in channels-last memory.

    Raises
    ------
    ModelError
        A file that holds no such tower.
    """
    tensors, facts = read_weights(path)
    try:
        shape = PooledShape(**{**facts["shape"], "stem": _stem(facts["shape"]["stem"])})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"weight file {path} does not say what tower it holds: {error}") from error
    tower = PooledTower(shape)
    fill(tower, tensors, "", path)
    return tower.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _stem(parts: Sequence[Sequence[int]]) -> tuple[tuple[int, int, int], ...]:
    return tuple((int(kernel), int(stride), int(width)) for kernel, stride, width in parts)
