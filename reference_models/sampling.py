"""From noise to pictures with any model of the family: solver, times and guidance."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_models import schedule
from reference_models.attention_guidance import AttentionGuidance
from reference_models.errors import ModelError
from reference_models.guidance import guided
from reference_models.path import picture_from
from reference_models.presets import Network, TrainingPreset
from reference_models.solver import Field, discrete, euler
from reference_models.times import sampling_times
from reference_models.tokens.masked import hidden_share
from reference_models.tokens.model import TokenModel

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
    attention : float
        Strength of guidance by attention (``attention_guidance``), for a U-Net or a transformer on
        the straight path; 0 is none.
    """

    steps: int = 8
    guidance_scale: float = 4.0
    shift: float = 1.0
    solver: str = "euler"
    attention: float = 0.0


def steps_of(preset: TrainingPreset, steps: int | None) -> int:
    """Steps to take, the preset's own where none is given.

    Raises
    ------
    ModelError
        Another number of steps than that of the codes, where a picture is drawn code by code.
    """
    if steps is None or steps == preset.steps:
        return preset.steps
    if preset.network == "tokens":
        raise ModelError(
            f"{steps} steps, but a picture is drawn code by code, in {preset.steps} steps; leave "
            "the number out"
        )
    return steps


def path_times(preset: TrainingPreset, settings: Settings) -> list[float]:
    """Times of the straight path that are visited, from the earliest that was trained on to 1."""
    times = sampling_times(settings.steps, settings.shift)
    return [preset.first + (1 - preset.first) * t for t in times]


def noise_levels(preset: TrainingPreset, settings: Settings) -> list[float]:
    """Noise level at which each step's prediction is made: 1 pure noise, 0 clean.

    Of codes that are drawn one by one it is the share that is still to come after the step; of
    hidden codes the share that is hidden when they are guessed.
    """
    if preset.network == "masked":
        return [hidden_share(k, settings.steps) for k in range(settings.steps)]
    if preset.network == "tokens":
        return [1 - (k + 1) / settings.steps for k in range(settings.steps)]
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
    preset: TrainingPreset,
    settings: Settings,
    fresh: Callable[[], Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
    moved: Field | None = None,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Predicted clean picture, the same without guidance, and state, step by step.

    All (N, 3, H, W), in about [-1, 1]. The second is what the prompt alone predicts (the
    conditional prediction) at the states that guidance leads through.

    Parameters
    ----------
    model : callable
        From states, times (N,) and encoded prompts to predictions.
    prompt : tuple
        Of ``encoded``.
    noise : Tensor, float32 (N, 3, H, W)
    preset : TrainingPreset
    settings : Settings
    fresh : callable, optional
        Gives more noise (N, 3, H, W); needed by ancestral sampling.
    dtype : torch.dtype
        In which the model is called.
    moved : callable, optional
        See ``euler``.
    """
    scale = settings.guidance_scale
    conditional = noise

    def predict(state: Tensor, t: Tensor) -> Tensor:
        nonlocal conditional
        x = state.to(dtype)
        if scale == 1:
            with_prompt = used = model(x, t, prompt).float()
        else:
            both = model(torch.cat((x, x)), torch.cat((t, t)), prompt).float()
            with_prompt, without = both.chunk(2)
            used = guided(with_prompt, without, scale)
        of = schedule.picture_from if preset.target == "noise" else picture_from
        conditional = of(state, with_prompt, t)
        return used

    if preset.target == "noise":
        more = fresh if settings.solver == "ancestral" else None
        steps = discrete(predict, noise, schedule.visited(settings.steps), more)
    else:
        steps = euler(predict, noise, path_times(preset, settings), moved)
    for _, predicted, x in steps:
        yield predicted, conditional, x


def drawn(
    network: Network,
    ids: Tensor,
    fresh: Callable[[], Tensor],
    preset: TrainingPreset,
    settings: Settings,
    frames: Container[int] = (),
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Draw with any network of the family.

    Parameters
    ----------
    network : UNet, DiT or TokenModel
        Called in the precision of its weights.
    ids : Tensor, int64 (N, LENGTH)
        Token ids of the prompts.
    fresh : callable
        Gives noise, float32 (N, 3, side, side); the first is what the drawing starts from.
    preset : TrainingPreset
    settings : Settings
    frames : container of int
        Steps whose predicted clean picture is kept. A picture that is drawn code by code is kept as
        far as it has come.

    Returns
    -------
    picture : Tensor, float32 (N, 3, side, side)
        About in [-1, 1].
    kept : list of Tensor
        The frames, of the same shape.
    conditional : list of Tensor
        The same without guidance (see ``walk``); empty where a picture is drawn code by code.
    """
    noise, scale = fresh(), settings.guidance_scale
    prompt = encoded(network.encode, ids, scale)
    if isinstance(network, TokenModel):
        return network.draw(prompt, noise, scale, settings.steps, frames)
    kept: list[Tensor] = []
    conditional: list[Tensor] = []
    dtype = next(network.parameters()).dtype
    moved = AttentionGuidance(network, ids, settings.attention) if settings.attention else None
    steps = walk(network, prompt, noise, preset, settings, fresh, dtype, moved)
    for step, (predicted, alone, x) in enumerate(steps):
        if step in frames:
            kept.append(predicted)
            conditional.append(alone)
    return x, kept, conditional
