"""A process that trains: several networks side by side on one device, condition after condition.

What it has trained it draws with at once, since it holds the device; judging needs none.
"""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prompts.cells import Cell, Sample
from reference_models.denormals import flushed
from reference_models.local import LocalModel, noises, token_ids
from reference_models.policies import policy
from reference_models.presets import TrainingPreset, build
from reference_models.resident import ResidentTraining, TrainingPictures, draw_pictures
from reference_models.sampling import Settings, drawn
from reference_models.study.factors import CONDITIONS, POOL, Condition, Sampling
from reference_models.tokens.model import TokenModel
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, fill, read_weights
from reference_models.world.caption_noise import CLEAN, CaptionNoise

#: Pools kept by a process.
_KEPT = 16
#: Pictures drawn together with a trained network.
_CHUNK = 512
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
        self, training: ResidentTraining, condition: Condition, samplings: Sequence[Sampling]
    ) -> dict[str, np.ndarray]:
        """Pictures of the averaged weights, uint8 (N, 64, 64, 3), by sampling.

        The weights of the network become the averaged ones.
        """
        network = training.model.requires_grad_(False)
        with torch.no_grad():
            for name, p in network.named_parameters():
                p.copy_(training.average[name])
        model = LocalModel.of(network, self.upsampler, training.preset, None)
        # Kernels are tried out for the steps of a training, not for sizes that come once.
        torch.backends.cudnn.benchmark = False
        ids, noise = self._inputs(condition.pairs)
        found = {}
        for one in samplings:
            settings = Settings(training.preset.steps, one.guidance_scale, attention=one.attention)
            parts = []
            for part in torch.arange(len(ids)).split(_CHUNK):
                part = part.to(self.device)
                with torch.inference_mode():
                    x, *_ = drawn(
                        network,
                        ids[part],
                        lambda part=part: noise[part],  # type: ignore[misc]
                        training.preset,
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


@dataclass(slots=True)
class _Running:
    task: Task
    preset: TrainingPreset
    training: ResidentTraining
    began: float


@flushed()
def train(
    device_name: str, tasks: Any, results: Any, folder: Path, together: int, share: float
) -> None:
    """Train what comes out of a queue until None does, and draw with it.

    Parameters
    ----------
    device_name : str
    tasks, results : multiprocessing queues
        Of ``Task`` or None, and of ``TrainedNetwork`` or, of a process that cannot work, str.
    folder : Path
        Where pictures are written.
    together : int
        Trainings side by side.
    share : float
        See ``Artist``.
    """
    device = torch.device(device_name)
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = device.type == "cuda"
    try:
        _wait_for(device)
        artist = Artist(device, share)
    except RuntimeError as error:
        results.put(f"a process cannot work on {device_name}: {error}".splitlines()[0])
        return
    pools = _Pools(device, POOL if device.type == "cuda" else 256)
    running: list[_Running] = []
    open_ = True
    while open_ or running:
        while open_ and len(running) < together:
            try:
                task = tasks.get(block=not running)
            except Empty:
                break
            if task is None:
                open_ = False
            else:
                begun = _guarded(_begin, task, results, task, pools, device)
                running += [begun] if begun is not None else []
        for one in list(running):
            state = _guarded(one.training.advance, one.task, results)
            if state is not False:
                running.remove(one)
            if state:
                ended = _guarded(_end, one.task, results, one, artist, folder)
                if ended is not None:
                    results.put(ended)


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


def _guarded(act: Any, task: Task, results: Any, *given: Any) -> Any:
    """Do it; an error ends this training and no other, and gives None."""
    try:
        return act(*given)
    except Exception as error:  # Whatever it is, the others go on.
        words = f"{error}\n{traceback.format_exc(limit=-3)}"
        results.put(TrainedNetwork(task, None, 0, 0.0, float("nan"), False, words))
        return None


def _begin(task: Task, pools: _Pools, device: torch.device) -> _Running:
    began = time.monotonic()
    condition = CONDITIONS[task.condition]
    preset = condition.preset(task.seed, task.images)
    torch.manual_seed(preset.seed)
    model = build(preset)
    if isinstance(model, TokenModel):
        # The bundled one: it reads no captions.
        path = FOLDER / "local-tokens.safetensors"
        fill(model.quantiser, read_weights(path)[0], "tokens.quantiser.", path)
    stages = [(pools.get(condition.policy, condition.noise, task.seed), 1 - condition.cleaned)]
    if condition.cleaned:
        stages.append((pools.get(condition.policy, CLEAN, task.seed), condition.cleaned))
    training = ResidentTraining(model, preset, stages, device, bf16=True)
    return _Running(task, preset, training, began)


def _end(one: _Running, artist: Artist, folder: Path) -> TrainedNetwork:
    loss = one.training.finish()
    seconds = time.monotonic() - one.began
    pictures = artist.draw(one.training, CONDITIONS[one.task.condition], one.task.samplings)
    path = folder / f"{one.task.condition}-seed{one.task.seed}.npz"
    np.savez(path, **pictures)  # type: ignore[arg-type]
    seen = one.training.steps * one.preset.batch
    return TrainedNetwork(one.task, path, seen, seconds, loss, one.training.capture)
