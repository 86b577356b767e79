"""Convolutions of a network that is only used: one pass over memory each, on a CPU.

A convolution writes its result to memory and a rectifier reads and writes it again; and at every
call oneDNN brings the weights into the order that it multiplies them in. Here the rectifier is done
while the result is at hand, and the weights are put in order once. Values are the same, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.cutout.backbone import Layer
from reference_models.cutout.net import Unit
from reference_models.cutout.photo_decoder import DecoderUnit

Network = TypeVar("Network", bound=nn.Module)


class FusedUnit(nn.Module):
    """A `Layer`, `Unit` or `DecoderUnit` whose norm is folded, as one operation of oneDNN."""

    def __init__(self, unit: Layer | Unit | DecoderUnit, size: torch.Size | None) -> None:
        super().__init__()
        convolution = unit.convolution
        assert isinstance(convolution, nn.Conv2d)
        pad = convolution.padding[0]
        self.around: tuple[int, ...] = ()
        self.after: tuple[str, list[float]] = ("relu", [])
        if isinstance(unit, Layer):
            self.after = ("none", []) if unit.linear else ("hardtanh", [0.0, 6.0])
            whole = unit.kernel - convolution.stride[0]
            if whole % 2:
                self.around = (whole // 2, whole - whole // 2) * 2
            else:
                pad = whole // 2
        shape = (
            [pad, pad],
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self.shape = shape
        self.bias = convolution.bias
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            convolution.weight, *shape, list(size) if size and not self.around else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """What the unit would give."""
        if self.around:
            x = F.pad(x, self.around)
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.shape, *self.after, ""
        )
        return done


def fused(model: Network, run: Callable[[Network], object]) -> Network:
    """Replace the units of a network in place, where this torch can.

    Parameters
    ----------
    model : Module
        In its final precision, its norms folded. One that is not on a CPU is left as it is.
    run : callable
        Puts something through the network of the size that weights are ordered for; other sizes
        are right too, and a little slower.

    Returns
    -------
    Module
        ``model``.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    if not on_cpu or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return model
    sizes: dict[nn.Module, torch.Size] = {}
    units = [u for u in model.modules() if isinstance(u, (Layer, Unit, DecoderUnit))]

    def see(unit: nn.Module, given: tuple[Tensor, ...]) -> None:
        sizes[unit] = given[0].shape

    hooks = [unit.register_forward_pre_hook(see) for unit in units]
    with torch.inference_mode():
        run(model)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, (Layer, Unit, DecoderUnit)):
                    setattr(parent, name, FusedUnit(child, sizes.get(child)))
    return model
