"""Several networks of one kind in one step: their weights are stacked, and each product is of all.

A small network leaves most of a GPU idle, and several side by side wait for one another's many
small calls. Here one call does the work of all (`torch.func`, "model ensembling"). Convolutions
become products of matrices, since those of stacked weights would be grouped ones, which are slow.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from reference_models.nn.convolution import Convolution
from reference_models.nn.normalisation import EPSILON, ChannelNorm, RMSNorm
from reference_models.presets import Network, TrainingPreset
from reference_models.resident import BatchLoss, ResidentTraining, Stage


def neighbourhoods(x: Tensor, size: int) -> Tensor:
    """The square around each pixel, with zeros beyond the edge.

    Parameters
    ----------
    x : Tensor (K, N, H, W, C)
    size : int
        Side of the square, odd.

    Returns
    -------
    Tensor (K, N H W, size^2 C)
    """
    rows = _widened(x.contiguous())
    if size > 1:
        rows = F.pad(rows, (0, 0, *(size // 2,) * 4)).unfold(2, size, 1).unfold(3, size, 1)
        rows = rows.permute(0, 1, 2, 3, 5, 6, 4)
    return rows.reshape(x.shape[0], math.prod(x.shape[1:4]), -1).view(x.dtype)


def _widened(x: Tensor) -> Tensor:
    """The same memory in numbers of up to 16 bytes, which a GPU copies several times as fast."""
    row = x.shape[-1] * x.element_size()
    kinds = {16: torch.complex128, 8: torch.float64}
    return next((x.view(kind) for size, kind in kinds.items() if row % size == 0), x)


class _Convolved(torch.autograd.Function):
    """`F.conv2d` with zero padding as products of matrices, of stacked networks alone."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """(K, N, H, W, C), (K, O, C, size, size) and (K, O) to (K, N, H, W, O), and the squares."""
        squares = neighbourhoods(x, weight.shape[-1])
        matrix = weight.permute(0, 3, 4, 2, 1).flatten(1, 3)
        return torch.baddbmm(bias[:, None], squares, matrix).view(*x.shape[:4], -1), squares

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        """Keep what the way back needs."""
        ctx.save_for_backward(inputs[1], output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int, ...], *given: Tensor
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        """The axis of the networks comes first."""
        stacked = (x.movedim(axis, 0) for x, axis in zip(given, in_dims, strict=True))
        return _Convolved.apply(*stacked), (0, 0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of the input: the convolution with the kernel turned round."""
        weight, squares = ctx.saved_tensors
        networks, outputs, inputs, size, _ = weight.shape
        rows = grad.reshape(networks, -1, outputs)
        of_weight = torch.bmm(squares.mT, rows).view(networks, size, size, inputs, outputs)
        turned = weight.flip(3, 4).permute(0, 3, 4, 1, 2).flatten(1, 3)
        of_x = torch.bmm(neighbourhoods(grad, size), turned)
        return of_x.view(*grad.shape[:4], -1), of_weight.permute(0, 4, 3, 1, 2), rows.sum(1)


def _convolved(module: Convolution, x: Tensor) -> Tensor:
    given: list[Tensor] = [x.permute(0, 2, 3, 1), module.weight, module.bias]
    if torch.is_autocast_enabled(x.device.type):
        given = [one.to(torch.get_autocast_dtype(x.device.type)) for one in given]
    y: Tensor = _Convolved.apply(*given)[0]
    return y.permute(0, 3, 1, 2)


class _Normalised(torch.autograd.Function):
    """x / rms(x) over the last axis, as `F.rms_norm` without a gain, in few passes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        """(..., width) to the same shape, and 1 / rms (..., 1)."""
        at_least = torch.promote_types(x.dtype, torch.float32)
        square = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=at_least).square()
        scale = torch.rsqrt(square / x.shape[-1] + EPSILON)
        return (x * scale).to(x.dtype), scale

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        """Keep what the way back needs."""
        ctx.save_for_backward(*output)
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> Tensor:
        """What of the gradient lies along the output is taken away, and the rest scaled."""
        y, scale = ctx.saved_tensors
        along = (grad * y).mean(-1, keepdim=True, dtype=scale.dtype)
        return ((grad - y * along) * scale).to(y.dtype)


def _normalised(module: RMSNorm, x: Tensor) -> Tensor:
    y: Tensor = _Normalised.apply(x)[0]
    return y * module.gain.to(y.dtype)


def _channels_normalised(module: ChannelNorm, x: Tensor) -> Tensor:
    y: Tensor = _Normalised.apply(x.permute(0, 2, 3, 1))[0]
    return (y * module.gain.to(y.dtype)).permute(0, 3, 1, 2)


_FORWARDS: dict[type[nn.Module], Any] = {
    Convolution: _convolved,
    RMSNorm: _normalised,
    ChannelNorm: _channels_normalised,
}


class Ensemble(nn.Module):
    """Networks of one kind as one whose parameters have one axis more, the first: the network.

    Parameters
    ----------
    members : sequence of nn.Module
        Of the same class, with the same shapes. What they give must not depend on chance.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        one = copy.deepcopy(members[0])
        for module in one.modules():
            if type(module) in _FORWARDS:
                module.forward = MethodType(_FORWARDS[type(module)], module)
        weights, buffers = stack_module_state(list(members))
        # Parameters keep the names that they have in one network.
        for name, stacked in weights.items():
            owner, _, last = name.rpartition(".")
            setattr(one.get_submodule(owner), last, nn.Parameter(stacked, stacked.requires_grad))
        self.one, self._stacked_buffers = one, buffers

    def forward(self, *batch: Tensor) -> Tensor:
        """What the networks give, each of its own batch: all axes one more, the first."""

        def given(weights: Any, buffers: Any, *own: Tensor) -> Any:
            return functional_call(self.one, (weights, buffers), own)

        weights = dict(self.one.named_parameters())
        # Fused attention is of one network.
        with sdpa_kernel(SDPBackend.MATH):
            found: Tensor = vmap(given)(weights, self._stacked_buffers, *batch)
        return found


class EnsembleTraining(ResidentTraining):
    """Trainings of several networks of one kind, in step: one call does the work of all.

    Parameters
    ----------
    models : sequence of UNet, DiT, TokenModel or MaskedModel
        With the same shapes.
    presets : sequence of TrainingPreset
        Of one length and with the same rates.
    stages : sequence of sequences of (TrainingPictures, float)
        What each is shown; see ``ResidentTraining``.
    device, bf16, capture
        See ``ResidentTraining``.
    """

    def __init__(
        self,
        models: Sequence[Network],
        presets: Sequence[TrainingPreset],
        stages: Sequence[Sequence[Stage]],
        device: torch.device,
        bf16: bool = False,
        capture: bool = True,
    ) -> None:
        whole = Ensemble([BatchLoss(model.to(device)) for model in models])
        self._prepare(whole, presets, stages, device, bf16, capture, stacked=True)

    def _clip(self) -> None:
        grads = [p.grad for p in self.parameters if p.grad is not None]
        norms = [torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads]
        scale = (1 / (torch.linalg.vector_norm(torch.stack(norms), dim=0) + 1e-6)).clamp(max=1)
        for grad in grads:
            grad.mul_(scale.view(-1, *(1,) * (grad.ndim - 1)))

    def _average_of(self, network: int) -> dict[str, Tensor]:
        return {name: mean[network] for name, mean in self.average.items()}
