"""The network: a small U-Net whose norms are folded into its convolutions once it is trained.

Two answers for each place: what kind of region it is (`KINDS`), and which subject a thing is.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.subjects import SUBJECT_NAMES
from reference_models.weights import fill, read_weights

PATH = Path(__file__).parent / "weights" / "cutout.safetensors"

#: Kinds of region: what is behind everything, things, and the two kinds of named neighbour.
KINDS: tuple[str, ...] = ("background", "thing", "plate", "picture frame")
#: What a thing can be; the last is everything else.
NAMES: tuple[str, ...] = (*SUBJECT_NAMES, "other")
#: Side of the pictures that it is trained on.
SIDE = 96
#: An image must have sides that are multiples of this.
STRIDE = 16
WIDTHS = (16, 40, 80, 128)


class Unit(nn.Module):
    """Convolution, norm, rectifier."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, rectify."""
        return F.relu(self.norm(self.convolution(x)), inplace=True)


class Block(nn.Module):
    """Two units beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Unit(width, width), Unit(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the two units make of ``x`` to it."""
        return x + self.second(self.first(x))


class Cutout(nn.Module):
    """Pictures (N, 3, H, W) in [-1, 1] to logits of kinds (N, 4, H, W) and names (N, 28, H/4, W/4).

    H and W are multiples of ``STRIDE``.

    Attributes
    ----------
    same_alone : bool
        Whether it is known that a picture gets alone what it gets in any batch.
    """

    same_alone = False

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = Unit(12, a)
        self.down = nn.ModuleList(
            (
                nn.Sequential(Unit(a, b, 3, 2), Block(b)),
                nn.Sequential(Unit(b, c, 3, 2), Block(c), Block(c)),
                nn.Sequential(Unit(c, d, 3, 2), Block(d), Block(d)),
            )
        )
        self.whole = nn.Linear(d, d)
        self.across = nn.ModuleList((Unit(d, c, 1), Unit(c, b, 1), Unit(b, a, 1)))
        self.up = nn.ModuleList((Block(c), Block(b), Block(a)))
        self.kinds = nn.Conv2d(a, 4 * len(KINDS), 3, 1, 1)
        self.name = Unit(b + c, 64, 1)
        self.names = nn.Conv2d(64, len(NAMES), 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Go down to a sixteenth, look at the whole, and come up again beside what was kept."""
        return self.decode(self.encode(x))

    def predict(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of kinds and names, float32, and means of the features (N, 264).

        Parameters
        ----------
        picture : Tensor, uint8 (N, 3, H, W)
        """
        x = picture.float().div_(127.5).sub_(1)
        x = x.to(self.whole.weight.dtype, memory_format=torch.channels_last)
        features = self.encode(x)
        kinds, names = (one.float() for one in self.decode(features))
        means = torch.cat([one.mean((2, 3), dtype=torch.float32) for one in features], 1)
        return kinds, names, means

    def encode(self, x: Tensor) -> list[Tensor]:
        """Features at a half, a quarter, an eighth and a sixteenth."""
        features = [self.stem(F.pixel_unshuffle(x, 2))]
        for down in self.down:
            features.append(down(features[-1]))
        return features

    def decode(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits of kinds and names from the features."""
        *kept, x = features
        x = x + self.whole(x.mean((2, 3)))[:, :, None, None]
        seen = []
        for across, up, skip in zip(self.across, self.up, reversed(kept), strict=True):
            x = F.interpolate(across(x), scale_factor=2, mode="nearest")
            x = up(x + skip)
            seen.append(x)
        wide = F.interpolate(seen[0], scale_factor=2, mode="nearest")
        names = self.names(self.name(torch.cat([seen[1], wide], 1)))
        return F.pixel_shuffle(self.kinds(x), 2), names


def folded(model: Cutout) -> Cutout:
    """The same function without norms: each is folded into the convolution before it."""
    from copy import deepcopy

    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model = deepcopy(model).eval()
    for unit in model.modules():
        if isinstance(unit, Unit) and isinstance(unit.norm, nn.BatchNorm2d):
            unit.convolution = fuse_conv_bn_eval(unit.convolution, unit.norm)
            unit.norm = nn.Identity()
    return model


def empty() -> Cutout:
    """A folded network with no weights yet."""
    model = Cutout()
    for unit in model.modules():
        if isinstance(unit, Unit):
            bare = unit.convolution
            sizes = (bare.kernel_size[0], bare.stride[0], bare.padding[0])
            unit.convolution = nn.Conv2d(bare.in_channels, bare.out_channels, *sizes)
            unit.norm = nn.Identity()
    return model


def read_cutout(path: Path = PATH) -> Cutout:
    """The network as it is stored, its norms folded, in float32 on the CPU."""
    tensors, _ = read_weights(path)
    model = empty()
    fill(model, tensors, "", path)
    return model.eval().requires_grad_(False)
