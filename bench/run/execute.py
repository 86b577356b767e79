"""From a plan to stored images and scores: only what is missing is made."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from bench.errors import BenchError
from bench.protocols import Usage
from bench.records import PREDICTIONS, Generation, Regions
from bench.run.beyond_control import ExcessInRun, SeenImage, seen_image
from bench.run.components import Components, Description, describe
from bench.run.interrupts import Interrupts
from bench.run.missing import Done, Outcome, WorkerShare, missing_of, share_of
from bench.run.plan import Plan
from bench.run.progress import Progress, Silent
from bench.run.scoring_thread import BATCH, ScoringWorker, checked, measure, measure_frames
from bench.run.self_check import self_check
from bench.store.manifest import TRAJECTORY_SCORER, Manifest
from bench.store.run import Run, RunWriter
from prompts.cells import Sample

#: Samples that a sampler is given at once, in whole batches: nobody lists a million of them.
CHUNK = 4096
#: Seconds that a thread may keep Python's lock while the sampler waits for it: five times less than
#: usual. A sampler starts one small operation after the other, and needs the lock for each.
SWITCH = 1e-3
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
    excess: Callable[[SeenImage], object] | None = None
    finished: int = 0
    made: int = 0
    rescored: int = 0
    sampling: float = 0.0

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
            for generations in self.run.generations(wanted, self.batch, {part}):
                self._score_again(generations, lacks)
                if self.interrupts.asked:
                    break
            if self.interrupts.asked:
                break
        self.writer.close_parts()
        self.progress.end()

    def _score_again(self, generations: list[Generation], lacks: Mapping[str, set[str]]) -> None:
        # A scorer at a time would segment an image twice: all that is missing is made at once.
        components, writer = self.components, self.writer
        ids = {generation.sample.id for generation in generations}
        names = [name for name in components.scorers if ids & lacks.get(f"scores/{name}", set())]
        regions, scores = measure(
            generations,
            components.segmenter,
            {name: components.scorers[name] for name in names},
        )
        bare = [g.sample.id in lacks.get("regions", set()) for g in generations]
        writer.add_regions(
            [g.sample.id for g in compress(generations, bare)], list(compress(regions, bare))
        )
        bare = [g.sample.id in lacks.get("trajectory", set()) for g in generations]
        self._add_frames(list(compress(generations, bare)), list(compress(regions, bare)))
        for name in names:
            missing = lacks[f"scores/{name}"]
            writer.add_scores(name, [one for one in scores[name] if one.sample_id in missing])
        writer.close_if_due()
        self.rescored += len(generations)
        self.finished += len(generations)
        self.progress.advance(len(generations))

    def _add_frames(self, generations: list[Generation], regions: list[Regions]) -> None:
        """Score the frames of trajectories, where the run keeps them."""
        manifest = self.run.manifest
        if manifest.trajectory is not None and generations:
            scorer, steps = self.components.scorers[TRAJECTORY_SCORER], len(manifest.trajectory)
            both = manifest.kept == PREDICTIONS
            self.writer.add_frames(measure_frames(generations, regions, scorer, steps, both))

    def _sample(self, missing: Sequence[int]) -> None:
        """Sample what is missing; a thread encodes, scores and stores it."""
        sampler, interrupts = self.components.sampler, self.interrupts
        if not len(missing) or interrupts.asked:
            return
        kind = "scoring" if sampler.info.fingerprint.kind == "pictures" else "sampling"
        planned = len(self.samples)
        self.progress.begin(kind, planned, planned - len(missing))
        worker = ScoringWorker(self._score, self.writer, self.batch)
        usual = sys.getswitchinterval()
        sys.setswitchinterval(min(usual, SWITCH))
        try:
            self._feed_scoring(missing, worker)
        except KeyboardInterrupt:
            interrupts.asked = True
        finally:
            if interrupts.asked:
                self.progress.say(STOPPING)
            sys.setswitchinterval(usual)
            worker.finish()

    def _score(self, generations: list[Generation]) -> None:
        """Score a batch that is stored already; the scoring thread calls it."""
        regions, scores = measure(generations, self.components.segmenter, self.components.scorers)
        self.writer.add_regions([generation.sample.id for generation in generations], regions)
        for name, found in scores.items():
            self.writer.add_scores(name, found)
        self._add_frames(generations, regions)
        self.finished += len(generations)
        self.progress.advance(len(generations))
        if self.excess is None:
            return
        for generation, its in zip(generations, regions, strict=True):
            sample, cell = generation.sample, generation.sample.cell
            bindings = None if cell.id == cell.control_id else cell.bindings
            image = None if generation.invalid else generation.image
            place = (cell.control_id, sample.index)
            self.excess(seen_image(sample.id, place, bindings, image, its))

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
