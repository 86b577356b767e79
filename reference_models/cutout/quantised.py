"""The small network in eight-bit integers, on a processor that multiplies those fast.

Weights have a scale for each output channel, and activations, which are rectified, are unsigned
with one scale for all that are added to one another (Jacob et al. 2018, "Quantization and training
of neural networks for efficient integer-arithmetic-only inference"). Sums of products are exact,
so that a picture gets alone what it gets in any batch.

``python -m reference_models.cutout.quantised`` prints what `STREAM`, `WITHIN` and `NAMING` are read
from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.cutout.fused import FusedUnit, sizes_of
from reference_models.cutout.net import KINDS, Block, Cutout, Unit, read_cutout

#: The greatest activation that is told from greater ones: of features, within a block, and before
#: the names. Of 10,000 activations over known scenes no more than about one is greater.
STREAM, WITHIN, NAMING = 12.0, 6.0, 11.0
_LEVELS = 255


def available() -> bool:
    """Whether this processor multiplies such integers fast (AVX-512 VNNI), and this torch can."""
    # Not of torch's public interface, and not there, or called otherwise, in all its versions.
    fast = getattr(torch.cpu, "_is_vnni_supported", bool)()
    if not fast or not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        return False
    schema = torch.ops.onednn.qconv2d_pointwise.default._schema
    return any(argument.name == "output_scale" for argument in schema.arguments)


class Integers(nn.Module):
    """A convolution of unsigned integers, rectified, as one operation of oneDNN.

    Parameters
    ----------
    convolution : Conv2d
    given, made : float
        The greatest value of what goes in, and of what comes out; without the second that is
        float32, and not rectified.
    size : Size
        Of what goes in, mostly: weights are ordered for it.
    zero : int
        The integer of 0 in what goes in.
    """

    def __init__(
        self,
        convolution: nn.Conv2d,
        given: float,
        made: float | None,
        size: Sequence[int],
        zero: int = 0,
    ) -> None:
        super().__init__()
        weight, bias = convolution.weight.float(), convolution.bias
        assert bias is not None
        scale = (weight.abs().amax((1, 2, 3)) / 127).clamp(min=1e-9)
        whole = (weight / scale[:, None, None, None]).round().to(torch.int8)
        shape = (list(convolution.stride), list(convolution.padding), [1, 1], 1)
        of_given = (given / _LEVELS, zero)
        packed = torch.ops.onednn.qconv_prepack(whole, scale, *of_given, *shape, list(size))
        none = torch.zeros(len(scale), dtype=torch.int64)
        after = (
            (1.0, 0, torch.float32, "none") if made is None
            else (made / _LEVELS, 0, torch.uint8, "relu")
        )  # fmt: skip
        self.settings: tuple[Any, ...] = (
            *of_given,
            packed,
            scale,
            none,
            bias.float(),
            *shape,
            *after,
            [],
            "",
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve uint8 (N, C, H, W)."""
        done: Tensor = torch.ops.onednn.qconv2d_pointwise(x, *self.settings)
        return done


def _plus(x: Tensor, y: Tensor) -> Tensor:
    """Sum of bytes, 255 where it is more."""
    return torch.minimum(x, y.bitwise_not()).add_(y)


class IntegerBlock(nn.Module):
    """A `Block` of integers."""

    def __init__(self, block: Block, sizes: dict[nn.Module, torch.Size]) -> None:
        super().__init__()
        first, second = block.first.convolution, block.second.convolution
        self.first = Integers(first, STREAM, WITHIN, sizes[first])
        self.second = Integers(second, WITHIN, STREAM, sizes[second])

    def forward(self, x: Tensor) -> Tensor:
        """Add what the two convolutions make of ``x`` to it."""
        return _plus(x, self.second(self.first(x)))


class QuantisedCutout(nn.Module):
    """What a `Cutout` gives, in eight-bit integers.

    Parameters
    ----------
    model : Cutout
        Folded, float32.
    picture : Tensor, uint8 (N, 3, H, W)
        Of the size that it is made for.
    """

    same_alone = False

    def __init__(self, model: Cutout, picture: Tensor) -> None:
        super().__init__()
        sizes = sizes_of(model, (nn.Conv2d,), lambda: model.predict(picture))

        def unit(layer: nn.Module, made: float | None = STREAM) -> Integers:
            convolution = getattr(layer, "convolution", layer)
            assert isinstance(convolution, nn.Conv2d)
            given = NAMING if layer is model.names else STREAM
            return Integers(convolution, given, made, sizes[convolution])

        # Black is -1 and white 1; 0 lies between two bytes, and is the upper one.
        self.stem = Integers(_of_pixels(model.stem.convolution), 2.0, STREAM, picture.shape, 128)
        self.down = nn.ModuleList(
            nn.Sequential(
                *(
                    IntegerBlock(one, sizes) if isinstance(one, Block) else unit(one)
                    for one in level
                )
            )
            for level in model.down
            if isinstance(level, nn.Sequential)
        )
        # Of the whole picture something is taken off the features: they may be negative.
        self.whole, below = model.whole, model.across[0]
        assert isinstance(below, Unit)
        self.first_across = FusedUnit(below, sizes[below.convolution])
        self.across = nn.ModuleList(map(unit, [*model.across][1:]))
        self.up = nn.ModuleList(
            IntegerBlock(one, sizes) for one in model.up if isinstance(one, Block)
        )
        self.name, self.names = unit(model.name, NAMING), unit(model.names, None)
        self.kinds = unit(_by_place(model.kinds, sizes), None)

    def predict(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of kinds and names, and means of the features: as `Cutout.predict`."""
        features = [self.stem(picture)]
        for down in self.down:
            features.append(down(features[-1]))
        step = STREAM / _LEVELS
        means = torch.cat([one.float().mean((2, 3)) for one in features], 1).mul_(step)
        *kept, x = features
        x = x.float().mul_(step)
        x = self.first_across(x + self.whole(x.mean((2, 3)))[:, :, None, None])
        x = x.mul_(1 / step).round_().clamp_(max=_LEVELS).to(torch.uint8)
        seen = []
        for number, (up, skip) in enumerate(zip(self.up, reversed(kept), strict=True)):
            if number:
                x = self.across[number - 1](x)
            x = up(_plus(F.interpolate(x, scale_factor=2, mode="nearest"), skip))
            seen.append(x)
        wide = F.interpolate(seen[0], scale_factor=2, mode="nearest")
        names = self.names(self.name(torch.cat([seen[1], wide], 1)))
        kinds = self.kinds(x).permute(0, 2, 3, 1)
        count, height, width, _ = kinds.shape
        kinds = kinds.view(count, height, width, 2, 2, len(KINDS)).transpose(2, 3)
        kinds = kinds.reshape(count, 2 * height, 2 * width, len(KINDS)).permute(0, 3, 1, 2)
        return kinds, names, means


def _of_pixels(convolution: nn.Conv2d) -> nn.Conv2d:
    """The first convolution over the pixels themselves, not over squares of two by two."""
    outputs, inputs, size, _ = convolution.weight.shape
    made = nn.Conv2d(inputs // 4, outputs, 2 * size, 2, 2 * (size // 2))
    weight = convolution.weight.view(outputs, inputs // 4, 2, 2, size, size)
    made.weight = nn.Parameter(weight.permute(0, 1, 4, 2, 5, 3).reshape(made.weight.shape))
    assert convolution.bias is not None
    # Half a byte off zero, all over the picture.
    half = 0.5 / 127.5 * made.weight.sum((1, 2, 3))
    made.bias = nn.Parameter(convolution.bias + half)
    return made


def _by_place(convolution: nn.Conv2d, sizes: dict[nn.Module, torch.Size]) -> nn.Conv2d:
    """The last convolution with its outputs by place in a square of two by two, then by kind."""
    order = torch.arange(4 * len(KINDS)).view(len(KINDS), 4).T.flatten()
    made = nn.Conv2d(convolution.in_channels, len(order), 3, 1, 1)
    assert convolution.bias is not None
    made.weight = nn.Parameter(convolution.weight[order])
    made.bias = nn.Parameter(convolution.bias[order])
    sizes[made] = sizes[convolution]
    return made


def main() -> None:
    """Print, of 384 known scenes, what 9,999 of 10,000 activations are below, and the greatest."""
    from reference_models.cutout.data import rendered

    model = read_cutout()
    found: dict[str, list[Tensor]] = {"STREAM": [], "WITHIN": [], "NAMING": []}
    within = {block.first for block in model.modules() if isinstance(block, Block)}

    def see(part: nn.Module, _: object, made: Tensor) -> None:
        name = "WITHIN" if part in within else "NAMING" if part is model.name else "STREAM"
        found[name].append(made.flatten())

    for part in model.modules():
        if isinstance(part, Unit | Block):
            part.register_forward_hook(see)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for _ in range(12):
            model.predict((rendered(32, generator).image * 255).byte())
    for name, parts in found.items():
        made = torch.cat(parts)
        most = made.kthvalue(round(0.9999 * len(made))).values
        print(f"{name}: {most:.1f}, at most {made.max():.1f}")


if __name__ == "__main__":
    main()
