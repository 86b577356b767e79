"""The same two optimisers for a device that is slow to be called: few calls, nothing read back.

Rates and the number of the step are tensors on the device, so that a whole step of a training can
be recorded once as a CUDA graph and played again. Matrices of one shape are moved together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reference_models.optimiser import BETAS, EPSILON, orthogonalised, parted


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Matrices of one shape and their momentum (count, rows, columns), or a stack of each."""

    matrices: list[nn.Parameter]
    momentum: Tensor


class DeviceOptimiser:
    """Muon for hidden matrices, Adam for the rest, and the moving average of both.

    Parameters
    ----------
    model : nn.Module
        On its device.
    lr, matrix_lr : float
        Peak rates of Adam and of Muon.
    decay : float
        Of the average; it grows as in ``ema.Average``.
    momentum : float
        Of Muon.
    stacked : bool
        Whether the first axis of each parameter is the network, of several (``Ensemble``).

    Attributes
    ----------
    average : dict of str to Tensor
        The weights to sample with.
    """

    def __init__(
        self,
        model: nn.Module,
        lr: float,
        matrix_lr: float,
        decay: float,
        momentum: float = 0.95,
        stacked: bool = False,
    ) -> None:
        matrices, others = parted(model)
        self._rows = 1 + stacked
        self.lr, self.matrix_lr, self.decay, self.momentum = lr, matrix_lr, decay, momentum
        self.others = [p for p in others if p.requires_grad]
        self.first = [torch.zeros_like(p) for p in self.others]
        self.second = [torch.zeros_like(p) for p in self.others]
        alike: dict[tuple[int, ...], list[nn.Parameter]] = defaultdict(list)
        for p in matrices:
            if p.requires_grad:
                alike[tuple(p.shape)].append(p)
        self.groups = [
            _Group(
                group,
                torch.zeros(
                    len(group), *group[0].flatten(self._rows).shape, device=group[0].device
                ),
            )
            for group in alike.values()
        ]
        self.average = {name: p.detach().clone() for name, p in model.named_parameters()}
        self._live = [p.detach() for p in model.parameters()]

    @torch.no_grad()
    def step(self, number: Tensor, factor: Tensor) -> None:
        """Take one step.

        Parameters
        ----------
        number : Tensor, float32, no axes
            Of this step, from 1.
        factor : Tensor, float32, no axes
            On both rates.
        """
        for group in self.groups:
            self._turn(group, factor)
        self._adam(number, factor)
        # As in ``ema.Average``, where n counts the updates before.
        share = 1 - ((number / (number + 9)).clamp(max=self.decay))
        kept = list(self.average.values())
        moved = torch._foreach_sub(self._live, kept)
        torch._foreach_mul_(moved, share)
        torch._foreach_add_(kept, moved)

    def _turn(self, group: _Group, factor: Tensor) -> None:
        grads = torch.stack(
            [p.grad.flatten(self._rows) for p in group.matrices if p.grad is not None]
        )
        group.momentum.lerp_(grads, 1 - self.momentum)
        update = orthogonalised(grads.lerp(group.momentum, self.momentum))
        rows, columns = grads.shape[-2:]
        update = update * (-self.matrix_lr * max(1.0, rows / columns) ** 0.5 * factor)
        moves = [u.view_as(p) for u, p in zip(update, group.matrices, strict=True)]
        torch._foreach_add_([p.data for p in group.matrices], moves)

    def _adam(self, number: Tensor, factor: Tensor) -> None:
        """Kingma and Ba 2015, algorithm 1."""
        grads = [p.grad for p in self.others if p.grad is not None]
        torch._foreach_lerp_(self.first, grads, 1 - BETAS[0])
        torch._foreach_mul_(self.second, BETAS[1])
        torch._foreach_addcmul_(self.second, grads, grads, 1 - BETAS[1])
        root = torch._foreach_sqrt(self.second)
        torch._foreach_div_(root, (1 - torch.pow(BETAS[1], number)).sqrt())
        torch._foreach_add_(root, EPSILON)
        move = torch._foreach_div(self.first, root)
        torch._foreach_mul_(move, -self.lr * factor / (1 - torch.pow(BETAS[0], number)))
        torch._foreach_add_([p.data for p in self.others], move)
