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
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.device_optimiser import DeviceOptimiser
from reference_models.errors import ModelError
from reference_models.path import between, velocity
from reference_models.presets import Network, TrainingPreset
from reference_models.times import training_times
from reference_models.tokens.masked import hidden_places
from reference_models.tokens.model import TokenModel
from reference_models.tokens.quantiser import Quantiser
from reference_models.training import rate
from reference_models.training_pictures import TrainingPictures

#: Steps before the one that is recorded: kernels are chosen and states made in them.
_WARM = 3
#: Steps that may wait on the device.
_AHEAD = 4


#: What is shown, and for which share of a training.
Stage = tuple[TrainingPictures, float]


class BatchLoss(nn.Module):
    """A network with its loss on a batch: of the velocity, of the next code, or of hidden ones."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, noise: Tensor, pictures: Tensor, ids: Tensor, times: Tensor, *hidden: Tensor
    ) -> Tensor:
        """Noise and pictures (N, 3, side, side), ids (N, LENGTH) and times (N,) to a number.

        Of a model with hidden codes also which, bool (N, places).
        """
        prompt = self.model.encode(ids)
        if isinstance(self.model, TokenModel):
            logits, codes = self.model(pictures, prompt, *hidden)
            return F.cross_entropy(logits.float(), codes)
        predicted = self.model(between(noise, pictures, times), times, prompt)
        return (predicted.float() - velocity(noise, pictures)).square().mean()


class ResidentTraining:
    """A training of one network, a step at a time.

    Parameters
    ----------
    model : UNet, DiT, TokenModel or MaskedModel
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
        A preset whose target is the noise.
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
        self._prepare(
            BatchLoss(self.model), [preset], [stages], device, bf16, capture, stacked=False
        )

    def _prepare(
        self,
        loss: nn.Module,
        presets: Sequence[TrainingPreset],
        stages: Sequence[Sequence[Stage]],
        device: torch.device,
        bf16: bool,
        capture: bool,
        stacked: bool,
    ) -> None:
        """Bring all to the device: of one network, or of several whose weights are stacked."""
        if any(one.target == "noise" for one in presets):
            raise ModelError("a training on its device predicts velocity or codes, not noise")
        self.preset = preset = presets[0]
        self.device, self.bf16 = device, bf16
        self.capture = capture and device.type == "cuda"
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
        self._rows, self._times, self._kept, *self._hidden = (
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
    ) -> list[Tensor]:
        """Rows, times and captions kept of all steps, each (steps, batch).

        Of a model with hidden codes also which, bool (steps, batch, places). Given of each pool
        are its first row, its size, and its share of the training.
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
        tables = [rows, *(one.view(self.steps, preset.batch) for one in (times, kept))]
        if preset.network == "masked":
            hidden = hidden_places(n, (self.pictures.shape[-1] // Quantiser.square) ** 2, g)
            tables.append(hidden.view(self.steps, preset.batch, -1))
        return tables

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
        hidden = [table.index_select(0, step).view(*shape, -1) for table in self._hidden]
        autocast = (
            torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
            if self.bf16
            else nullcontext()
        )
        with autocast:
            loss = self.loss(noise, pictures, ids, times, *hidden)
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
