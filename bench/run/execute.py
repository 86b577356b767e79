"""From a plan to stored images and scores: only what is missing is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, takewhile
from typing import Any

from bench.errors import BenchError
from bench.protocols import Usage
from bench.records import PREDICTIONS, Generation, Regions, Score
from bench.run.beyond_control import ExcessInRun, SeenImage, seen_images
from bench.run.components import Components, Description, describe
from bench.run.interrupts import Interrupts
from bench.run.missing import Done, Outcome, WorkerShare, missing_of, share_of
from bench.run.plan import Plan
from bench.run.progress import Progress, Silent
from bench.run.scoring_thread import (
    BATCH,
    ScoringWorker,
    Turns,
    checked,
    measure,
    measure_frames,
    side_by_side,
)
from bench.run.self_check import self_check
from bench.store.manifest import TRAJECTORY_SCORER, Manifest
from bench.store.run import Run, RunWriter
from prompts.cells import Sample

#: Samples that a sampler is given at once, in whole batches: nobody lists a million of them.
CHUNK = 4096
STOPPING = "stopping: the images in hand are finished first (Ctrl-C again: at once)"


class InProcess:
    """The work of a run in this process."""

    def __init__(self, components: Components, plan: Plan) -> None:
        self.components, self.plan = components, plan
        self.description: Description = describe(components)

    def execute(self, run: Run, progress: Progress) -> Outcome:
        """Make what is missing of a run."""
        return execute(run, self.plan.samples, self.components, progress)

    def self_check(self, manifest: Manifest) -> dict[str, Any]:
        """Judge the judge."""
        return self_check(manifest, self.components)

    def usage(self) -> Usage:
        """Tell what the sampler has used."""
        return self.components.sampler.usage()

    def close(self) -> None:
        """Let go of the sampler."""
        for _ in self.components.sampler.close():
            pass


def execute(
    run: Run,
    samples: Sequence[Sample],
    components: Components,
    progress: Progress | None = None,
    *,
    writer: RunWriter | None = None,
    batch: int = BATCH,
) -> Outcome:
    """Make what is missing of a run in this process. Whoever calls holds the lock of the folder.

    Parameters
    ----------
    run : Run
        Its manifest tells the scorers.
    samples : sequence of Sample
        All that the run should have.
    components : Components
    progress : Progress, optional
    writer : RunWriter, optional
    batch : int
        Images scored together.

    Raises
    ------
    BenchError
        A sampler, segmenter or scorer that breaks its contract, a foreign part, a disk that is
        full. What was finished before is stored.
    """
    progress = progress or Silent()
    start = time.monotonic()
    share = share_of(run, samples, progress)
    left = missing_of(share, samples)
    interrupts = Interrupts()
    excess = ExcessInRun(run, whole=len(share.missing) == len(samples))
    writer = writer or RunWriter(run)
    work = Work(run, samples, components, writer, interrupts, progress, batch, excess.add)
    try:
        with interrupts.installed():
            done = work.do(share)
    finally:
        progress.end()
    return Outcome(
        images=len(samples),
        missing=max(0, left - work.finished),
        made=done.made,
        rescored=done.rescored,
        interrupted=interrupts.asked,
        seconds=time.monotonic() - start,
        sampling=done.sampling,
        excess=excess.close(),
    )


#: Ids of the stored images that a table lacks, by table.
Lacks = Mapping[str, Set[str]]


@dataclass(frozen=True)
class MeasuredBatch:
    """What was measured of a batch.

    Attributes
    ----------
    regions : list of Regions
    scores : dict of str to list of Score
        By scorer.
    frames : list of list of Score
        By step of a trajectory.
    seen : list of SeenImage
        What is held against the controls.
    """

    regions: list[Regions]
    scores: dict[str, list[Score]]
    frames: list[list[Score]]
    seen: list[SeenImage]


def _lacking(batch: Sequence[Generation], table: str, lacks: Lacks | None) -> list[bool]:
    """Which images a table lacks; all where none is stored yet."""
    return [lacks is None or one.sample.id in lacks.get(table, ()) for one in batch]


def _seen(batch: Sequence[Generation], regions: Sequence[Regions]) -> list[SeenImage]:
    """What is held against the controls."""
    images = []
    for sample in (one.sample for one in batch):
        cell = sample.cell
        bindings = None if cell.id == cell.control_id else cell.bindings
        images.append(SeenImage(sample.id, (cell.control_id, sample.index), bindings))
    pixels = [None if one.invalid else one.image for one in batch]
    return seen_images(images, pixels, regions)


@dataclass
class Work:
    """One process at work on a run: stored images without scores, then images that are missing.

    Attributes
    ----------
    samples : sequence of Sample
        The plan.
    interrupts : Interrupts
        Looked at after every image.
    batch : int
        Images scored together.
    excess : callable, optional
        Is given what is scored, to be held against its control.
    finished : int
        Planned images that were missing or not scored, and are whole now.
    """

    run: Run
    samples: Sequence[Sample]
    components: Components
    writer: RunWriter
    interrupts: Interrupts
    progress: Progress
    batch: int = BATCH
    excess: Callable[[Sequence[SeenImage]], object] | None = None
    finished: int = 0
    made: int = 0
    rescored: int = 0
    sampling: float = 0.0
    _turns: Turns = field(default_factory=Turns)

    def do(self, share: WorkerShare) -> Done:
        """Score a share's stored images, then sample its missing ones."""
        if share.unscored:
            self._rescore(share)
        self._sample(share.missing)
        return Done(self.made, self.rescored, self.sampling, self.components.sampler.usage())

    def _rescore(self, share: WorkerShare) -> None:
        """Score stored images from their pictures where scores are missing."""
        self.progress.begin("scoring stored images", share.rescored)
        for part, lacking in share.unscored.items():
            lacks = {table: set(keys) for table, keys in lacking.items()}
            wanted: set[str] = set().union(*lacks.values())
            stored = self.run.generations(wanted, self.batch, {part})
            batches = takewhile(lambda _: not self.interrupts.asked, stored)
            for batch, found in side_by_side(partial(self._measure, lacks=lacks), batches):
                self._store(batch, found.result(), lacks)
                self.writer.close_if_due()
                self.rescored += len(batch)
        self.writer.close_parts()
        self.progress.end()

    def _measure(self, batch: list[Generation], lacks: Lacks | None = None) -> MeasuredBatch:
        """Measure what images lack; of two batches at a time, each in a thread of the judge."""
        # A scorer at a time would segment an image twice: all that is missing is made at once.
        components, manifest, turns = self.components, self.run.manifest, self._turns
        scorers = {
            name: scorer
            for name, scorer in components.scorers.items()
            if any(_lacking(batch, f"scores/{name}", lacks))
        }
        regions, scores = measure(batch, components.segmenter, scorers, turns)
        frames: list[list[Score]] = []
        filmed = list(compress(batch, lacking := _lacking(batch, "trajectory", lacks)))
        if manifest.trajectory is not None and filmed:
            scorer, steps = components.scorers[TRAJECTORY_SCORER], len(manifest.trajectory)
            both, its = manifest.kept == PREDICTIONS, list(compress(regions, lacking))
            with turns.of(scorer):
                frames = measure_frames(filmed, its, scorer, steps, both)
        wanted = self.excess is not None and lacks is None
        return MeasuredBatch(regions, scores, frames, _seen(batch, regions) if wanted else [])

    def _store(
        self, batch: list[Generation], found: MeasuredBatch, lacks: Lacks | None = None
    ) -> None:
        """Hand to the writer what was measured of images that are stored."""
        writer, ids = self.writer, [generation.sample.id for generation in batch]
        lacking = _lacking(batch, "regions", lacks)
        writer.add_regions(list(compress(ids, lacking)), list(compress(found.regions, lacking)))
        for name, scores in found.scores.items():
            wanted = set(compress(ids, _lacking(batch, f"scores/{name}", lacks)))
            writer.add_scores(name, [one for one in scores if one.sample_id in wanted])
        if found.frames:
            writer.add_frames(found.frames)
        self.finished += len(batch)
        self.progress.advance(len(batch))
        if self.excess is not None:
            self.excess(found.seen)

    def _sample(self, missing: Sequence[int]) -> None:
        """Sample what is missing; a thread encodes, scores and stores it."""
        sampler, interrupts = self.components.sampler, self.interrupts
        if not len(missing) or interrupts.asked:
            return
        kind = "scoring" if sampler.info.fingerprint.kind == "pictures" else "sampling"
        planned = len(self.samples)
        self.progress.begin(kind, planned, planned - len(missing))
        # A sampler on the CPU has work for the cores while a batch is at its end: a second one
        # takes their caches from both.
        at_once = 1 if sampler.info.fingerprint.options.get("device") == "cpu" else 2
        worker = ScoringWorker(self._measure, self._store, self.writer, self.batch, at_once)
        try:
            self._feed_scoring(missing, worker)
        except KeyboardInterrupt:
            interrupts.asked = True
        finally:
            if interrupts.asked:
                self.progress.say(STOPPING)
            worker.finish()

    def _feed_scoring(self, missing: Sequence[int], worker: ScoringWorker) -> None:
        """Sample, and hand every image to the scoring thread.

        Raises
        ------
        KeyboardInterrupt
            A signal broke into the sampler.
        BenchError
            The sampler did not give what was asked for, or the thread stopped.
        """
        last = ""
        sampler = self.components.sampler
        batch = sampler.info.batch_size or 1
        size = max(batch, CHUNK // batch * batch)
        try:
            for start in range(0, len(missing), size):
                todo = [self.samples[place] for place in missing[start : start + size]]
                before = self.made
                for generation in self._generations(todo):
                    worker.put(generation)
                    last = generation.sample.id
                    del generation
                    self.made += 1
                    if self.interrupts.asked:
                        return
                if self.made - before != len(todo):
                    raise BenchError(
                        f"the sampler gave {self.made - before} images, {len(todo)} were asked for"
                    )
        finally:
            # What a sampler with many images under way has finished and not handed over.
            for generation in sampler.close():
                if generation.sample.id != last:
                    worker.put(checked(generation, generation.sample))
                    self.made += 1

    def _generations(self, todo: Sequence[Sample]) -> Iterator[Generation]:
        """Images of the sampler, timed and checked; a signal may break into the sampler only."""
        sampler = self.components.sampler
        images: Iterator[Generation] | None = None
        for sample in todo:
            before = time.monotonic()
            with self.interrupts.breakable():
                if images is None:
                    images = iter(sampler.sample(todo))
                generation = next(images, None)
            self.sampling += time.monotonic() - before
            if generation is None:
                return
            info = sampler.info
            yield checked(generation, sample, info.noise_levels, info.predictions)
