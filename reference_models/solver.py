"""Euler's method: follow the velocity in straight steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from reference_models.path import picture_from


def euler(
    field: Callable[[Tensor, Tensor], Tensor], x: Tensor, times: Sequence[float]
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Integrate dx/dt = field(x, t) over ``times``, one result a step.

    Parameters
    ----------
    field : callable
        From x (N, C, H, W) and t (N,) to the velocity (N, C, H, W).
    x : Tensor (N, C, H, W)
        State at ``times[0]``.
    times : sequence of float
        Rising.

    Yields
    ------
    (float, Tensor, Tensor)
        The time a step started at, the clean picture predicted there, and the state after it.
    """
    for now, then in zip(times, times[1:], strict=False):
        t = torch.full((x.shape[0],), now, device=x.device)
        v = field(x, t)
        predicted = picture_from(x, v, t)
        x = x + (then - now) * v
        yield now, predicted, x
