"""The decoder over features of photographs: kinds of place, names, and the mask of what was asked.

It stands on `reference_models.cutout.backbone`, which is kept as it is. Where a noun is known (one
of the suite's subjects, or by the classes of ImageNet), coarse evidence says about where the thing
is; the query branch grows that seed to the thing, away from the seeds of other nouns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.backbone import WIDTHS
from reference_models.cutout.everyday import EVERYDAY

#: Kinds of place.
KINDS: tuple[str, ...] = ("wall", "thing", "plate", "picture frame", "support")
#: What a thing can be; the last is everything else.
NAMES: tuple[str, ...] = (*SUBJECT_NAMES, *EVERYDAY, "other")
OTHER = len(NAMES) - 1
#: Side of the pictures that it is trained on; an image has sides that are multiples of STRIDE.
SIDE, STRIDE = 256, 32
#: Widths of the decoder at a sixteenth, an eighth and a quarter of the size.
DECODER_WIDTHS: tuple[int, int, int] = (96, 64, 32)
_KEY = 16


class DecoderUnit(nn.Module):
    """Convolution, norm, rectifier; depthwise where ``groups`` says so."""

    def __init__(
        self, inputs: int, outputs: int, size: int = 1, groups: int = 1, spread: int = 1
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            inputs, outputs, size, 1, size // 2 * spread, spread, groups, bias=False
        )
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, rectify."""
        return F.relu(self.norm(self.convolution(x)))


class Separable(nn.Module):
    """A depthwise and a pointwise unit beside a shortcut."""

    def __init__(self, width: int, spread: int = 1) -> None:
        super().__init__()
        self.depth = DecoderUnit(width, width, 5, width, spread)
        self.point = DecoderUnit(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the two make of ``x`` to it."""
        return x + self.point(self.depth(x))


def doubled(x: Tensor) -> Tensor:
    """Twice the size, bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class PhotoDecoder(nn.Module):
    """Features to kinds (N, 5, H/4, W/4) and names (N, 68, H/16, W/16); then seeds to masks."""

    def __init__(self, widths: tuple[int, int, int] = DECODER_WIDTHS) -> None:
        super().__init__()
        coarse, middle, fine = widths
        self.of_32 = DecoderUnit(WIDTHS[3], coarse)
        self.of_16 = DecoderUnit(WIDTHS[2], coarse)
        self.of_8 = DecoderUnit(WIDTHS[1], middle)
        self.of_4 = DecoderUnit(WIDTHS[0], fine)
        self.at_32 = Separable(coarse)
        self.at_16 = nn.Sequential(Separable(coarse), Separable(coarse))
        self.to_8, self.to_4 = DecoderUnit(coarse, middle), DecoderUnit(middle, fine)
        self.at_8 = nn.Sequential(Separable(middle), Separable(middle))
        self.at_4 = Separable(fine)
        self.kinds = nn.Conv2d(fine, len(KINDS), 3, 1, 1)
        self.name = DecoderUnit(coarse, 64)
        self.names = nn.Conv2d(64, len(NAMES), 1)
        # Beside what the decoder learned, straight from what the backbone saw.
        self.names_16 = nn.Conv2d(WIDTHS[2], len(NAMES), 1, bias=False)
        self.names_32 = nn.Conv2d(WIDTHS[3], len(NAMES), 1, bias=False)
        self.key = nn.Conv2d(middle, _KEY, 1)
        self.ask = DecoderUnit(middle + 5, middle)
        self.grow = nn.Sequential(Separable(middle), Separable(middle, 2), Separable(middle))
        self.ask_4 = DecoderUnit(middle, fine)
        self.grow_4 = Separable(fine)
        self.mask = nn.Conv2d(fine, 1, 3, 1, 1)

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Kinds and names as logits, and what `query` needs."""
        f4, f8, _, _ = features
        x = self._at_16(features)
        own, f16, f32 = self._naming(x, features)
        names = self.names(own) + self.names_16(f16) + doubled(self.names_32(f32))
        middle = self.at_8(doubled(self.to_8(x)) + self.of_8(f8))
        fine = self.at_4(doubled(self.to_4(middle)) + self.of_4(f4))
        return self.kinds(fine), names, (middle, fine)

    def seen_of_names(self, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """What names are linear in: (N, 64, H/16, W/16), the backbone's at 1/16 and at 1/32."""
        return self._naming(self._at_16(features), features)

    def _at_16(self, features: list[Tensor]) -> Tensor:
        x = doubled(self.at_32(self.of_32(features[3])))
        out: Tensor = self.at_16(x + self.of_16(features[2]))
        return out

    def _naming(self, x: Tensor, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        return self.name(x), features[2], features[3]

    def query(
        self, seen: tuple[Tensor, Tensor], kinds: Tensor, seed: Tensor, rival: Tensor
    ) -> Tensor:
        """Logits of the asked thing (N, 1, H/4, W/4).

        Parameters
        ----------
        seen : tuple of Tensor
            As `forward` gives it.
        kinds : Tensor, float (N, 5, H/4, W/4)
            Logits.
        seed, rival : Tensor, float (N, 1, h, w)
            In [0, 1]: where the asked thing is about, and where others that were asked for are.
        """
        middle, fine = seen
        both = torch.cat([seed, rival], 1)
        both = F.interpolate(both, middle.shape[-2:], mode="bilinear", align_corners=False)
        thing = F.avg_pool2d(kinds.softmax(1)[:, 1:2], 2)
        key = F.normalize(self.key(middle), dim=1)
        places = torch.cat([both, self._alike(key, both * (0.1 + thing)), thing], 1)
        # In one memory format: of two, all of it would be brought into the slower one.
        places = places.contiguous(memory_format=torch.channels_last)
        x = self.grow(self.ask(torch.cat([middle, places], 1)))
        x = self.grow_4(doubled(self.ask_4(x)) + fine)
        return self.mask(x)

    @staticmethod
    def _alike(key: Tensor, where: Tensor) -> Tensor:
        """Cosine of each place's key with the mean key of regions (N, K, h, w); 0 for none."""
        total = where.sum((2, 3))[..., None]
        mean = where.flatten(2) @ key.flatten(2).transpose(1, 2) / total.clamp(min=1e-4)
        alike = F.normalize(mean, dim=2) @ key.flatten(2) * (total > 1e-3)
        return alike.view_as(where)


def widths_of(tensors: Mapping[str, Tensor]) -> tuple[int, int, int]:
    """Widths of a decoder by its tensors."""
    coarse, middle, fine = (
        len(tensors[f"{name}.convolution.weight"]) for name in ("of_16", "of_8", "of_4")
    )
    return coarse, middle, fine


def with_all_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a decoder, of one with fewer names those of the same function.

    Names that it did not know share what it gave to ``other``, the last of its own.
    """
    out = dict(tensors)
    known = len(out["names.bias"])
    more = len(NAMES) - known
    if more:
        rows = torch.tensor([*range(known - 1), *[known - 1] * (more + 1)])
        out |= {name: out[name][rows] for name in ("names.weight", "names.bias")}
        out["names.bias"][known - 1 :] -= math.log(more + 1)
        for name, width in (("names_16", WIDTHS[2]), ("names_32", WIDTHS[3])):
            out[f"{name}.weight"] = out["names.weight"].new_zeros(len(NAMES), width, 1, 1)
    return out


def folded(model: PhotoDecoder) -> PhotoDecoder:
    """The same function without norms: each is folded into the convolution before it."""
    from copy import deepcopy

    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model = deepcopy(model).eval()
    for unit in model.modules():
        if isinstance(unit, DecoderUnit) and isinstance(unit.norm, nn.BatchNorm2d):
            unit.convolution = fuse_conv_bn_eval(unit.convolution, unit.norm)
            unit.norm = nn.Identity()
    return model
