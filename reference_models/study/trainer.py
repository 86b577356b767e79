"""A process that trains: several networks side by side on one device, condition after condition."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import torch

from reference_models.denormals import flushed
from reference_models.policies import policy
from reference_models.presets import TrainingPreset, build
from reference_models.resident import ResidentTraining, TrainingPictures, draw_pictures
from reference_models.study.factors import CONDITIONS, POOL
from reference_models.tokens.model import TokenModel
from reference_models.weights import FOLDER, fill, read_weights, write_weights
from reference_models.world.caption_noise import CLEAN, CaptionNoise

#: Pools kept by a process.
_KEPT = 12
#: Steps that the speed is measured over.
_TIMED = 30


@dataclass(frozen=True, slots=True)
class Task:
    """A training that is asked for."""

    condition: str
    seed: int
    images: int
    bf16: bool
    capture: bool


@dataclass(frozen=True, slots=True)
class Speed:
    """What a process reached, all of them at once: pictures a second by (bf16, capture)."""

    pictures: dict[tuple[bool, bool], float]
    words: str


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A finished training, or the words of the error that ended it."""

    task: Task
    weights: Path | None
    pictures: int
    seconds: float
    loss: float
    words: str = ""


class _Pools:
    """Pictures by what they show; the last few are kept."""

    def __init__(self, device: torch.device, size: int) -> None:
        self.device, self.size = device, size
        self._kept: OrderedDict[tuple[str, CaptionNoise, int], TrainingPictures] = OrderedDict()

    def get(self, name: str, noise: CaptionNoise, seed: int) -> TrainingPictures:
        key = (name, noise, seed)
        if key not in self._kept:
            where: torch.device | str = self.device
            try:
                found = draw_pictures(self.size, seed, policy(name), noise, where)
            except RuntimeError:
                if self.device.type == "cpu":
                    raise
                found = draw_pictures(self.size, seed, policy(name), noise)
                found = TrainingPictures(
                    found.pictures.to(self.device), found.ids.to(self.device), found.seen
                )
            self._kept[key] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


@dataclass(slots=True)
class _Running:
    task: Task
    preset: TrainingPreset
    training: ResidentTraining
    began: float


@flushed()
def train(
    device_name: str, tasks: Any, results: Any, folder: Path, together: int, all_: Any
) -> None:
    """Measure the speed, then train what comes out of a queue until None does.

    Parameters
    ----------
    device_name : str
    tasks, results : multiprocessing queues
        Of ``Task`` or None; and of one ``Speed``, then of ``TrainedNetwork``.
    folder : Path
        Where weights are written.
    together : int
        Trainings side by side.
    all_ : multiprocessing.Barrier
        Of all processes that train.
    """
    device = torch.device(device_name)
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    pools = _Pools(device, POOL if device.type == "cuda" else 256)
    results.put(_speed(pools, device, together, all_))
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
                _guarded(
                    lambda task=task: running.append(_begin(task, pools, device)), task, results
                )
        for one in list(running):
            if _guarded(one.training.advance, one.task, results, failed=True):
                running.remove(one)
                if one.training.done >= one.training.steps:
                    _guarded(lambda one=one: results.put(_end(one, folder)), one.task, results)


def _guarded(act: Any, task: Task, results: Any, failed: Any = None) -> Any:
    """Do it; an error ends this training and no other."""
    try:
        return act()
    except Exception as error:
        words = traceback.format_exc(limit=-3)
        results.put(TrainedNetwork(task, None, 0, 0.0, float("nan"), f"{error}\n{words}"))
        return failed


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
    training = ResidentTraining(model, preset, stages, device, task.bf16, task.capture)
    return _Running(task, preset, training, began)


def _end(one: _Running, folder: Path) -> TrainedNetwork:
    loss = one.training.finish()
    network = {f"{one.preset.network}.{n}": t for n, t in one.training.average.items()}
    stored, _ = read_weights(FOLDER / "local-teacher.safetensors")
    upsampler = {n: t for n, t in stored.items() if n.startswith("upsampler.")}
    path = folder / f"{one.task.condition}-seed{one.task.seed}.safetensors"
    tensors = {name: tensor.cpu() for name, tensor in (network | upsampler).items()}
    write_weights(path, tensors, {"preset": asdict(one.preset)})
    seconds = time.monotonic() - one.began
    return TrainedNetwork(one.task, path, one.training.steps * one.preset.batch, seconds, loss)


def _speed(pools: _Pools, device: torch.device, together: int, all_: Any) -> Speed:
    """Pictures a second of as many U-Nets as are trained together, in both precisions.

    All processes begin at once, where they come in time: what counts is what they reach together.
    """
    found, words = {}, []
    asked = [(bf16, device.type == "cuda") for bf16 in (False, True)]
    for bf16, capture in asked:
        name = f"{'bf16' if bf16 else 'float32'}{', graph' * capture}"
        task = Task(next(iter(CONDITIONS)), 1, 64_000, bf16, capture)
        try:
            trainings = [_begin(task, pools, device).training for _ in range(together)]
            reached = _timed(trainings, all_)
            if capture and not all(one.capture for one in trainings):
                words.append(f"{name}: cannot be recorded")
                asked.append((bf16, False))
                continue
            found[bf16, capture] = reached
            words.append(f"{name}: {reached:.0f}/s")
        except RuntimeError as error:
            words.append(f"{name}: {error}")
            if capture:
                asked.append((bf16, False))
    return Speed(found, "; ".join(words))


def _timed(trainings: list[ResidentTraining], all_: Any) -> float:
    timed, warm = (_TIMED, 5) if trainings[0].device.type == "cuda" else (1, 1)
    for _ in range(warm):
        for one in trainings:
            one.advance()
    _wait(trainings)
    with contextlib.suppress(threading.BrokenBarrierError):
        all_.wait(15)
    began = time.monotonic()
    for _ in range(timed):
        for one in trainings:
            one.advance()
    _wait(trainings)
    return timed * sum(one.preset.batch for one in trainings) / (time.monotonic() - began)


def _wait(trainings: list[ResidentTraining]) -> None:
    if trainings[0].device.type == "cuda":
        torch.cuda.synchronize(trainings[0].device)
