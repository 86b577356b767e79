"""A team of Ray actors: on this machine, or on all machines of a cluster."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from typing import Any

from bench.errors import UsageError
from bench.run.pool import Answer
from bench.run.process_worker import BESIDE, Station, called
from bench.run.spec import RunJob

# An optional library: types must hold with it and without it.
ray: Any = importlib.import_module("ray")


class Worker:
    """A `Station` as an actor. `beside` is answered by a thread of its own."""

    def __init__(self, job: RunJob) -> None:
        self._station = Station(job)

    def call(self, method: str, args: Sequence[Any]) -> tuple[Any, Exception | None]:
        """Call a method of the station."""
        return called(self._station, method, args)

    @ray.method(concurrency_group="beside")
    def beside(self, method: str, args: Sequence[Any]) -> tuple[Any, Exception | None]:
        """Call a method that does not wait for others."""
        return called(self._station, method, args)


class RayTeam:
    """Actors with one GPU each, or one CPU each where the cluster has no GPU.

    Joins the cluster of ``RAY_ADDRESS`` where that is set, else starts Ray on this machine.

    Parameters
    ----------
    job : RunJob
        What every worker is to do.
    count : int, optional
        Number of workers; by default one a GPU, or one a CPU where there is none.
    """

    def __init__(self, job: RunJob, count: int | None = None) -> None:
        self._started = not ray.is_initialized()
        if self._started:
            ray.init(log_to_driver=False, logging_level="ERROR", configure_logging=False)
        resources = ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        count = count or gpus or cpus
        if not count:
            raise UsageError("the Ray cluster has neither GPU nor CPU; start it with some")
        actor: Any = ray.remote(
            num_cpus=1,
            num_gpus=1 if gpus else 0,
            max_restarts=0,
            concurrency_groups={"beside": 1},
        )(Worker)
        self._actors: dict[str, Any] = {f"ray:{n}": actor.remote(job) for n in range(count)}
        self._calls: dict[Any, tuple[str, str]] = {}
        self._lost: list[Answer] = []

    @property
    def workers(self) -> Sequence[str]:
        """Names of those that live."""
        return list(self._actors)

    def ask(self, worker: str, method: str, *args: Any) -> None:
        """Have a worker call a method."""
        actor = self._actors.get(worker)
        if actor is not None:
            way = actor.beside if method in BESIDE else actor.call
            self._calls[way.remote(method, args)] = (worker, method)

    def answers(self, seconds: float) -> list[Answer]:
        """Return what has been answered; waits so long for the first."""
        if not self._calls:
            return []
        done, _ = ray.wait(list(self._calls), num_returns=1, timeout=seconds)
        if done:
            done, _ = ray.wait(list(self._calls), num_returns=len(self._calls), timeout=0)
        found = []
        for call in done:
            worker, method = self._calls.pop(call)
            if worker not in self._actors:
                continue
            try:
                value, error = ray.get(call)
            except ray.exceptions.RayError as reason:
                # The actor died, its machine is gone, or the network to it: all the same to us.
                self._end(worker)
                found.append(Answer(worker, "", lost=_first_line(reason)))
            else:
                found.append(Answer(worker, method, value, error))
        return found

    def dismiss(self, worker: str) -> None:
        """End one worker at once."""
        self._end(worker)

    def end(self) -> None:
        """End all workers, and Ray where it was started here."""
        for worker in self.workers:
            self._end(worker)
        if self._started:
            ray.shutdown()

    def _end(self, worker: str) -> None:
        actor = self._actors.pop(worker)
        # Also where Ray thinks that it is dead: a worker that lives on must not write.
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            ray.kill(actor)


def _first_line(reason: Exception) -> str:
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(reason).__name__
