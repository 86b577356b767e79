"""From noise to pictures with any model of the family: solver, times and guidance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_models import schedule
from reference_models.guidance import guided
from reference_models.presets import Preset
from reference_models.solver import discrete, euler
from reference_models.times import sampling_times

Encoded = tuple[Tensor, Tensor, Tensor]
#: Solvers of models that predict the noise on a discrete schedule; the straight path knows Euler's.
SOLVERS = ("euler", "ancestral")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is sampled.

    Attributes
    ----------
    steps : int
    guidance_scale : float
        1 is no guidance and half the work.
    shift : float
        See ``sampling_times``.
    solver : str
        ``euler`` or ``ancestral``.
    """

    steps: int = 8
    guidance_scale: float = 4.0
    shift: float = 1.0
    solver: str = "euler"


def path_times(preset: Preset, settings: Settings) -> list[float]:
    """Times of the straight path that are visited, from the earliest that was trained on to 1."""
    times = sampling_times(settings.steps, settings.shift)
    return [preset.first + (1 - preset.first) * t for t in times]


def noise_levels(preset: Preset, settings: Settings) -> list[float]:
    """Noise level at which each step's prediction is made: 1 pure noise, 0 clean."""
    if preset.target == "noise":
        alphas, sigmas = schedule.signal().tolist(), schedule.noise().tolist()
        steps = schedule.visited(settings.steps)
        return [schedule.noise_level(alphas[k], sigmas[k]) for k in steps]
    return [1 - t for t in path_times(preset, settings)[:-1]]


def encoded(encode: Callable[[Tensor], Encoded], ids: Tensor, scale: float) -> Encoded:
    """Prompts (N, L) ready for ``walk``; followed by as many empty ones where there is guidance."""
    return encode(ids if scale == 1 else torch.cat((ids, torch.zeros_like(ids))))


def walk(
    model: Callable[[Tensor, Tensor, Encoded], Tensor],
    prompt: Encoded,
    noise: Tensor,
    preset: Preset,
    settings: Settings,
    fresh: Callable[[], Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Predicted clean picture and state, both (N, 3, H, W) in about [-1, 1], step by step.

    Parameters
    ----------
    model : callable
        From states, times (N,) and encoded prompts to predictions.
    prompt : tuple
        Of ``encoded``.
    noise : Tensor, float32 (N, 3, H, W)
    preset : Preset
    settings : Settings
    fresh : callable, optional
        Gives more noise (N, 3, H, W); needed by ancestral sampling.
    dtype : torch.dtype
        In which the model is called.
    """
    scale = settings.guidance_scale

    def predict(x: Tensor, t: Tensor) -> Tensor:
        x = x.to(dtype)
        if scale == 1:
            return model(x, t, prompt).float()
        both = model(torch.cat((x, x)), torch.cat((t, t)), prompt).float()
        with_prompt, without = both.chunk(2)
        return guided(with_prompt, without, scale)

    if preset.target == "noise":
        more = fresh if settings.solver == "ancestral" else None
        steps = discrete(predict, noise, schedule.visited(settings.steps), more)
    else:
        steps = euler(predict, noise, path_times(preset, settings))
    for _, predicted, x in steps:
        yield predicted, x
