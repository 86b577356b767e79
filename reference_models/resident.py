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
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models.data import caption_counts, training_scenes
from reference_models.device_optimiser import DeviceOptimiser
from reference_models.errors import ModelError
from reference_models.path import between, velocity
from reference_models.policies import Policy
from reference_models.presets import Network, TrainingPreset
from reference_models.times import training_times
from reference_models.tokens.model import MaskedModel, TokenModel
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
    losses : Tensor, float32 (steps,)
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
        stages: Sequence[tuple[TrainingPictures, float]],
        device: torch.device,
        bf16: bool = False,
        capture: bool = True,
    ) -> None:
        if preset.target == "noise" or isinstance(model, MaskedModel):
            raise ModelError(
                "a training on its device predicts velocity or the next code, not noise or "
                "hidden codes"
            )
        self.preset, self.device, self.bf16 = preset, device, bf16
        self.capture = capture and device.type == "cuda"
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = DeviceOptimiser(self.model, preset.lr, preset.matrix_lr, preset.ema)
        self.done, self.steps = 0, math.ceil(preset.images / preset.batch)
        self.pictures = _joined([one.pictures for one, _ in stages])
        self.ids = _joined([one.ids for one, _ in stages])
        self._draw_ahead([len(one.ids) for one, _ in stages], [share for _, share in stages])
        self.losses = torch.zeros(self.steps, device=device)
        side = self.pictures.shape[-1]
        self._noise = torch.zeros(preset.batch, 3, side, side, device=device)
        self._generator = torch.Generator(device).manual_seed(preset.seed)
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        self._graph: Any = None
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._waiting: deque[Any] = deque()
        if self._stream is not None:
            torch.cuda.synchronize(device)

    def _draw_ahead(self, sizes: Sequence[int], shares: Sequence[float]) -> None:
        """Rows, times, captions left out and rates of all steps."""
        preset, n = self.preset, self.steps * self.preset.batch
        g = torch.Generator().manual_seed(preset.seed)
        # One number a picture, whatever the size of the stages: the same chance for all.
        place = torch.rand(n, generator=g, dtype=torch.float64).view(self.steps, preset.batch)
        ends = [round(self.steps * sum(shares[: k + 1]) / sum(shares)) for k in range(len(shares))]
        rows = torch.zeros(self.steps, preset.batch, dtype=torch.int64)
        start = offset = 0
        for end, size in zip(ends, sizes, strict=True):
            rows[start:end] = (place[start:end] * size).long() + offset
            start, offset = end, offset + size
        times = preset.first + (1 - preset.first) * training_times(n, g)
        kept = torch.rand(n, generator=g) >= preset.drop
        rates = torch.tensor([rate(k / self.steps, preset) for k in range(self.steps)])
        self._rows = rows.to(self.device)
        self._times = times.view(self.steps, preset.batch).to(self.device)
        self._kept = kept.view(self.steps, preset.batch).to(self.device)
        self._rates = rates.to(self.device)

    @property
    def average(self) -> dict[str, Tensor]:
        """The weights to sample with."""
        return self.optimiser.average

    def advance(self) -> bool:
        """Ask the device for one step; True where it was the last."""
        with torch.cuda.stream(self._stream) if self._stream is not None else nullcontext():
            if not isinstance(self.model, TokenModel):
                self._noise.normal_(generator=self._generator)
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
        step = self._step
        rows = self._rows.index_select(0, step)[0]
        ids = self.ids.index_select(0, rows)
        ids = torch.where(self._kept.index_select(0, step)[0][:, None], ids, 0)
        pictures = self.pictures.index_select(0, rows).float() / 127.5 - 1
        loss = self._loss(pictures, ids, self._times.index_select(0, step)[0])
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step((step + 1)[0].float(), self._rates.index_select(0, step)[0])
        for p in self.parameters:
            p.grad = None
        self.losses.index_copy_(0, step, loss.detach()[None])
        step += 1

    def _loss(self, pictures: Tensor, ids: Tensor, times: Tensor) -> Tensor:
        autocast = (
            torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
            if self.bf16
            else nullcontext()
        )
        with autocast:
            prompt = self.model.encode(ids)
            if isinstance(self.model, TokenModel):
                logits, codes = self.model(pictures, prompt, self._generator)
                return F.cross_entropy(logits.float(), codes)
            predicted = self.model(between(self._noise, pictures, times), times, prompt)
        return (predicted.float() - velocity(self._noise, pictures)).square().mean()

    def finish(self) -> float:
        """Wait for the device; the mean loss of the last tenth of the steps.

        Raises
        ------
        ModelError
            It is no number: the training went astray.
        """
        if self._stream is not None:
            self._stream.synchronize()
        self._graph = None
        last = float(self.losses[-max(1, self.steps // 10) :].mean())
        if not math.isfinite(last):
            raise ModelError(f"the training went astray: its loss is {last}")
        return last


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
