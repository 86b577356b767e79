"""Convolutions of a network that is only used: one pass over memory each, on a CPU.

A convolution writes its result to memory and a rectifier reads and writes it again; and at every
call oneDNN brings the weights into the order that it multiplies them in. Here the rectifier is done
while the result is at hand, and the weights are put in order once. Values are the same, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.clip.pooled import Rectified
from reference_models.cutout.backbone import Layer
from reference_models.cutout.net import Unit
from reference_models.cutout.photo_decoder import DecoderUnit

Network = TypeVar("Network", bound=nn.Module)


#: What is replaced: convolutions with what follows them, a folded norm between, and bare ones.
_UNITS = (Layer, Unit, DecoderUnit)


class FusedUnit(nn.Module):
    """A unit, or a bare convolution, as one operation of oneDNN."""

    def __init__(
        self, unit: Layer | Unit | DecoderUnit | nn.Conv2d, size: torch.Size | None
    ) -> None:
        super().__init__()
        convolution = unit if isinstance(unit, nn.Conv2d) else unit.convolution
        assert isinstance(convolution, nn.Conv2d)
        pad, weight = int(convolution.padding[0]), convolution.weight
        self.around: tuple[int, ...] = ()
        bare = unit is convolution and not isinstance(unit, Rectified)
        self.after: tuple[str, list[float]] = ("none" if bare else "relu", [])
        if isinstance(unit, Layer):
            self.after = ("none", []) if unit.linear else ("hardtanh", [0.0, 6.0])
            whole = unit.kernel - convolution.stride[0]
            pad = whole - whole // 2
            if whole % 2 and convolution.groups > 1:
                # A zero before each row and column of the kernel in place of a copy of what it
                # sees: then it is padded alike on both sides.
                weight = F.pad(weight, (1, 0, 1, 0))
            elif whole % 2:
                self.around, pad = (whole // 2, pad) * 2, 0
        shape = (
            [pad, pad],
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self.shape = shape
        self.bias = convolution.bias
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            weight, *shape, list(size) if size and not self.around else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """What the unit would give."""
        if self.around:
            x = F.pad(x, self.around)
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.shape, *self.after, ""
        )
        return done


class FusedLinear(nn.Module):
    """A linear layer whose weights are in order for passes of some rows."""

    def __init__(self, layer: nn.Linear, size: torch.Size | None) -> None:
        super().__init__()
        rows = size[:-1].numel() if size else None
        self.bias = layer.bias
        self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight, rows)

    def forward(self, x: Tensor) -> Tensor:
        """What the layer would give."""
        done: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return done


def same_alone(run: Callable[[Tensor], Sequence[Tensor]], batch: Tensor) -> bool:
    """Whether the first of a batch gets alone, bit by bit, what it gets among the others.

    The rounding of a product may depend on its shape. Where it does not, on this processor, a pass
    need not be filled up to a fixed size. On a GPU, which waits for many small passes anyway, this
    is not looked at.
    """
    if batch.device.type != "cpu":
        return False
    with torch.inference_mode():
        among, alone = run(batch), run(batch[:1])
    return all(torch.equal(one[:1], other) for one, other in zip(among, alone, strict=True))


def sizes_of(
    model: nn.Module, kinds: tuple[type[nn.Module], ...], run: Callable[[], object]
) -> dict[nn.Module, torch.Size]:
    """Shape of what goes into each part of some kinds while something is put through a network."""
    sizes: dict[nn.Module, torch.Size] = {}

    def see(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        sizes[part] = given[0].shape

    parts = [part for part in model.modules() if isinstance(part, kinds)]
    hooks = [part.register_forward_pre_hook(see) for part in parts]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return sizes


def fused(model: Network, run: Callable[[Network], object], linear: bool = False) -> Network:
    """Replace the units of a network in place, where this torch can.

    Parameters
    ----------
    model : Module
        In its final precision, its norms folded. One that is not on a CPU is left as it is.
    run : callable
        Puts something through the network of the size that weights are ordered for; other sizes
        are right too, and a little slower.
    linear : bool
        Whether linear layers are replaced too: what they give is then the same up to rounding.

    Returns
    -------
    Module
        ``model``.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    if not on_cpu or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return model
    places = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, _UNITS)
        or (isinstance(child, nn.Conv2d) and not isinstance(parent, _UNITS))
        or (linear and isinstance(child, nn.Linear))
    ]
    sizes = sizes_of(model, (*_UNITS, nn.Conv2d, nn.Linear), lambda: run(model))
    with torch.no_grad():
        for parent, name, unit in places:
            size = sizes.get(unit)
            done = FusedLinear(unit, size) if isinstance(unit, nn.Linear) else FusedUnit(unit, size)
            setattr(parent, name, done)
    return model
