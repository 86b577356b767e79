"""The clean image that a pipeline of diffusers predicts at each step of its scheduler.

A scheduler is handed the state x = alpha picture + sigma noise and what the model predicted,
guidance done. The predicted picture follows from the two (Salimans and Ho 2022, section 4, for the
forms of prediction), whatever the scheduler makes of them. Latents are decoded by the pipeline's
own VAE, not by a cheaper preview: a frame is measured, not only looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.errors import UsageError


def scales(scheduler: Any, timestep: Any) -> tuple[float, float]:
    """Factors (alpha, sigma) on picture and noise in the state that a scheduler is handed.

    Raises
    ------
    UsageError
        A scheduler that tells neither sigmas nor running products of alphas.
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is None:
        products = getattr(scheduler, "alphas_cumprod", None)
        if products is None:
            name = type(scheduler).__name__
            raise UsageError(
                f"{name} tells no noise level, so there is no --trajectory with it; "
                "try --scheduler EulerDiscrete"
            )
        kept = float(products[int(timestep)])
        return kept**0.5, (1 - kept) ** 0.5
    place = int((scheduler.timesteps == timestep).nonzero()[0, 0])
    sigma = float(sigmas[place])
    if is_flow(scheduler):
        return 1 - sigma, sigma
    if float(getattr(scheduler, "init_noise_sigma", 1.0)) != 1.0:
        return 1.0, sigma
    alpha = (1 + sigma * sigma) ** -0.5
    return alpha, sigma * alpha


def is_flow(scheduler: Any) -> bool:
    """Whether a scheduler follows the straight path between noise and picture."""
    config = scheduler.config
    flow = config.get("use_flow_sigmas") or config.get("prediction_type") == "flow_prediction"
    return bool(flow) or "FlowMatch" in type(scheduler).__name__


def predicted_picture(
    scheduler: Any, output: Tensor, state: Tensor, alpha: float, sigma: float
) -> Tensor:
    """Clean picture or latents that a prediction stands for, of the shape of the state."""
    if is_flow(scheduler):
        return state - sigma * output
    kind = scheduler.config.get("prediction_type", "epsilon")
    if kind == "sample":
        return output
    if kind == "v_prediction":
        norm = (alpha * alpha + sigma * sigma) ** 0.5
        return alpha * state / norm**2 - sigma * output / norm
    if kind == "epsilon":
        return (state - sigma * output) / alpha
    raise UsageError(f"prediction type {kind!r} of the scheduler is unknown: no --trajectory")


class Frames:
    """Records what a pipeline predicts while it runs.

    Attributes
    ----------
    kept : sequence of int or None
        Calls of the scheduler to keep; None for all.
    levels : list of float
        Noise level sigma / (alpha + sigma) of each call of the last run, whether kept or not.
    """

    def __init__(self, pipeline: Any) -> None:
        if not hasattr(getattr(pipeline, "scheduler", None), "step"):
            raise UsageError(
                f"{type(pipeline).__name__} has no scheduler that steps: no --trajectory with it"
            )
        self.pipeline = pipeline
        self.kept: Sequence[int] | None = None
        self.levels: list[float] = []
        self._predicted: list[Tensor] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record one run of the pipeline."""
        scheduler = self.pipeline.scheduler
        step = scheduler.step
        self.levels, self._predicted = [], []

        def recorded(
            output: Tensor, timestep: Any, sample: Tensor, *more: Any, **named: Any
        ) -> Any:
            alpha, sigma = scales(scheduler, timestep)
            if self.kept is None or len(self.levels) in self.kept:
                predicted = predicted_picture(
                    scheduler, output.float(), sample.float(), alpha, sigma
                )
                self._predicted.append(predicted)
            self.levels.append(sigma / (alpha + sigma))
            return step(output, timestep, sample, *more, **named)

        scheduler.step = recorded
        try:
            yield
        finally:
            del scheduler.step

    def decoded(self, size: tuple[int, int]) -> np.ndarray:
        """The kept predictions as pictures, uint8 (N, T, H, W, 3).

        Parameters
        ----------
        size : (int, int)
            Height and width of the final images.

        Raises
        ------
        UsageError
            Latents in a form that this does not know (packed into a sequence, for example).
        """
        frames = [as_bytes(self._picture(one)) for one in self._predicted]
        if any(frame.shape[1:3] != size for frame in frames):
            raise UsageError(
                f"{type(self.pipeline).__name__} predicts at {frames[0].shape[1:3]} what it gives "
                f"at {size}: no --trajectory with it"
            )
        return np.stack(frames, axis=1)

    def _picture(self, x: Tensor) -> Tensor:
        vae: Any = getattr(self.pipeline, "vae", None)
        channels = 3 if vae is None else getattr(vae.config, "latent_channels", 0)
        if x.ndim != 4 or x.shape[1] != channels:
            raise UsageError(
                f"{type(self.pipeline).__name__} has a state of shape {tuple(x.shape)}, not "
                f"(N, {channels}, H, W): no --trajectory with it"
            )
        if vae is None:
            return x
        scale = getattr(vae.config, "scaling_factor", None) or 1.0
        shift = getattr(vae.config, "shift_factor", None) or 0.0
        return vae.decode((x / scale + shift).to(vae.dtype), return_dict=False)[0]


def as_bytes(pictures: Tensor) -> np.ndarray:
    """Pictures (N, 3, H, W) in [-1, 1] as uint8 (N, H, W, 3)."""
    levels = torch.nan_to_num(pictures.float()).clamp(-1, 1).add(1).mul(127.5).round()
    return levels.byte().permute(0, 2, 3, 1).cpu().numpy()
