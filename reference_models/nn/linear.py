"""Linear projection: the ingredient that all the others are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Module):
    """y = x W^T + b on the last axis.

    Weights start uniform with variance ``gain**2 / (3 fan_in)``, the bias at zero.

    Parameters
    ----------
    inputs, outputs : int
    bias : bool
    gain : float
        Scale of the first weights. A small one at the end of a residual branch lets the branch
        start close to, but not at, zero: exact zeros are slow on some processors (denormals) and
        keep the layers before them from learning at first.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__()
        bound = gain / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return F.linear(x, self.weight, self.bias)


def looked_up(ids: Tensor, table: Tensor) -> Tensor:
    """Rows of a table: int64 (...) and (rows, width) to (..., width).

    As ``F.embedding``, whose gradient of many ids at once a GPU sorts and cannot record.
    """
    return table.index_select(0, ids.flatten()).unflatten(0, ids.shape)
