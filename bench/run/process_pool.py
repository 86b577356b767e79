"""A team of processes on this machine, one a device."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

from bench.errors import UsageError
from bench.run.pool import Answer
from bench.run.spec import RunJob

#: Seconds that an ended process may take to go.
PATIENCE = 10.0

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def device_names(text: str) -> list[str]:
    """Return the devices of ``--devices``: numbers are CUDA devices, anything else is as it says.

    Raises
    ------
    UsageError
        An empty name.

    Examples
    --------
    >>> device_names("0,1,cpu")
    ['cuda:0', 'cuda:1', 'cpu']
    """
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(f"--devices {text!r} has an empty name; expected such as 0,1 or cpu,cpu")
    return [f"cuda:{name}" if name.isdigit() else name for name in names]


class ProcessTeam:
    """One process a device, started anew (spawn), each with a pipe to the leader.

    Parameters
    ----------
    jobs : mapping of str to RunJob
        What each worker is to do, by its name.
    """

    def __init__(self, jobs: Mapping[str, RunJob]) -> None:
        context = multiprocessing.get_context("spawn")
        self._processes: dict[str, Any] = {}
        self._pipes: dict[str, Connection] = {}
        self._lost: list[Answer] = []
        threads = max(1, (os.cpu_count() or 1) // max(len(jobs), 1))
        with _threads(threads):
            for name, job in jobs.items():
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=serve, args=(theirs, job), name=f"bench-{name}", daemon=True
                )
                process.start()
                # Only the child holds its end now, so that its end is seen as the end of the pipe.
                theirs.close()
                self._processes[name], self._pipes[name] = process, ours

    @property
    def workers(self) -> Sequence[str]:
        """Names of those that live."""
        return list(self._pipes)

    def ask(self, worker: str, method: str, *args: Any) -> None:
        """Have a worker call a method."""
        try:
            self._pipes[worker].send((method, args))
        except (KeyError, OSError):
            self._bury(worker)

    def answers(self, seconds: float) -> list[Answer]:
        """Return what has been answered; waits so long for the first."""
        found, self._lost = self._lost, []
        names = {pipe: name for name, pipe in self._pipes.items()}
        for pipe in wait(list(names), 0 if found else seconds):
            name = names[pipe]  # type: ignore[index]
            try:
                while self._pipes[name].poll():
                    method, value, error = self._pipes[name].recv()
                    found.append(Answer(name, method, value, error))
            except (EOFError, OSError):
                self._bury(name)
        return found + self._taken_lost()

    def dismiss(self, worker: str) -> None:
        """End one worker at once."""
        pipe = self._pipes.pop(worker, None)
        if pipe is not None:
            pipe.close()
        process = self._processes[worker]
        process.kill()
        process.join(PATIENCE)

    def end(self) -> None:
        """End all workers."""
        for worker in self.workers:
            # The end of the pipe ends the process; what it has in hand was closed before.
            self._pipes.pop(worker).close()
        for process in self._processes.values():
            process.join(PATIENCE)
            if process.exitcode is None:
                process.kill()
                process.join(PATIENCE)

    def _taken_lost(self) -> list[Answer]:
        lost, self._lost = self._lost, []
        return lost

    def _bury(self, worker: str) -> None:
        if self._pipes.pop(worker, None) is None:
            return
        process = self._processes[worker]
        process.join(PATIENCE)
        self._lost.append(Answer(worker, "", lost=_why(process.exitcode)))


def serve(pipe: Connection, job: RunJob) -> None:
    """Be a worker: do what the pipe says until it ends."""
    # Ctrl-C at a terminal reaches all processes; the leader alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
    from bench.run.process_worker import BESIDE, Station, called

    station = Station(job)
    sending = threading.Lock()

    def answer(method: str, args: tuple[Any, ...]) -> None:
        value, error = called(station, method, args)
        with sending:
            pipe.send((method, value, error))

    def listen() -> None:
        try:
            while True:
                method, args = pipe.recv()
                if method not in BESIDE:
                    calls.put((method, args))
                    continue
                answer(method, args)
                if method == "stop":
                    os.kill(os.getpid(), signal.SIGTERM)
        except (EOFError, OSError):
            # The leader is gone, or has let go of us. Nothing may be written any more: another
            # leader may be at work already.
            os._exit(0)

    with station.interrupts.installed((signal.SIGTERM,)):
        threading.Thread(target=listen, name="bench-listening", daemon=True).start()
        while True:
            answer(*calls.get())


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let processes started meanwhile use so many threads, where the user has not said."""
    ours = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, str(count)))
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def _why(code: int | None) -> str:
    if code is None:
        return "it does not answer"
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"ended with code {code}"
