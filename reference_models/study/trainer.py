"""A process that trains: several networks in one step, condition after condition.

What it has trained it draws with at once, since it holds the device; judging needs none.
"""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prompts.cells import Cell, Sample
from reference_models.denormals import flushed
from reference_models.ensemble import EnsembleTraining
from reference_models.local import LocalModel, noises, token_ids
from reference_models.policies import policy
from reference_models.presets import Network, build
from reference_models.resident import ResidentTraining, finite
from reference_models.sampling import Settings, drawn
from reference_models.study.factors import CONDITIONS, POOL, Sampling
from reference_models.tokens.model import TokenModel
from reference_models.training_pictures import TrainingPictures, draw_pictures
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, fill, read_weights
from reference_models.world.caption_noise import CLEAN, CaptionNoise

#: Pools kept by a process.
_KEPT = 16
#: Pictures drawn together with a trained network.
_CHUNK = 1024
#: How often a device that is busy is asked again, and the seconds between.
_TRIES, _PAUSE = 4, 3.0


@dataclass(frozen=True, slots=True)
class Task:
    """A training that is asked for, and how it is to be drawn with."""

    condition: str
    seed: int
    images: int
    samplings: tuple[Sampling, ...]


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A finished training, or the words of the error that ended it.

    Attributes
    ----------
    drawings : Path or None
        Pictures by the name of their sampling, ``.npz``.
    """

    task: Task
    drawings: Path | None
    pictures: int
    seconds: float
    loss: float
    captured: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class NoDevice:
    """A process that cannot work, and why."""

    words: str


class _Pools:
    """Pictures by what they show; the last few are kept."""

    def __init__(self, device: torch.device, size: int) -> None:
        self.device, self.size = device, size
        self._kept: OrderedDict[tuple[str, CaptionNoise, int], TrainingPictures] = OrderedDict()

    def get(self, name: str, noise: CaptionNoise, seed: int) -> TrainingPictures:
        key = (name, noise, seed)
        if key not in self._kept:
            self._kept[key] = draw_pictures(self.size, seed, policy(name), noise, self.device)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


class Artist:
    """Draws the cells of a grid with trained networks, always from the same noise.

    Parameters
    ----------
    device : torch.device
    share : float
        Of the cells, for trying it out.
    """

    def __init__(self, device: torch.device, share: float = 1.0) -> None:
        self.device, self.share = device, share
        path = FOLDER / "local-teacher.safetensors"
        self.upsampler = Upsampler()
        fill(self.upsampler, read_weights(path)[0], "upsampler.", path)
        self.upsampler.to(device).to(memory_format=torch.channels_last).requires_grad_(False)
        self._ready: dict[bool, tuple[Tensor, Tensor]] = {}

    def draw(
        self, network: Network, weights: Mapping[str, Tensor], task: Task
    ) -> dict[str, np.ndarray]:
        """Pictures of the averaged weights, uint8 (N, 64, 64, 3), by sampling.

        The weights of the network become the averaged ones.
        """
        network.requires_grad_(False)
        with torch.no_grad():
            for name, p in network.named_parameters():
                p.copy_(weights[name])
        condition = CONDITIONS[task.condition]
        preset = condition.preset(task.seed, task.images)
        model = LocalModel.of(network, self.upsampler, preset, None)
        # Kernels are tried out for the steps of a training, not for sizes that come once.
        torch.backends.cudnn.benchmark = False
        ids, noise = self._inputs(condition.pairs)
        found = {}
        for one in task.samplings:
            settings = Settings(preset.steps, one.guidance_scale, attention=one.attention)
            parts = []
            for part in torch.arange(len(ids)).split(_CHUNK):
                part = part.to(self.device)
                with torch.inference_mode():
                    x, *_ = drawn(
                        network,
                        ids[part],
                        lambda part=part: noise[part],  # type: ignore[misc]
                        preset,
                        settings,
                    )
                    parts.append(model.enlarged(x))
            found[one.name] = torch.cat(parts).numpy()
        torch.backends.cudnn.benchmark = self.device.type == "cuda"
        return found

    def _inputs(self, pairs: bool) -> tuple[Tensor, Tensor]:
        """Token ids and starting noise of the cells."""
        if pairs not in self._ready:
            samples = [Sample(cell, 0) for cell in cells_drawn(pairs, self.share)]
            ids = token_ids([one.cell.text for one in samples]).to(self.device)
            noise = next(noises([one.seed for one in samples], 32)).to(self.device)
            self._ready[pairs] = ids, noise
        return self._ready[pairs]


def cells_drawn(pairs: bool, share: float) -> tuple[Cell, ...]:
    """Cells of the grid, or the first of them."""
    from reference_models.study.evaluate import cells_of

    cells = cells_of(pairs)
    return cells[: max(1, round(share * len(cells)))]


@flushed()
def train(
    device_name: str, waves: Any, results: Any, folder: Path, share: float, end: float
) -> None:
    """Train what comes out of a queue until None does, and draw with it.

    Parameters
    ----------
    device_name : str
    waves, results : multiprocessing queues
        Of tuples of ``Task``, trained in one step, or None; and of ``TrainedNetwork``,
        ``NoDevice`` of a process that ends, or words to be logged.
    folder : Path
        Where pictures are written.
    share : float
        See ``Artist``.
    end : float
        Of ``time.monotonic``: what would not be trained by then is not begun.
    """
    device = torch.device(device_name)
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = device.type == "cuda"
    try:
        _wait_for(device)
        artist = Artist(device, share)
    except RuntimeError as error:
        words = f"a process cannot work on {device_name}: {error}"
        results.put(NoDevice(words.splitlines()[0]))
        return
    pools = _Pools(device, POOL if device.type == "cuda" else 256)
    a_picture = 0.0
    while (wave := waves.get()) is not None:
        began = time.monotonic()
        pictures = CONDITIONS[wave[0].condition].preset(wave[0].seed, wave[0].images).images
        if began + a_picture * pictures > end:
            for task in wave:
                results.put(_not_made(task, "no time for it"))
            continue
        for one in _train_all(wave, pools, device, results):
            a_picture = one.seconds / pictures
            results.put(_drawn(one, artist, folder))


def _wait_for(device: torch.device) -> None:
    """Begin on the device; one that many begin on at once is busy for a while."""
    for attempt in range(_TRIES):
        try:
            torch.zeros(1, device=device)
            return
        except RuntimeError:
            if attempt + 1 == _TRIES:
                raise
            time.sleep(_PAUSE)


@dataclass(frozen=True, slots=True)
class _Weights:
    """What came of a training."""

    task: Task
    model: Network
    average: Mapping[str, Tensor]
    pictures: int
    seconds: float
    loss: float
    captured: bool


def _train_all(
    wave: Sequence[Task], pools: _Pools, device: torch.device, results: Any
) -> Iterator[_Weights]:
    """Train tasks in one step; where that fails, each alone, and an error ends no other."""
    try:
        yield from _train(wave, pools, device)
    except Exception as error:  # Whatever it is, the others go on.
        words = f"{error}\n{traceback.format_exc(limit=-3)}"
        if len(wave) == 1:
            results.put(_not_made(wave[0], words))
            return
        results.put(f"{len(wave)} trainings in one step failed, each is made alone: {words}")
        for task in wave:
            yield from _train_all([task], pools, device, results)


def _not_made(task: Task, words: str) -> TrainedNetwork:
    return TrainedNetwork(task, None, 0, 0.0, float("nan"), False, words)


def _train(wave: Sequence[Task], pools: _Pools, device: torch.device) -> list[_Weights]:
    began = time.monotonic()
    models, presets, stages = [], [], []
    for task in wave:
        condition = CONDITIONS[task.condition]
        preset = condition.preset(task.seed, task.images)
        torch.manual_seed(preset.seed)
        model = build(preset)
        if isinstance(model, TokenModel):
            # The bundled one: it reads no captions.
            path = FOLDER / "local-tokens.safetensors"
            fill(model.quantiser, read_weights(path)[0], "tokens.quantiser.", path)
        noises = [(condition.noise, 1 - condition.cleaned), (CLEAN, condition.cleaned)]
        models.append(model.to(device))
        presets.append(preset)
        stages.append(
            [
                (pools.get(condition.policy, noise, task.seed), part)
                for noise, part in noises
                if part
            ]
        )
    training: ResidentTraining
    if len(wave) == 1:
        training = ResidentTraining(models[0], presets[0], stages[0], device, bf16=True)
    else:
        training = EnsembleTraining(models, presets, stages, device, bf16=True)
    while not training.advance():
        pass
    found = training.results()
    seconds, seen = time.monotonic() - began, training.steps * presets[0].batch
    return [
        _Weights(task, model, average, seen, seconds, loss, training.capture)
        for task, model, (loss, average) in zip(wave, models, found, strict=True)
    ]


def _drawn(one: _Weights, artist: Artist, folder: Path) -> TrainedNetwork:
    task = one.task
    path, words = folder / f"{task.condition}-seed{task.seed}.npz", ""
    try:
        finite(one.loss)
        np.savez(path, **artist.draw(one.model, one.average, task))  # type: ignore[arg-type]
    except Exception as error:  # Whatever it is, the others go on.
        words = f"{error}\n{traceback.format_exc(limit=-3)}"
    drawings = None if words else path
    return TrainedNetwork(task, drawings, one.pictures, one.seconds, one.loss, one.captured, words)
