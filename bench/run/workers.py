"""Several processes on one run: each loads its components once, and writes parts of its own.

The store is the only truth about what is done. What a lost worker leaves is found missing there,
and is shared out again.
"""

from __future__ import annotations

import os
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError, NotComparableError
from bench.protocols import Usage
from bench.run.beyond_control import ExcessInRun, SeenImage
from bench.run.components import Description, describe
from bench.run.execute import Work
from bench.run.interrupts import Interrupts
from bench.run.missing import Done, Outcome, WorkerShare, missing_of, share_of
from bench.run.plan import ListedPictures, Plan, prepare
from bench.run.progress import Progress, Silent
from bench.run.self_check import self_check
from bench.run.spec import RunSpec
from bench.store.manifest import Maker, Manifest
from bench.store.run import Run, RunWriter

#: How often what lost workers left is shared out again.
AGAIN = 3


class WorkersError(BenchError):
    """Workers were lost, and images are missing; what was finished is stored."""

    exit_code = 3


class Advance(Silent):
    """Hands every count of finished images on."""

    def __init__(self, send: Callable[[int], object]) -> None:
        self._send = send

    def advance(self, count: int) -> None:
        """Count; called from the scoring thread."""
        self._send(count)


class Worker:
    """What one process does, whoever started it.

    Parameters
    ----------
    spec : RunSpec
        What the user asked for, with the device of this process.
    interrupts : Interrupts
        Whether it is to stop.
    pictures : ListedPictures, optional
        Those of the run, where they were listed already.
    """

    def __init__(
        self, spec: RunSpec, interrupts: Interrupts, pictures: ListedPictures | None = None
    ) -> None:
        self.components, self.plan = prepare(spec, Silent(), pictures)
        self.interrupts = interrupts
        self._suffix = uuid.uuid4().hex[:8]

    def describe(self) -> tuple[Description, int]:
        """Tell what it works with, and the number of its process."""
        return describe(self.components), os.getpid()

    def make(
        self,
        folder: Path,
        manifest: str,
        share: WorkerShare,
        seconds: float | None = None,
        progress: Progress | None = None,
        excess: Callable[[Sequence[SeenImage]], object] | None = None,
    ) -> Done:
        """Make a share of a run, and close the parts; the lock is held by who asks.

        ``excess`` is given controls, and images whose control is not of this share.
        """
        run = Run(folder, Manifest.model_validate_json(manifest))
        own = ExcessInRun(run, whole=False)

        def seen(images: Sequence[SeenImage]) -> None:
            own.add(images)
            if excess is not None and (controls := [one for one in images if one.bindings is None]):
                excess(controls)

        writer = RunWriter(run, seconds, suffix=self._suffix)
        work = Work(
            run,
            self.plan.samples,
            self.components,
            writer,
            self.interrupts,
            progress or Silent(),
            excess=seen,
        )
        done = work.do(share)
        if excess is not None:
            excess(own.waiting())
        return replace(done, excess=own.close())

    def self_check(self, manifest: str) -> dict[str, Any]:
        """Judge the run's judge."""
        return self_check(Manifest.model_validate_json(manifest), self.components)


def called(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Call; whatever goes wrong comes back as an error that can be sent."""
    try:
        return call(), None
    except BenchError as error:
        return None, error
    except Exception as error:
        # Not every exception can be sent to another process, and its traceback never.
        if os.environ.get("BENCH_DEBUG", "") not in ("", "0"):
            traceback.print_exc()
        return None, RuntimeError(f"{type(error).__name__}: {error}")


class Pool:
    """Several workers on one run; how they are started and asked is left to the kinds below."""

    description: Description
    plan: Plan

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        #: What the sampler of each worker has used since it was made.
        self.used: dict[str, Usage] = {}
        #: Of images whose control another worker has.
        self.excess: ExcessInRun | None = None
        self.last_error = ""

    def make(
        self, run: Run, share: WorkerShare, interrupts: Interrupts, seconds: float | None
    ) -> list[Done]:
        """Have the workers make a share; returns when all have ended, or stopped, or were lost."""
        raise NotImplementedError

    def execute(self, run: Run, progress: Progress, seconds: float | None = None) -> Outcome:
        """Make what is missing of a run. Whoever calls holds the lock of its folder.

        Raises
        ------
        WorkersError
            All workers were lost, or some so often that images are missing still.
        BenchError
            What one of them met and the user can mend; what was finished is stored.
        """
        start = time.monotonic()
        self.progress = progress
        samples = self.plan.samples
        done: list[Done] = []
        interrupts = Interrupts()
        try:
            with interrupts.installed():
                for _ in range(1 + AGAIN):
                    share = share_of(run, samples, progress)
                    missing = missing_of(share, samples)
                    if interrupts.asked or not (len(share.missing) or share.unscored):
                        break
                    self._begin(share, len(samples))
                    done += self.make(run, share, interrupts, seconds)
                    progress.end()
                else:
                    share = share_of(run, samples, progress)
                    missing = missing_of(share, samples)
        finally:
            progress.end()
        if missing and not interrupts.asked:
            raise self.too_few(missing, len(samples))
        found = self.excess.close() if self.excess else {}
        for one in done:
            found.update(one.excess)
        return Outcome(
            images=len(samples),
            missing=missing,
            made=sum(one.made for one in done),
            rescored=sum(one.rescored for one in done),
            interrupted=interrupts.asked,
            seconds=time.monotonic() - start,
            sampling=max((one.sampling for one in done), default=0.0),
            excess=found,
        )

    def too_few(self, missing: int, images: int) -> WorkersError:
        """Return the error of a run that workers were lost from too often."""
        reason = f" ({self.last_error})" if self.last_error else ""
        return WorkersError(
            f"workers were lost{reason}: {missing:,} of {images:,} images are missing; what was "
            "finished is stored, run the same command again to go on"
        )

    def tell_lost(self, worker: str, reason: str) -> None:
        """Say that a worker is lost."""
        self.last_error = reason
        self.progress.say(
            f"note: worker {worker} is lost ({reason}); what it left is shared out again"
        )

    def usage(self) -> Usage:
        """Tell what all samplers have used, as far as their workers could tell."""
        counts: dict[str, float] = {}
        remarks: dict[str, None] = {}
        for used in self.used.values():
            for name, count in used.counts.items():
                counts[name] = counts.get(name, 0) + count
            remarks |= dict.fromkeys(used.remarks)
        return Usage(counts, tuple(remarks))

    def _begin(self, share: WorkerShare, planned: int) -> None:
        if share.unscored and len(share.missing):
            done = planned - len(share.missing) - share.rescored
            self.progress.begin("scoring and sampling", planned, done)
        elif share.unscored:
            self.progress.begin("scoring stored images", share.rescored)
        else:
            is_there = self.description.sampler.fingerprint.kind == "pictures"
            kind = "scoring" if is_there else "sampling"
            self.progress.begin(kind, planned, planned - len(share.missing))


def require_alike(found: Mapping[str, Description]) -> Description:
    """Return what all workers work with.

    Raises
    ------
    NotComparableError
        One of them has another model, or other scorers, than the first.
    """
    (_, first), *others = found.items()
    for worker, other in others:
        pairs = [
            (first.sampler.fingerprint, other.sampler.fingerprint),
            (first.segmenter, other.segmenter),
            *((one, other.scorers[name]) for name, one in first.scorers.items()),
        ]
        for mine, theirs in pairs:
            before, after = Maker.of(mine).identity(), Maker.of(theirs).identity()
            if before != after:
                raise NotComparableError(
                    f"worker {worker} has another {before['kind']} than the first: {after}, "
                    f"expected {before}; all machines must have the same model and weights"
                )
    return first
