"""Processes of this machine, one a device, each with a pipe to the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from bench.errors import BenchError
from bench.judge.device import core_count
from bench.run.beyond_control import ExcessInRun
from bench.run.components import Description
from bench.run.cores import keep_to_own_cores, threads
from bench.run.execute import STOPPING
from bench.run.interrupts import Interrupts
from bench.run.missing import Done, WorkerShare
from bench.run.plan import ListedPictures, pictures_of, plan_of
from bench.run.progress import Progress
from bench.run.spec import PictureSource, RunSpec, device_names
from bench.run.workers import Advance, Pool, Worker, called, require_alike
from bench.store.manifest import Manifest
from bench.store.run import Run

#: Seconds that an ended process may take to go.
PATIENCE = 10.0


@dataclass(frozen=True)
class _Answer:
    """What came from a worker: of a call (``method``), or that it is lost."""

    worker: str
    method: str
    value: Any = None
    error: Exception | None = None
    lost: str = ""


class ProcessPool(Pool):
    """One process a device, started anew (spawn).

    A process that is killed is started again when what it left is shared out.

    Parameters
    ----------
    spec : RunSpec
        Its ``devices`` name them.
    progress : Progress
    pictures : ListedPictures, optional
        Those of the run, where they were listed already.

    Raises
    ------
    BenchError
        What the user can mend: an unknown model, a missing device, other weights in one of them.
    """

    def __init__(
        self, spec: RunSpec, progress: Progress, pictures: ListedPictures | None = None
    ) -> None:
        super().__init__(progress)
        devices = device_names(spec.devices or "cpu")
        if isinstance(spec.source, PictureSource):
            # Listed once, here.
            pictures = pictures or pictures_of(spec, spec.source, progress)
        self._pictures = pictures
        self._specs = {
            f"{number}:{device}": replace(spec, devices=None, device=device)
            for number, device in enumerate(devices)
        }
        self._processes: dict[str, Any] = {}
        self._pipes: dict[str, Connection] = {}
        #: Workers that broke down by themselves: they would again.
        self._broken: set[str] = set()
        try:
            self.description = require_alike(self._start(self._specs))
            training = self.description.sampler.training
            self.plan = pictures.plan if pictures else plan_of(spec, training)
        except BaseException:
            self.close()
            raise

    @property
    def processes(self) -> dict[str, int]:
        """Number of the process of each living worker."""
        return {name: self._processes[name].pid for name in self._pipes}

    def make(
        self, run: Run, share: WorkerShare, interrupts: Interrupts, seconds: float | None
    ) -> list[Done]:
        """Have the workers make a share, an equal part each."""
        if self.excess is None:
            whole = len(share.missing) == len(self.plan.samples)
            self.excess = ExcessInRun(run, whole)
        self._restart()
        busy = set(self._pipes)
        manifest = run.manifest.model_dump_json()
        for worker, part in zip(list(self._pipes), share.split(len(busy) or 1), strict=False):
            self._ask(worker, "make", run.folder, manifest, part, seconds)
        done: list[Done] = []
        error: BenchError | None = None
        stopping = False
        while busy:
            if (interrupts.asked or error) and not stopping:
                stopping = True
                if error is None:
                    self.progress.say(STOPPING)
                for worker in busy:
                    self._ask(worker, "stop")
            for answer in self._answers(0.2):
                if answer.method == "advance":
                    self.progress.advance(answer.value)
                    continue
                if answer.method == "seen":
                    self.excess.add(answer.value)
                    continue
                busy.discard(answer.worker)
                if isinstance(answer.error, BenchError):
                    error = error or answer.error
                elif answer.lost or answer.error is not None:
                    self._lose(answer)
                else:
                    done.append(answer.value)
                    self.used[answer.worker] = answer.value.usage
        if error is not None:
            raise error
        return done

    def self_check(self, manifest: Manifest) -> dict[str, Any]:
        """Have one worker judge the judge."""
        self._restart()
        for worker in list(self._pipes):
            self._ask(worker, "self_check", manifest.model_dump_json())
            for answer in self._replies([worker]):
                found: dict[str, Any] = answer.value
                return found
        raise self.too_few(0, len(self.plan.samples))

    def close(self) -> None:
        """End all processes; what they have in hand was closed before."""
        for worker in list(self._pipes):
            self._pipes.pop(worker).close()
        for process in self._processes.values():
            process.join(PATIENCE)
            if process.exitcode is None:
                process.kill()
                process.join(PATIENCE)

    def _start(self, workers: Collection[str]) -> dict[str, Description]:
        """Start processes, and wait until each has loaded its components."""
        context = multiprocessing.get_context("spawn")
        order = list(self._specs)
        with threads(max(1, core_count() // len(self._specs))):
            for name in workers:
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=serve,
                    args=(theirs, self._specs[name], order.index(name), len(order)),
                    name=f"bench-{name}",
                    daemon=True,
                )
                process.start()
                # Only the child holds its end now, so that its end is seen as the end of the pipe.
                theirs.close()
                self._processes[name], self._pipes[name] = process, ours
        for name in workers:
            self._ask(name, "describe", self._pictures)
        found: dict[str, Description] = {a.worker: a.value[0] for a in self._replies(workers)}
        if not found:
            raise self.too_few(0, 0)
        return {name: found[name] for name in workers if name in found}

    def _restart(self) -> None:
        """Start those again that were killed; one that cannot be is left out."""
        gone = [name for name in self._specs if name not in self._pipes]
        gone = [name for name in gone if name not in self._broken]
        if not gone:
            return
        try:
            require_alike({"the first": self.description, **self._start(gone)})
        except BenchError as error:
            if not set(self._pipes) - set(gone):
                raise
            for name in gone:
                self._end(name)
                self._broken.add(name)
            self.last_error = str(error)

    def _ask(self, worker: str, method: str, *args: Any) -> None:
        # One that is gone is found by the end of its pipe.
        with suppress(OSError):
            self._pipes[worker].send((method, args))

    def _replies(self, workers: Collection[str]) -> Iterator[_Answer]:
        """One answer of each worker that is not lost meanwhile; an error for the user is raised."""
        waiting = set(workers)
        while waiting:
            for answer in self._answers(1.0, waiting):
                waiting.discard(answer.worker)
                if isinstance(answer.error, BenchError):
                    raise answer.error
                if answer.lost or answer.error is not None:
                    self._lose(answer)
                else:
                    yield answer

    def _answers(self, seconds: float, among: Collection[str] | None = None) -> list[_Answer]:
        """Return what has come from some workers; waits so long for the first."""
        names = {pipe: name for name, pipe in self._pipes.items() if not among or name in among}
        found: list[_Answer] = []
        for pipe in wait(list(names), seconds):
            name = names[pipe]  # type: ignore[index]
            try:
                while self._pipes[name].poll():
                    found.append(_Answer(name, *self._pipes[name].recv()))
            except (EOFError, OSError):
                self._end(name)
                why = _why(self._processes[name].exitcode)
                found.append(_Answer(name, "", lost=why))
        return found

    def _lose(self, answer: _Answer) -> None:
        """Take leave of a worker that is gone, or that met a bug."""
        if answer.error is not None:
            self._broken.add(answer.worker)
            self._end(answer.worker, kill=True)
        self.tell_lost(answer.worker, answer.lost or str(answer.error))

    def _end(self, worker: str, kill: bool = False) -> None:
        pipe = self._pipes.pop(worker, None)
        if pipe is not None:
            pipe.close()
        process = self._processes[worker]
        if kill:
            process.kill()
        process.join(PATIENCE)


def serve(pipe: Connection, spec: RunSpec, rank: int = 0, of: int = 1) -> None:
    """Be a worker, one of several: do what the pipe says until it ends."""
    keep_to_own_cores(rank, of)
    # Ctrl-C at a terminal reaches all processes; the one that started us decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
    sending = threading.Lock()

    def send(method: str, value: Any, error: Exception | None = None) -> None:
        with sending:
            pipe.send((method, value, error))

    def listen() -> None:
        try:
            while True:
                method, args = pipe.recv()
                if method == "stop":
                    # Breaks into a long step of the sampler; anywhere else it is only noted.
                    os.kill(os.getpid(), signal.SIGTERM)
                else:
                    calls.put((method, args))
        except (EOFError, OSError):
            # Who started us is gone, or has let go of us: nobody holds the folder for us now.
            os._exit(0)

    interrupts = Interrupts()
    with interrupts.installed((signal.SIGTERM,)):
        threading.Thread(target=listen, name="bench-listening", daemon=True).start()
        worker: Worker | None = None
        progress = Advance(lambda count: send("advance", count))
        seen = partial(send, "seen")
        while True:
            method, args = calls.get()
            if worker is None:
                # Not handed to the process itself, which would take them in before all else.
                pictures, args = args[0], ()
                worker, error = called(partial(Worker, spec, interrupts, pictures))
                if error is not None:
                    send(method, None, error)
                    continue
            call = getattr(worker, method)
            if method == "make":
                args = (*args, progress, seen)
            send(method, *called(partial(call, *args)))


def _why(code: int | None) -> str:
    if code is None:
        return "it does not answer"
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"ended with code {code}"
