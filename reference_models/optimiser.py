"""Two optimisers under one roof: Muon for matrices, Adam for the rest.

Muon (Jordan et al. 2024) takes the momentum of a weight matrix and replaces it by the nearest
matrix with orthogonal rows or columns, so that every direction learns at one speed. Kernels of
convolutions count as matrices of (outputs, everything else).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def orthogonalised(matrix: Tensor, rounds: int = 5) -> Tensor:
    """The orthogonal factor of a matrix, roughly, by a quintic Newton-Schulz iteration.

    All singular values end up near 1 (about 0.7 to 1.2), which is enough for a direction;
    so is bfloat16.

    Parameters
    ----------
    matrix : Tensor (rows, columns), or a stack of them (count, rows, columns)
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    size = x.norm() if x.ndim == 2 else x.norm(dim=(-2, -1), keepdim=True)
    x = (x / (size + 1e-7)).bfloat16()
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                direction = p.grad.lerp(state["momentum"], group["momentum"]).flatten(1)
                update = orthogonalised(direction)
                size = max(1.0, direction.shape[0] / direction.shape[1]) ** 0.5
                p.add_(update.view_as(p), alpha=-group["lr"] * size)


#: Of Adam.
BETAS, EPSILON = (0.9, 0.98), 1e-8


def parted(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Hidden matrices and kernels, for Muon; embeddings, norms, biases and both ends, for Adam."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, p in model.named_parameters():
        *_, layer, kind = ["", *name.split(".")]
        hidden = p.ndim >= 2 and kind == "weight" and layer not in ("enter", "leave")
        (matrices if hidden else others).append(p)
    return matrices, others


def make_optimisers(model: nn.Module, lr: float, matrix_lr: float) -> list[torch.optim.Optimizer]:
    """Muon for hidden matrices and kernels; Adam for embeddings, norms, biases and both ends."""
    matrices, others = parted(model)
    adam = torch.optim.Adam(others, lr=lr, betas=BETAS, eps=EPSILON, foreach=True)
    return [Muon(matrices, lr=matrix_lr), adam]
