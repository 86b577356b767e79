"""The path between noise and pictures, and what is predicted along it.

Time runs from 0, where there is only noise, to 1, where there is the picture. The path is the
straight line of rectified flow (Liu et al. 2022, eq. 1; Lipman et al. 2023, eq. 23 with
sigma_min = 0): x_t = (1 - t) noise + t picture, so the velocity along it is constant.
"""

from __future__ import annotations

from torch import Tensor


def _column(t: Tensor) -> Tensor:
    return t.view(-1, 1, 1, 1)


def between(noise: Tensor, picture: Tensor, t: Tensor) -> Tensor:
    """x_t for noise and pictures (N, C, H, W) and times (N,)."""
    t = _column(t)
    return (1 - t) * noise + t * picture


def velocity(noise: Tensor, picture: Tensor) -> Tensor:
    """dx_t / dt: what the model learns to predict."""
    return picture - noise


def picture_from(x: Tensor, predicted: Tensor, t: Tensor) -> Tensor:
    """Predicted clean picture (x0-prediction) at x_t with a predicted velocity: x_t + (1 - t) v."""
    return x + (1 - _column(t)) * predicted
