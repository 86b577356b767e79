"""Train, draw and judge all of the study: ``python -m reference_models.study.make --device cuda``.

Trainers share the device, and draw with what they have trained; judges work on the CPU. Every
judged drawing is a line of ``results.jsonl`` at once, with what became of every binding, and of the
first seed a sheet of pictures in ``sheets.zip``: a study that is stopped keeps all lines that it
has, and skips them when it is started again.
"""

from __future__ import annotations

import heapq
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

from bench.judge.scorers.measured import REVISION
from bench.run.cores import usable_cores
from reference_models.study.factors import CONDITIONS, SEEDS, Condition, Sampling, trainings, waves
from reference_models.study.trainer import NoDevice, Task, TrainedNetwork, train

#: Seconds at the end in which nothing is trained any more, but drawn and judged.
JUDGING = 8.0


def made(path: Path) -> set[tuple[str, int, str]]:
    """Condition, seed and sampling of the lines that are there; half a last line is cut off."""
    if not path.is_file():
        return set()
    with path.open("rb+") as file:
        whole = file.read().rpartition(b"\n")[0]
        file.truncate(len(whole) + bool(whole))
    rows = (json.loads(line) for line in whole.splitlines())
    return {(row["condition"], row["seed"], row["sampling"]) for row in rows}


def begin(cores: Any, pinned: bool) -> None:
    """Make room for those that train; on a core of its own a judge has one thread, not one each."""
    os.nice(5)
    if pinned:
        os.sched_setaffinity(0, {cores.get()})


def prepare() -> None:
    """Load the judge in a process of its own, before there is anything to judge."""
    import torch

    from reference_models.study.evaluate import cells_of, loaded_judge

    torch.set_num_threads(1)
    loaded_judge()
    cells_of(True)


def judge(
    drawings: Path, condition_name: str, sampling: Sampling, share: float
) -> tuple[dict[str, Any], bytes]:
    """A line of the results, and a sheet of pictures as PNG. Runs in a process of its own."""
    import numpy as np
    import torch
    from PIL import Image

    from reference_models.study.evaluate import SHOWN, line_of, verdicts_of
    from reference_models.study.trainer import cells_drawn

    began = time.monotonic()
    torch.set_num_threads(1)
    condition = CONDITIONS[condition_name]
    cells = cells_drawn(condition.pairs, share)
    with np.load(drawings) as stored:
        pictures = stored[sampling.name]
    rows = verdicts_of(cells, pictures)
    shown = [k for k, cell in enumerate(cells) if cell.text in SHOWN]
    sheet = pictures[shown or [0]].transpose(1, 0, 2, 3).reshape(pictures.shape[1], -1, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    line = line_of(condition, sampling, rows)
    seconds = round(time.monotonic() - began, 1)
    return {**line, "judge_seconds": seconds, "cells": rows}, buffer.getvalue()


class Study:
    """What is made: hands out trainings and drawings, and writes what comes back.

    Parameters
    ----------
    out : Path
        Of ``results.jsonl``, ``sheets.zip`` and ``log.txt``.
    share : float
        Of the cells that are drawn.
    """

    def __init__(self, out: Path, share: float) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.share = out, share
        self.done = made(out / "results.jsonl")
        self.began = time.monotonic()
        self.lines = 0

    def log(self, words: str) -> None:
        """Print a line with the time, and keep it."""
        line = f"{time.monotonic() - self.began:6.1f} s  {words}"
        click.echo(line, err=True)
        with (self.out / "log.txt").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def samplings(self, condition: Condition, seed: int) -> tuple[Sampling, ...]:
        """Samplings of a training that are not there yet."""
        names = self.done
        return tuple(s for s in condition.samplings if (condition.name, seed, s.name) not in names)

    def keep(self, trained: TrainedNetwork, found: Future[tuple[dict[str, Any], bytes]]) -> None:
        """Write a judged drawing."""
        task = trained.task
        if found.cancelled() or (error := found.exception()) is not None:
            self.log(f"{task.condition} seed {task.seed}: not judged: {error!r}")
            return
        line, sheet = found.result()
        whole = {
            "condition": line.pop("condition"),
            "seed": task.seed,
            "pictures": trained.pictures,
            "loss": round(trained.loss, 5),
            "train_seconds": round(trained.seconds, 1),
            "graph": trained.captured,
            "revision": REVISION,
            **line,
        }
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole) + "\n")
        name = f"{whole['condition']}-seed{whole['seed']}-{whole['sampling']}.png"
        self.lines += 1
        if task.seed != SEEDS[0]:
            return
        with zipfile.ZipFile(self.out / "sheets.zip", "a") as archive:
            archive.writestr(name, sheet)


class Judges:
    """Processes that judge; where one was killed, new ones take their place.

    Parameters
    ----------
    count : int
    context : multiprocessing context
    """

    def __init__(self, count: int, context: Any) -> None:
        self.count, self.context = count, context
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        cores, own = usable_cores(), self.context.Queue()
        for core in cores[-self.count :] if self.count < len(cores) else ():
            own.put(core)
        begun = begin, (own, self.count < len(cores))
        pool = ProcessPoolExecutor(self.count, self.context, *begun)
        for _ in range(self.count):
            pool.submit(prepare)
        return pool

    def submit(self, *asked: Any) -> Future[Any]:
        """Ask for a drawing to be judged; see ``judge``."""
        try:
            return self._pool.submit(judge, *asked)
        except BrokenProcessPool:
            self._pool = self._new()
            return self._pool.submit(judge, *asked)

    def kill(self) -> None:
        """End all of them at once."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--device", default="cpu")
@click.option("--seconds", default=300.0, help="All must be done by then.")
@click.option("--images", default=56_000, help="Pictures of a full training.")
@click.option("--trainers", default=4, help="Processes that train.")
@click.option("--together", default=6, help="Trainings in one step, at most.")
@click.option("--judges", default=11, help="Processes that judge.")
@click.option("--only", multiple=True, help="Conditions; all by default.")
@click.option("--seeds", type=int, default=None, help="At most so many of each condition.")
@click.option("--cells", "share", default=1.0, help="Share of the grid, for trying it out.")
def main(
    out: Path,
    device: str,
    seconds: float,
    images: int,
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
    # Streams of one process side by side, and not in line behind one another; with more of them
    # other processes find the device busy.
    os.environ["CUDA_DEVICE_MAX_CONNECTIONS"] = "16"
    study = Study(out, share)
    due = [
        (condition, seed)
        for condition, seed in trainings()
        if (not only or condition.name in only) and (seeds is None or seed <= seeds)
    ]
    due = [one for one in due if study.samplings(*one)]
    if not due:
        study.log(f"nothing is missing in {out / 'results.jsonl'}")
        return
    end = study.began + seconds
    context = multiprocessing.get_context("spawn")
    queue, results = context.Queue(), context.Queue()
    for wave in waves(due, together):
        queue.put(tuple(Task(c.name, seed, images, study.samplings(c, seed)) for c, seed in wave))
    for _ in range(trainers):
        queue.put(None)
    started = []
    pool = Judges(judges, context)
    with tempfile.TemporaryDirectory() as folder:
        asked = (device, queue, results, Path(folder), share, end - JUDGING)
        try:
            for _ in range(trainers):
                started.append(context.Process(target=train, args=asked, daemon=True))
                started[-1].start()
            study.log(f"{len(due)} trainings of {images:,} pictures")
            _collect(study, results, pool, len(due), end, trainers)
        finally:
            for one in started:
                one.kill()
            pool.kill()
            queue.cancel_join_thread()
            results.cancel_join_thread()
    study.log(f"{study.lines} drawings of {len(due)} trainings in {out / 'results.jsonl'}")


def _collect(
    study: Study, results: Any, pool: Judges, trainings_due: int, end: float, trainers: int
) -> None:
    """Hand drawings to the judges and write what they find, until all or the end."""
    waiting: dict[Future[Any], tuple[TrainedNetwork, tuple[Any, ...]]] = {}
    # Plain drawings before others, then in the order in which they came.
    backlog: list[tuple[bool, int, TrainedNetwork, tuple[Any, ...]]] = []
    left, number = trainings_due, 0
    while (left or waiting or backlog) and time.monotonic() < end:
        try:
            trained = results.get(timeout=0.2)
        except Empty:
            trained = None
        if isinstance(trained, str):
            study.log(trained)
        elif isinstance(trained, NoDevice):
            study.log(trained.words)
            trainers -= 1
            if not trainers:
                raise click.ClickException("no process can train")
        elif trained is not None:
            left -= 1
            task = trained.task
            if trained.drawings is None:
                study.log(f"{task.condition} seed {task.seed} not made: {trained.words}")
                continue
            study.log(
                f"{task.condition} seed {task.seed}: {trained.pictures:,} pictures in "
                f"{trained.seconds:.0f} s, loss {trained.loss:.4f}"
            )
            for one in task.samplings:
                asked = (trained.drawings, task.condition, one, study.share)
                heapq.heappush(backlog, (one.name != "plain", number, trained, asked))
                number += 1
        while backlog and len(waiting) < 2 * pool.count:
            *_, trained, asked = heapq.heappop(backlog)
            waiting[pool.submit(*asked)] = trained, asked
        for future in [future for future in waiting if future.done()]:
            trained, asked = waiting.pop(future)
            if isinstance(future.exception(), BrokenProcessPool):
                waiting[pool.submit(*asked)] = trained, asked
            else:
                study.keep(trained, future)


if __name__ == "__main__":
    main()
