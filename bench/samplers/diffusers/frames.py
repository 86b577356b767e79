"""The clean image that a pipeline of diffusers predicts at each step of its scheduler.

A scheduler is handed the state x = alpha picture + sigma noise and what the model predicted,
guidance done. The predicted picture follows from the two (Salimans and Ho 2022, section 4, for the
forms of prediction), whatever the scheduler makes of them. Latents are decoded by the pipeline's
own VAE, not by a cheaper preview: a frame is measured, not only looked at.

The prediction before guidance is seen where it leaves the network. A pipeline that calls it with
the empty prompts first and the prompts behind them, as those of diffusers do, gets both in one
batch; that it does is not taken for granted but checked: what the scheduler is handed must be the
first half and some multiple, 1 or more, of the way to the second.
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


#: Largest part of a guided prediction that guidance leaves unexplained, as a share of its norm;
#: half precision leaves about a thousandth.
_UNEXPLAINED = 0.02


def conditional_of(raw: Tensor, used: Tensor) -> Tensor | None:
    """The conditional prediction in what left the network, where it can be told.

    Parameters
    ----------
    raw : Tensor (2 N, ...) or (N, ...)
        As it left the network.
    used : Tensor (N, ...)
        As the scheduler is handed it.

    Returns
    -------
    Tensor (N, ...) or None
        ``used`` itself where there is no guidance.
    """
    raw, used = raw.float(), used.float()
    if raw.shape == used.shape:
        return used if torch.allclose(raw, used, atol=1e-3, rtol=1e-3) else None
    if raw.shape != (2 * used.shape[0], *used.shape[1:]):
        return None
    without, with_prompt = raw.chunk(2)
    way, gone = with_prompt - without, used - without
    length = way.square().sum()
    if not length > 0:
        return with_prompt if torch.allclose(gone, way, atol=1e-4) else None
    scale = (gone * way).sum() / length
    unexplained = (gone - scale * way).norm() / used.norm().clamp(min=1e-12)
    return with_prompt if scale >= 1 - 1e-3 and unexplained < _UNEXPLAINED else None


def is_guided_within(network: Any) -> bool:
    """Whether the network is told the guidance scale, and guides by itself."""
    config = getattr(network, "config", {})
    return bool(config.get("guidance_embeds") or config.get("time_cond_proj_dim"))


class Frames:
    """Records what a pipeline predicts while it runs.

    Attributes
    ----------
    kept : sequence of int or None
        Calls of the scheduler to keep; None for all.
    levels : list of float
        Noise level sigma / (alpha + sigma) of each call of the last run, whether kept or not.
    predictions : tuple of str
        Whose predictions the last run showed, as `bench.protocols.SamplerInfo` has them.
    """

    def __init__(self, pipeline: Any) -> None:
        if not hasattr(getattr(pipeline, "scheduler", None), "step"):
            raise UsageError(
                f"{type(pipeline).__name__} has no scheduler that steps: no --trajectory with it"
            )
        self.pipeline = pipeline
        self.kept: Sequence[int] | None = None
        self.levels: list[float] = []
        self.predictions: tuple[str, ...] = ("guided",)
        self._predicted: list[Tensor] = []
        self._alone: list[Tensor | None] = []
        self._guided = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record one run of the pipeline."""
        scheduler = self.pipeline.scheduler
        step = scheduler.step
        self.levels, self._predicted, self._alone, self._guided = [], [], [], False
        network = getattr(self.pipeline, "unet", None) or getattr(
            self.pipeline, "transformer", None
        )
        raw: list[Tensor] = []

        def seen(_module: Any, _given: Any, output: Any) -> None:
            raw[:] = [output[0] if isinstance(output, tuple) else output.sample]

        hook = None if network is None else network.register_forward_hook(seen)
        within = is_guided_within(network)

        def recorded(
            output: Tensor, timestep: Any, sample: Tensor, *more: Any, **named: Any
        ) -> Any:
            alpha, sigma = scales(scheduler, timestep)
            if self.kept is None or len(self.levels) in self.kept:
                predicted = predicted_picture(
                    scheduler, output.float(), sample.float(), alpha, sigma
                )
                self._predicted.append(predicted)
                alone = None if within or not raw else conditional_of(raw[0], output)
                self._guided |= alone is not None and raw[0].shape != output.shape
                if alone is not None:
                    alone = predicted_picture(scheduler, alone, sample.float(), alpha, sigma)
                self._alone.append(alone)
            self.levels.append(sigma / (alpha + sigma))
            return step(output, timestep, sample, *more, **named)

        scheduler.step = recorded
        try:
            yield
        finally:
            del scheduler.step
            if hook is not None:
                hook.remove()
        known = bool(self._alone) and all(one is not None for one in self._alone)
        guided = ("guided", "conditional") if self._guided else ("conditional",)
        self.predictions = guided if known else ("guided",)

    def decoded(self, size: tuple[int, int]) -> list[np.ndarray]:
        """The kept predictions as pictures, uint8 (N, T, H, W, 3) for each of ``predictions``.

        Parameters
        ----------
        size : (int, int)
            Height and width of the final images.

        Raises
        ------
        UsageError
            Latents in a form that this does not know (packed into a sequence, for example).
        """
        films = [self._predicted, [one for one in self._alone if one is not None]]
        found = []
        for film in films[: len(self.predictions)]:
            frames = [as_bytes(self._picture(one)) for one in film]
            if any(frame.shape[1:3] != size for frame in frames):
                raise UsageError(
                    f"{type(self.pipeline).__name__} predicts at {frames[0].shape[1:3]} what it "
                    f"gives at {size}: no --trajectory with it"
                )
            found.append(np.stack(frames, axis=1))
        return found

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
