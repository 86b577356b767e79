"""Train, draw and judge all of the study: ``python -m reference_models.study.make --device cuda``.

Trainers share the device; judges draw with what they made, on the same device, and judge on the
CPU. Every finished drawing is a line of ``results.jsonl`` at once, with what became of every
binding, and a sheet of pictures in ``sheets.zip``: a study that is stopped keeps all lines that it
has, and skips them when it is started again. The pictures that a training sees are chosen once, the
same for all, so that all trainings fit ``--seconds`` at the speed that was measured first.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import tempfile
import time
import zipfile
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from queue import Empty
from typing import Any

import click

from reference_models.study.factors import (
    BATCH,
    CONDITIONS,
    SEEDS,
    SHORT,
    Condition,
    Sampling,
    trainings,
)
from reference_models.study.trainer import Speed, Task, TrainedNetwork, train

#: Fewest and most pictures of a training.
LEAST, MOST = 40_000, 160_000
#: Share of the time that is planned with, and seconds for the last drawings.
PLANNED, TAIL = 0.75, 20.0
#: Seconds in which a process that trains must have said how fast it is.
READY = 120.0


def made(path: Path) -> set[tuple[str, int, str]]:
    """Condition, seed and sampling of the lines that are there."""
    if not path.is_file():
        return set()
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {(row["condition"], row["seed"], row["sampling"]) for row in rows}


def pictures_for(speed: float, seconds: float, units: float) -> int:
    """Pictures of a full training, so that ``units`` of them fit into the seconds."""
    fit = PLANNED * max(0.0, seconds - TAIL) * speed / units
    return round(min(MOST, max(LEAST, fit)) / BATCH) * BATCH


def evaluate(
    weights: Path, condition_name: str, sampling: Sampling, device: str, share: float
) -> tuple[dict[str, Any], bytes]:
    """A line of the results, and a sheet of pictures as PNG. Runs in a process of its own."""
    import torch
    from PIL import Image

    from reference_models.local import LocalModel
    from reference_models.study.evaluate import SHOWN, cells_of, draw, line_of, verdicts_of

    began = time.monotonic()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    condition = CONDITIONS[condition_name]
    cells = cells_of(condition.pairs)
    # A part of the grid, for trying the study out.
    cells = cells[: max(1, round(share * len(cells)))]
    pictures = draw(LocalModel(weights, device, torch.float32), sampling, cells)
    drawn = time.monotonic()
    rows = verdicts_of(cells, pictures)
    shown = [k for k, cell in enumerate(cells) if cell.text in SHOWN]
    sheet = pictures[shown or [0]].transpose(1, 0, 2, 3).reshape(pictures.shape[1], -1, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    seconds = {"draw": round(drawn - began, 1), "judge": round(time.monotonic() - drawn, 1)}
    return {
        **line_of(condition, sampling, rows),
        "seconds": seconds,
        "cells": rows,
    }, buffer.getvalue()


class Study:
    """The parent: hands out trainings and drawings, and writes what comes back.

    Parameters
    ----------
    out : Path
        Of ``results.jsonl``, ``sheets.zip`` and ``log.txt``.
    device : str
    share : float
        Of the cells that are drawn.
    """

    def __init__(self, out: Path, device: str, share: float) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.device, self.share = out, device, share
        self.done = made(out / "results.jsonl")
        self.began = time.monotonic()
        self.lines = 0

    def log(self, words: str) -> None:
        """Print a line with the time, and keep it."""
        line = f"{time.monotonic() - self.began:6.1f} s  {words}"
        click.echo(line, err=True)
        with (self.out / "log.txt").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def drawings(self, condition: Condition, seed: int) -> list[Sampling]:
        """Samplings of a training that are not there yet."""
        return [
            one for one in condition.samplings if (condition.name, seed, one.name) not in self.done
        ]

    def keep(self, trained: TrainedNetwork, found: Future[tuple[dict[str, Any], bytes]]) -> None:
        """Write a finished drawing."""
        if found.cancelled() or (error := found.exception()) is not None:
            self.log(f"{trained.task.condition} seed {trained.task.seed}: not drawn: {error!r}")
            return
        line, sheet = found.result()
        whole = {
            "condition": line.pop("condition"),
            "seed": trained.task.seed,
            "pictures": trained.pictures,
            "loss": round(trained.loss, 5),
            "train_seconds": round(trained.seconds, 1),
            "bf16": trained.task.bf16,
            "device": self.device,
            **line,
        }
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole) + "\n")
        name = f"{whole['condition']}-seed{whole['seed']}-{whole['sampling']}.png"
        with zipfile.ZipFile(self.out / "sheets.zip", "a") as archive:
            archive.writestr(name, sheet)
        self.lines += 1


class Judges:
    """Processes that draw and judge; where one was killed, new ones take their place.

    Parameters
    ----------
    count : int
    context : multiprocessing context
    """

    def __init__(self, count: int, context: Any) -> None:
        self.count, self.context = count, context
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.count, self.context, os.nice, (5,))

    def submit(self, *asked: Any) -> Future[Any]:
        """Ask for a drawing; see ``evaluate``."""
        try:
            return self._pool.submit(evaluate, *asked)
        except BrokenProcessPool:
            self._pool = self._new()
            return self._pool.submit(evaluate, *asked)

    def kill(self) -> None:
        """End all of them at once."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--device", default="cpu")
@click.option("--seconds", default=300.0, help="All must be done by then.")
@click.option("--images", type=int, default=None, help="Of a full training; else what fits.")
@click.option("--trainers", default=4, help="Processes that train.")
@click.option("--together", default=3, help="Trainings side by side in each.")
@click.option("--judges", default=10, help="Processes that draw and judge.")
@click.option("--only", multiple=True, help="Conditions; all by default.")
@click.option("--seeds", type=int, default=None, help="At most so many of each condition.")
@click.option("--cells", "share", default=1.0, help="Share of the grid, for trying it out.")
def main(
    out: Path,
    device: str,
    seconds: float,
    images: int | None,
    trainers: int,
    together: int,
    judges: int,
    only: tuple[str, ...],
    seeds: int | None,
    share: float,
) -> None:
    """Train, draw and judge what is missing, the most telling first."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # Streams of one process side by side, and not in line behind one another.
    os.environ["CUDA_DEVICE_MAX_CONNECTIONS"] = "32"
    study = Study(out, device, share)
    planned = [
        (condition, seed)
        for condition, seed in trainings()
        if (not only or condition.name in only) and (seeds is None or seed <= seeds)
    ]
    due = [one for one in planned if study.drawings(*one)]
    # More seeds of some conditions come last, if there is time.
    units = sum(condition.length for condition, seed in due if seed in SEEDS)
    end = study.began + seconds
    context = multiprocessing.get_context("spawn")
    tasks, results = context.Queue(), context.Queue()
    started = []
    pool = Judges(judges, context)
    with tempfile.TemporaryDirectory() as folder:
        asked = (device, tasks, results, Path(folder), together, context.Barrier(trainers))
        try:
            for _ in range(trainers):
                started.append(context.Process(target=train, args=asked, daemon=True))
                started[-1].start()
            ready = min(end, time.monotonic() + READY)
            speeds = [_next(results, ready) for _ in started]
            bf16, capture, speed = _quickest(study, [one for one in speeds if one is not None])
            images = images or pictures_for(speed, end - time.monotonic(), max(units, SHORT))
            study.log(f"{len(due)} trainings of {images:,} pictures, bf16 {bf16}, graph {capture}")
            for condition, seed in due:
                tasks.put(Task(condition.name, seed, images, bf16, capture))
            for _ in started:
                tasks.put(None)
            _collect(study, results, pool, len(due), end)
        finally:
            for one in started:
                one.kill()
            pool.kill()
            tasks.cancel_join_thread()
            results.cancel_join_thread()
    study.log(f"{study.lines} drawings of {len(due)} trainings in {out / 'results.jsonl'}")


def _quickest(study: Study, speeds: list[Speed]) -> tuple[bool, bool, float]:
    """Precision, whether steps are graphs, and pictures a second of all processes together."""
    sums: dict[tuple[bool, bool], list[float]] = {}
    for one in speeds:
        study.log(one.words)
        for key, rate in one.pictures.items():
            sums.setdefault(key, []).append(rate)
    # What not all of them can do is not done.
    whole = {key: sum(rates) for key, rates in sums.items() if len(rates) == len(speeds)}
    if not whole:
        raise click.ClickException(f"no training could begin on {study.device}")
    (bf16, capture), speed = max(whole.items(), key=lambda item: item[1])
    return bf16, capture, speed


def _next(results: Any, end: float) -> Any:
    try:
        return results.get(timeout=max(0.1, end - time.monotonic()))
    except Empty:
        return None


def _collect(study: Study, results: Any, pool: Judges, trainings_due: int, end: float) -> None:
    """Hand trained networks to the judges and write what they find, until all or the end."""
    waiting: dict[Future[Any], tuple[TrainedNetwork, tuple[Any, ...]]] = {}
    left = trainings_due
    while (left or waiting) and time.monotonic() < end:
        try:
            trained = results.get(timeout=0.5)
        except Empty:
            trained = None
        if isinstance(trained, Speed):
            study.log(f"late: {trained.words}")
        elif trained is not None:
            left -= 1
            task = trained.task
            if trained.weights is None:
                study.log(f"{task.condition} seed {task.seed} failed: {trained.words}")
                continue
            study.log(
                f"{task.condition} seed {task.seed}: {trained.pictures:,} pictures in "
                f"{trained.seconds:.0f} s, loss {trained.loss:.4f}"
            )
            for sampling in study.drawings(CONDITIONS[task.condition], task.seed):
                asked = (trained.weights, task.condition, sampling, study.device, study.share)
                waiting[pool.submit(*asked)] = trained, asked
        for one in [one for one in waiting if one.done()]:
            whose, asked = waiting.pop(one)
            if isinstance(one.exception(), BrokenProcessPool):
                waiting[pool.submit(*asked)] = whose, asked
            else:
                study.keep(whose, one)


if __name__ == "__main__":
    main()
