"""What one worker of a team does: loads its crew once, takes leases, writes its own parts."""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench.errors import BenchError, NotComparableError
from bench.records import Fingerprint
from bench.run.components import Crew
from bench.run.execute import Count, hand_over, rescore, scoring
from bench.run.interrupts import Interrupts
from bench.run.plan import Plan
from bench.run.progress import Silent
from bench.run.scoring_thread import BATCH, ScoringWorker
from bench.run.self_check import control_for
from bench.run.spec import RunJob
from bench.store.lock import require_holder, worker_lock
from bench.store.manifest import Maker, Manifest
from bench.store.run import PART_SECONDS, Run, RunWriter

#: Methods that are answered while another is at work.
BESIDE = frozenset({"tally", "stop"})


@dataclass(frozen=True)
class Described:
    """A part of a crew that works elsewhere: what the record of a run needs to know of it."""

    fingerprint: Fingerprint
    info: Any = None


@dataclass(frozen=True)
class Introduction:
    """What a worker says of itself: its crew, and how many images its sampler makes together."""

    sampler: Described
    segmenter: Described
    scorers: Mapping[str, Described]
    batch: int

    @property
    def crew(self) -> Crew:
        """The crew as far as the record of a run is concerned; it cannot work."""
        return Crew(
            cast(Any, self.sampler), cast(Any, self.segmenter), cast(Any, dict(self.scorers))
        )


@dataclass(frozen=True)
class Closed:
    """What a worker did since it began."""

    made: int
    rescored: int
    sampling: float
    finished: int


def require_alike(worker: str, first: Introduction, other: Introduction) -> None:
    """Refuse a worker whose machine has another model or other scorers."""
    pairs = [
        (first.sampler, other.sampler),
        (first.segmenter, other.segmenter),
        *((first.scorers[name], other.scorers.get(name)) for name in first.scorers),
    ]
    for mine, theirs in pairs:
        before = Maker.of(mine.fingerprint).identity()
        after = Maker.of(theirs.fingerprint).identity() if theirs is not None else None
        if before != after:
            raise NotComparableError(
                f"worker {worker} has another {before['kind']} than the first: {after}, expected "
                f"{before}; all machines must have the same model and weights"
            )


class Tally(Silent):
    """Counts finished images until somebody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def advance(self, count: int) -> None:
        """Count; called from the scoring thread."""
        with self._lock:
            self._count += count

    def take(self) -> int:
        """Return the count since the last call."""
        with self._lock:
            count, self._count = self._count, 0
        return count


class Station:
    """One worker.

    Parameters
    ----------
    job : RunJob
        What the user asked for, with the device of this worker.
    """

    def __init__(self, job: RunJob) -> None:
        self.job = job
        self.interrupts = Interrupts()
        self._tally = Tally()
        self._count = Count()
        self._worker: ScoringWorker | None = None
        self._held = contextlib.ExitStack()

    def hello(self) -> Introduction:
        """Load the crew and tell what it is."""
        self.crew = self.job.crew()
        self.job.tag(self.crew)
        sampler = self.crew.sampler
        return Introduction(
            Described(sampler.info.fingerprint, sampler.info),
            _described(self.crew.segmenter),
            {name: _described(scorer) for name, scorer in self.crew.scorers.items()},
            sampler.info.batch_size or BATCH,
        )

    def begin(self, folder: Path, manifest: str, seconds: float = PART_SECONDS) -> int:
        """Open the run; the leader holds its lock. Gives the number of this process."""
        name = uuid.uuid4().hex[:8]
        self._held.enter_context(worker_lock(folder, name))
        self.run = Run(folder, Manifest.model_validate_json(manifest))
        self.plan = Plan(self.job.samples())
        token = require_holder(folder)
        self._writer = RunWriter(
            self.run, seconds, suffix=name, guard=lambda: require_holder(folder, token)
        )
        return os.getpid()

    def rescore(self, part: str, lacking: Mapping[str, Sequence[str]]) -> None:
        """Score stored images of one part of the samples from their pictures."""
        self._count.lacking = {table: set(ids) for table, ids in lacking.items()}
        rescore(
            self.run,
            self.crew,
            self._writer,
            self._count,
            self.interrupts,
            self._tally,
            BATCH,
            {part},
        )

    def sample(self, ids: Sequence[str]) -> None:
        """Sample some images; they are scored while the next ones are sampled."""
        if self.interrupts.asked:
            return
        if self._worker is None:
            score = scoring(self.crew, self._writer, self._tally)
            self._worker = ScoringWorker(score, self._writer, BATCH)
        try:
            hand_over(self.plan.samples(ids), self.crew, self._worker, self._count, self.interrupts)
        except KeyboardInterrupt:
            self.interrupts.asked = True
        except BaseException:
            # What was made before is stored all the same.
            with contextlib.suppress(Exception):
                self._finish()
            raise

    def close(self) -> Closed:
        """Finish what is in hand and close the parts."""
        self._finish()
        count, self._count = self._count, Count()
        return Closed(count.made, count.rescored, count.sampling, self._tally.take())

    def control(self) -> dict[str, Any]:
        """Judge the judge, for the record of the run."""
        return control_for(self.run.manifest, self.crew)

    def leave(self) -> None:
        """Let go of the run."""
        self._held.close()

    def tally(self) -> int:
        """Images finished since the last call."""
        return self._tally.take()

    def stop(self) -> None:
        """Have `sample` end after the image in hand."""
        self.interrupts.asked = True

    def _finish(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.finish()


def called(station: Station, method: str, args: Sequence[Any]) -> tuple[Any, Exception | None]:
    """Call a method; whatever goes wrong comes back as an error that can be sent."""
    try:
        return getattr(station, method)(*args), None
    except BenchError as error:
        return None, error
    except Exception as error:
        # Not every exception can be sent to another process, and its traceback never.
        if os.environ.get("BENCH_DEBUG", "") not in ("", "0"):
            traceback.print_exc()
        return None, RuntimeError(f"{type(error).__name__}: {error}")


def _described(part: Any) -> Described:
    said = part.fingerprint
    return Described(
        Fingerprint(said.kind, said.name, dict(said.options), said.weights, dict(said.versions))
    )
