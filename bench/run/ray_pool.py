"""Ray actors, on this machine or on all machines of a cluster; Ray schedules, restarts, retries."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.run.components import Description
from bench.run.execute import STOPPING
from bench.run.interrupts import Interrupts
from bench.run.missing import Done, WorkerShare
from bench.run.plan import plan_of
from bench.run.progress import Progress
from bench.run.scoring_thread import BATCH
from bench.run.spec import RunSpec
from bench.run.workers import AGAIN, Pool, Worker, called, require_alike
from bench.store.manifest import Manifest
from bench.store.run import Run

# An optional library: types must hold with it and without it.
ray: Any = importlib.import_module("ray")
actor_pool: Any = importlib.import_module("ray.util.actor_pool")

#: Most images of a chunk; towards four chunks a worker, so that all end at about one time.
CHUNK = 1024
_CHUNKS_A_WORKER = 4


class Actor:
    """A `Worker` as an actor. `stop` is answered by a thread of its own."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._interrupts = Interrupts()
        self._worker: Worker | None = None

    def call(self, method: str, *args: Any) -> tuple[Any, Exception | None]:
        """Call a method of the worker, which is made where there is none; after a restart too."""
        return called(lambda: self._call(method, *args))

    def _call(self, method: str, *args: Any) -> Any:
        if self._worker is None:
            self._worker = Worker(self._spec, self._interrupts)
        return getattr(self._worker, method)(*args)

    @ray.method(concurrency_group="beside")
    def stop(self) -> None:
        """Have the call at work end after the image in hand."""
        self._interrupts.asked = True


class RayPool(Pool):
    """Actors with one GPU each, or one CPU each where the cluster has no GPU.

    Joins the cluster of ``RAY_ADDRESS`` where that is set, else starts Ray on this machine.

    Parameters
    ----------
    spec : RunSpec
        ``workers`` of it are started; one a GPU, or one a CPU where it says nothing.
    progress : Progress

    Raises
    ------
    BenchError
        What the user can mend: an unknown model, a cluster without a CPU, other weights somewhere.
    """

    def __init__(self, spec: RunSpec, progress: Progress) -> None:
        super().__init__(progress)
        self._started = not ray.is_initialized()
        self._actors: list[Any] = []
        if self._started:
            ray.init(log_to_driver=False, logging_level="ERROR", configure_logging=False)
        try:
            self._start(spec)
        except BaseException:
            self.close()
            raise

    def _start(self, spec: RunSpec) -> None:
        resources = ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        count = spec.workers or gpus or cpus
        if not count:
            raise UsageError("the Ray cluster has neither GPU nor CPU; start it with some")
        actor: Any = ray.remote(
            num_cpus=1,
            num_gpus=1 if gpus else 0,
            max_restarts=AGAIN,
            max_task_retries=AGAIN,
            concurrency_groups={"beside": 1},
        )(Actor)
        self._actors = [actor.remote(spec) for _ in range(count)]
        found: dict[str, Description] = {}
        #: Number of the process of each actor when it began.
        self.processes: dict[str, int] = {}
        calls = {one.call.remote("describe"): f"ray:{n}" for n, one in enumerate(self._actors)}
        for call, name in calls.items():
            answer = self._value(*ray.get(call))
            if answer is not None:
                found[name], self.processes[name] = answer
        if not found:
            raise self.too_few(0, 0)
        self.description = require_alike(found)
        self.plan = plan_of(spec, self.description.sampler.training)

    def make(
        self, run: Run, share: WorkerShare, interrupts: Interrupts, seconds: float | None
    ) -> list[Done]:
        """Have Ray's actor pool make a share, chunk by chunk."""
        manifest = run.manifest.model_dump_json()
        pool = actor_pool.ActorPool(self._actors)
        chunks = share.chunks(self._chunk(len(share.missing)))
        done: list[Done] = []
        error: BenchError | None = None
        stopping = False

        def submit(actor: Any, chunk: WorkerShare) -> Any:
            folder: Path = run.folder
            return actor.call.remote("make", folder, manifest, chunk, seconds)

        while True:
            if (interrupts.asked or error) and not stopping:
                stopping = True
                if error is None:
                    self.progress.say(STOPPING)
                for actor in self._actors:
                    actor.stop.remote()
            while not stopping and pool.has_free() and (chunk := next(chunks, None)) is not None:
                pool.submit(submit, chunk)
            if not pool.has_next():
                break
            try:
                value = self._value(*pool.get_next_unordered(timeout=0.2))
            except TimeoutError:
                continue
            except BenchError as met:
                error = error or met
                continue
            except ray.exceptions.RayError as reason:
                # Restarted and tried again by Ray, and lost all the same.
                self.tell_lost("of Ray", _first_line(reason))
                continue
            if value is None:
                # It met a bug, and would again.
                self._drop(pool.pop_idle())
                continue
            done.append(value)
            self.progress.advance(value.made + value.rescored)
        if error is not None:
            raise error
        return done

    def self_check(self, manifest: Manifest) -> dict[str, Any]:
        """Have one actor judge the judge."""
        for actor in list(self._actors):
            try:
                call = actor.call.remote("self_check", manifest.model_dump_json())
                found = self._value(*ray.get(call))
            except ray.exceptions.RayError as reason:
                self.tell_lost("of Ray", _first_line(reason))
                continue
            if found is not None:
                return dict(found)
        raise self.too_few(0, len(self.plan.samples))

    def close(self) -> None:
        """End all actors, and Ray where it was started here."""
        for actor in list(self._actors):
            self._drop(actor)
        if self._started:
            ray.shutdown()

    def _chunk(self, images: int) -> int:
        """Images of a chunk, in whole batches."""
        batch = self.description.sampler.batch_size or BATCH
        fair = images // (_CHUNKS_A_WORKER * max(len(self._actors), 1))
        return max(batch, min(fair, CHUNK) // batch * batch)

    def _value(self, value: Any, error: Exception | None) -> Any:
        """Return what a call gave; None where it met a bug, of which is told.

        Raises
        ------
        BenchError
            What the user can mend.
        """
        if isinstance(error, BenchError):
            raise error
        if error is not None:
            self.tell_lost("of Ray", str(error))
            return None
        return value

    def _drop(self, actor: Any) -> None:
        if actor is None:
            return
        self._actors = [one for one in self._actors if one is not actor]
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            ray.kill(actor)


def _first_line(reason: Exception) -> str:
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(reason).__name__
