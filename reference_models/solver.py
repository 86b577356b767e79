"""Solvers: from noise to a picture in a number of steps.

``euler`` follows a velocity in straight steps. ``discrete`` walks down a noise schedule with a
model that predicts the noise, by Euler's method or by ancestral sampling. All yield, step by step,
the noise level at which a prediction was made, the clean picture predicted, and the state after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from reference_models import schedule
from reference_models.path import picture_from

Field = Callable[[Tensor, Tensor], Tensor]


def euler(
    field: Field, x: Tensor, times: Sequence[float], moved: Field | None = None
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
    moved : callable, optional
        From x and t to the state that is gone on with (guidance by attention).

    Yields
    ------
    (float, Tensor, Tensor)
        The time a step started at, the clean picture predicted there, and the state after it.
    """
    for now, then in zip(times, times[1:], strict=False):
        t = torch.full((x.shape[0],), now, device=x.device)
        if moved is not None:
            x = moved(x, t)
        v = field(x, t)
        predicted = picture_from(x, v, t)
        x = x + (then - now) * v
        yield now, predicted, x


def discrete(
    noise_of: Field,
    x: Tensor,
    steps: Sequence[int],
    fresh: Callable[[], Tensor] | None = None,
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Walk down the noise schedule along ``steps``.

    With y = x / alpha and s = sigma / alpha the process only adds noise: y = picture + s noise, and
    dy/ds is the predicted noise (Karras et al. 2022, eq. 4). An Euler step in s is the step of DDIM
    (Song et al. 2021, eq. 12 with sigma = 0). Ancestral sampling takes a longer step and adds fresh
    noise back: from s to r = s' it goes down to sqrt(r^2 - u^2) and up by u, with
    u^2 = r^2 (s^2 - r^2) / s^2, the variance of the posterior (Ho et al. 2020, eq. 7).
    The predicted picture is kept in [-1, 1].

    Parameters
    ----------
    noise_of : callable
        From x (N, C, H, W) and k / T (N,) to the predicted noise (N, C, H, W).
    x : Tensor (N, C, H, W)
        Pure noise.
    steps : sequence of int
        Steps of the schedule, falling; after the last comes the clean picture.
    fresh : callable, optional
        Gives noise (N, C, H, W): ancestral sampling. Without it Euler's method.
    """
    alphas, sigmas = schedule.signal().tolist(), schedule.noise().tolist()
    y = x / alphas[steps[0]] * sigmas[steps[0]]
    for k, now in enumerate(steps):
        alpha, sigma = alphas[now], sigmas[now]
        s = sigma / alpha
        t = torch.full((x.shape[0],), now / schedule.STEPS, device=x.device)
        predicted = (y - s * noise_of(y * alpha, t)).clamp(-1, 1)
        then = steps[k + 1] if k + 1 < len(steps) else None
        r = 0.0 if then is None else sigmas[then] / alphas[then]
        up = r * ((s * s - r * r) ** 0.5) / s if fresh is not None else 0.0
        down = (r * r - up * up) ** 0.5
        y = predicted + down * (y - predicted) / s
        if fresh is not None and up > 0:
            y = y + up * fresh()
        # At the clean end alpha is 1; before it, the state in the schedule's own scale.
        yield schedule.noise_level(alpha, sigma), predicted, y * (alphas[then] if then else 1.0)
