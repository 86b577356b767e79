"""A training that lives on its device: pictures, chance and rates are there before it begins.

On a GPU the loop of ``training`` waits for pictures and for small calls. Here the pictures are
drawn on the device once and shared by trainings, what is drawn by chance is drawn ahead, and one
step is recorded as a CUDA graph; several trainings play theirs side by side. On a CPU the same
steps run without a graph. There are no checkpoints: a training is seconds long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models.data import caption_counts, training_scenes
from reference_models.device_optimiser import DeviceOptimiser
from reference_models.ensemble import Ensemble
from reference_models.errors import ModelError
from reference_models.path import between, velocity
from reference_models.policies import Policy
from reference_models.presets import Network, TrainingPreset
from reference_models.times import training_times
from reference_models.tokens.model import TokenModel
from reference_models.training import rate
from reference_models.world.caption_noise import CLEAN, CaptionNoise, misdescribed, noisy_ids
from reference_models.world.captions import token_ids
from reference_models.world.render import render

#: Scenes drawn at a time.
_BLOCK = 4096
#: Steps before the one that is recorded: kernels are chosen and states made in them.
_WARM = 3
#: Steps that may wait on the device.
_AHEAD = 4


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPictures:
    """Training pictures with their captions, on a device.

    Attributes
    ----------
    pictures : Tensor, uint8 (N, 3, side, side)
    ids : Tensor, int64 (N, LENGTH)
    seen : TrainingManifest
        What the captions said, before words were dropped or shuffled.
    """

    pictures: Tensor
    ids: Tensor
    seen: TrainingManifest

    @property
    def taught(self) -> frozenset[tuple[str, str]]:
        """(colour, subject) pairs that some caption said."""
        return frozenset(self.seen.pairs)


#: What is shown, and for which share of a training.
Stage = tuple[TrainingPictures, float]


def draw_pictures(
    count: int,
    seed: int,
    shown: Policy,
    noise: CaptionNoise = CLEAN,
    device: torch.device | str = "cpu",
    side: int = 32,
) -> TrainingPictures:
    """Draw scenes on a device.

    The same seed and policy give the same scenes; the faults of captions, and what they do to the
    scenes, have a generator of their own.
    """
    scenes = training_scenes(count, torch.Generator().manual_seed(seed), shown)
    faults = torch.Generator().manual_seed(seed + 1_000_003)
    drawn, described = misdescribed(scenes, noise, shown.table, shown.bare, faults)
    ids = noisy_ids(token_ids(described), noise, faults)
    parts = []
    for start in range(0, count, _BLOCK):
        image = render(drawn[start : start + _BLOCK].to(device)).image
        parts.append((F.adaptive_avg_pool2d(image, side) * 255).round().to(torch.uint8))
    return TrainingPictures(torch.cat(parts), ids.to(device), caption_counts(described))


class BatchLoss(nn.Module):
    """A network with its loss on a batch: of the velocity, or of the next code."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, noise: Tensor, pictures: Tensor, ids: Tensor, times: Tensor) -> Tensor:
        """Noise and pictures (N, 3, side, side), ids (N, LENGTH) and times (N,) to a number."""
        prompt = self.model.encode(ids)
        if isinstance(self.model, TokenModel):
            logits, codes = self.model(pictures, prompt)
            return F.cross_entropy(logits.float(), codes)
        predicted = self.model(between(noise, pictures, times), times, prompt)
        return (predicted.float() - velocity(noise, pictures)).square().mean()


class ResidentTraining:
    """A training of one network, a step at a time.

    Parameters
    ----------
    model : UNet, DiT or TokenModel
    preset : TrainingPreset
        Its target is the velocity, or codes.
    stages : sequence of (TrainingPictures, float)
        What is shown, and for which share of the training, one after the other.
    device : torch.device
    bf16 : bool
        Whether products are in bfloat16; float32 (TF32 where the device has it) otherwise.
    capture : bool
        Whether a step becomes a CUDA graph, on a GPU.

    Attributes
    ----------
    capture : bool
        Whether it does; False once it could not.
    done, steps : int
        Steps asked of the device so far, and in all.
    losses : Tensor, float32 (steps, networks)
    average : dict of str to Tensor
        The weights to sample with.

    Raises
    ------
    ModelError
        A preset whose target is the noise, or codes that are hidden by chance.
    """

    def __init__(
        self,
        model: Network,
        preset: TrainingPreset,
        stages: Sequence[Stage],
        device: torch.device,
        bf16: bool = False,
        capture: bool = True,
    ) -> None:
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self._prepare(BatchLoss(self.model), [preset], [stages], device, bf16, capture)

    def _prepare(
        self,
        loss: BatchLoss | Ensemble,
        presets: Sequence[TrainingPreset],
        stages: Sequence[Sequence[Stage]],
        device: torch.device,
        bf16: bool,
        capture: bool,
    ) -> None:
        """Bring all to the device: networks that are trained in step, by their presets."""
        if any(p.target == "noise" or p.network == "masked" for p in presets):
            raise ModelError(
                "a training on its device predicts velocity or the next code, not noise or "
                "hidden codes"
            )
        self.preset = preset = presets[0]
        self.device, self.bf16 = device, bf16
        self.capture = capture and device.type == "cuda"
        stacked = isinstance(loss, Ensemble)
        self.loss = loss
        self.optimiser = DeviceOptimiser(
            loss, preset.lr, preset.matrix_lr, preset.ema, stacked=stacked
        )
        self.parameters = [p for p in loss.parameters() if p.requires_grad]
        self.done, self.steps = 0, math.ceil(preset.images / preset.batch)
        pools = list({id(pool): pool for own in stages for pool, _ in own}.values())
        self.pictures = _joined([pool.pictures for pool in pools])
        self.ids = _joined([pool.ids for pool in pools])
        ends = accumulate(len(pool.ids) for pool in pools)
        first = {id(p): end - len(p.ids) for p, end in zip(pools, ends, strict=True)}
        tables = [
            self._draw_ahead(one, [(first[id(p)], len(p.ids), share) for p, share in own])
            for one, own in zip(presets, stages, strict=True)
        ]
        self._rows, self._times, self._kept = (
            torch.stack(own, 1).to(device) for own in zip(*tables, strict=True)
        )
        rates = torch.tensor([rate(k / self.steps, preset) for k in range(self.steps)])
        self._rates = rates.to(device)
        self.losses = torch.zeros(self.steps, len(presets), device=device)
        self._shape = (len(presets), preset.batch) if stacked else (preset.batch,)
        # Networks of one seed see the same noise.
        seeds = sorted({one.seed for one in presets})
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        side = self.pictures.shape[-1]
        self._noise = torch.zeros(len(seeds), preset.batch, 3, side, side, device=device)
        self._seeds = torch.tensor([seeds.index(one.seed) for one in presets], device=device)
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        self._graph: Any = None
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._waiting: deque[Any] = deque()
        if self._stream is not None:
            torch.cuda.synchronize(device)

    def _draw_ahead(
        self, preset: TrainingPreset, pools: Sequence[tuple[int, int, float]]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows, times and captions kept of all steps, each (steps, batch).

        Of each pool its first row, its size, and its share of the training are given.
        """
        n = self.steps * preset.batch
        g = torch.Generator().manual_seed(preset.seed)
        # One number a picture, whatever the size of the stages: the same chance for all.
        place = torch.rand(n, generator=g, dtype=torch.float64).view(self.steps, preset.batch)
        rows = torch.zeros(self.steps, preset.batch, dtype=torch.int64)
        start, shown, whole = 0, 0.0, sum(share for *_, share in pools)
        for offset, size, share in pools:
            shown += share
            end = round(self.steps * shown / whole)
            rows[start:end] = (place[start:end] * size).long() + offset
            start = end
        times = preset.first + (1 - preset.first) * training_times(n, g)
        kept = torch.rand(n, generator=g) >= preset.drop
        return rows, times.view(self.steps, preset.batch), kept.view(self.steps, preset.batch)

    @property
    def average(self) -> dict[str, Tensor]:
        """The weights to sample with."""
        kept = self.optimiser.average.items()
        return {name.rpartition("model.")[2]: mean for name, mean in kept}

    def advance(self) -> bool:
        """Ask the device for one step; True where it was the last."""
        with torch.cuda.stream(self._stream) if self._stream is not None else nullcontext():
            for noise, generator in zip(self._noise, self._generators, strict=True):
                noise.normal_(generator=generator)
            if self._graph is not None:
                self._graph.replay()
            else:
                self._body()
            if self._stream is not None:
                self._throttle()
        self.done += 1
        if self.capture and self.done == _WARM and self.done < self.steps:
            self._record()
        return self.done >= self.steps

    def _throttle(self) -> None:
        """Wait until no more than a few steps are asked for and not done."""
        event = torch.cuda.Event()
        event.record()
        self._waiting.append(event)
        if len(self._waiting) > _AHEAD:
            self._waiting.popleft().synchronize()

    def _record(self) -> None:
        """Record a step; where it cannot be, the training goes on without a graph."""
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                self._body()
        except RuntimeError:
            self.capture = False
            for p in self.parameters:
                p.grad = None
        else:
            self._graph = graph

    def _body(self) -> None:
        step, shape = self._step, self._shape
        rows, times, kept = (
            table.index_select(0, step).view(shape)
            for table in (self._rows, self._times, self._kept)
        )
        ids = torch.where(kept[..., None], self.ids[rows], 0)
        pictures = self.pictures[rows].float() / 127.5 - 1
        noise = self._noise.index_select(0, self._seeds).view(pictures.shape)
        autocast = (
            torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
            if self.bf16
            else nullcontext()
        )
        with autocast:
            loss = self.loss(noise, pictures, ids, times)
        loss.sum().backward()
        self._clip()
        self.optimiser.step((step + 1)[0].float(), self._rates.index_select(0, step)[0])
        for p in self.parameters:
            p.grad = None
        self.losses.index_copy_(0, step, loss.detach().view(1, -1))
        step += 1

    def _clip(self) -> None:
        """Gradients of a network no longer than 1, as one vector."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)

    def finish(self) -> float:
        """Wait for the device; the mean loss of the last tenth of the steps.

        Raises
        ------
        ModelError
            It is no number: the training went astray.
        """
        return finite(self.results()[0][0])

    def results(self) -> list[tuple[float, dict[str, Tensor]]]:
        """Wait for the device; of each network its last loss (see ``finish``) and its average."""
        if self._stream is not None:
            self._stream.synchronize()
        self._graph = None
        last = self.losses[-max(1, self.steps // 10) :].mean(0).tolist()
        return [(loss, self._average_of(k)) for k, loss in enumerate(last)]

    def _average_of(self, network: int) -> dict[str, Tensor]:
        return self.average


class EnsembleTraining(ResidentTraining):
    """Trainings of several networks of one kind, in step: one call does the work of all.

    Parameters
    ----------
    models : sequence of UNet, DiT or TokenModel
        With the same shapes.
    presets : sequence of TrainingPreset
        Of one length and with the same rates.
    stages : sequence of sequences of (TrainingPictures, float)
        What each is shown; see ``ResidentTraining``.
    device, bf16, capture
        See ``ResidentTraining``.
    """

    def __init__(
        self,
        models: Sequence[Network],
        presets: Sequence[TrainingPreset],
        stages: Sequence[Sequence[Stage]],
        device: torch.device,
        bf16: bool = False,
        capture: bool = True,
    ) -> None:
        whole = Ensemble([BatchLoss(model.to(device)) for model in models])
        self._prepare(whole, presets, stages, device, bf16, capture)

    def _clip(self) -> None:
        grads = [p.grad for p in self.parameters if p.grad is not None]
        norms = [torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads]
        scale = (1 / (torch.linalg.vector_norm(torch.stack(norms), dim=0) + 1e-6)).clamp(max=1)
        for grad in grads:
            grad.mul_(scale.view(-1, *(1,) * (grad.ndim - 1)))

    def _average_of(self, network: int) -> dict[str, Tensor]:
        return {name: mean[network] for name, mean in self.average.items()}


def finite(loss: float) -> float:
    """A loss that is a number.

    Raises
    ------
    ModelError
        It is none: the training went astray.
    """
    if not math.isfinite(loss):
        raise ModelError(f"the training went astray: its loss is {loss}")
    return loss


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
