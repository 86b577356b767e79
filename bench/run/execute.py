"""From a plan to stored images and scores: only what is missing is made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.protocols import Usage
from bench.records import Generation, Regions
from bench.run.components import Components, Description, describe
from bench.run.interrupts import Interrupts
from bench.run.plan import Plan
from bench.run.progress import Progress, Silent, counted
from bench.run.scoring_thread import BATCH, ScoringWorker, measure, measure_frames
from bench.run.self_check import self_check
from bench.store.manifest import TRAJECTORY_SCORER, Manifest
from bench.store.parts import DamagedError
from bench.store.run import Run, RunWriter, set_aside
from prompts.cells import Sample

#: Samples that a sampler is given at once, in whole batches: nobody lists a million of them.
CHUNK = 4096
STOPPING = "stopping: the images in hand are finished first (Ctrl-C again: at once)"


@dataclass(frozen=True)
class Outcome:
    """What was done for a run.

    Attributes
    ----------
    images : int
        Images asked for.
    missing : int
        Of these, not yet stored and scored.
    made, rescored : int
        Images sampled now, and stored images scored again now.
    interrupted : bool
        The user stopped it.
    seconds, sampling : float
        Wall time of all, and of waiting for the sampler.
    """

    images: int
    missing: int
    made: int
    rescored: int
    interrupted: bool
    seconds: float
    sampling: float


@dataclass(frozen=True)
class WorkerShare:
    """What one process is to do.

    Attributes
    ----------
    missing : sequence of int
        Positions in the plan of the samples to make.
    unscored : mapping of str to mapping of str to list of str
        For parts of the samples table, by name, the ids that other tables lack, by table.
    """

    missing: Sequence[int]
    unscored: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)

    @property
    def rescored(self) -> int:
        """Stored images to score again."""
        return sum(len(set().union(*lacking.values())) for lacking in self.unscored.values())

    def split(self, count: int) -> list[WorkerShare]:
        """Part it evenly."""
        parts = list(self.unscored.items())
        return [
            WorkerShare(self.missing[rank::count], dict(parts[rank::count]))
            for rank in range(count)
        ]

    def chunks(self, size: int) -> Iterator[WorkerShare]:
        """Part it into pieces of so many images, what is to be scored first."""
        for part, lacking in self.unscored.items():
            yield WorkerShare((), {part: lacking})
        for start in range(0, len(self.missing), size):
            yield WorkerShare(self.missing[start : start + size])


@dataclass(frozen=True)
class Done:
    """What one process did of its share, and what its sampler has used since it was made."""

    made: int
    rescored: int
    sampling: float
    usage: Usage = field(default_factory=Usage)


def share_of(run: Run, samples: Sequence[Sample], progress: Progress | None = None) -> WorkerShare:
    """Look through the store for what is missing of a plan. Whoever calls holds the lock.

    Damaged parts are set aside, and rows of images that are not stored are dropped: both are made
    again. In a store that is empty this takes no time, however many samples are asked for.

    Raises
    ------
    StoreError
        A foreign part.
    """
    progress = progress or Silent()
    stored = _ids(run, "samples", progress)
    lacking: dict[str, set[str]] = {}
    for table in run.manifest.tables()[1:]:
        found = _ids(run, table, progress)
        if orphans := found - stored:
            run.drop_rows(table, orphans)
            progress.say(
                f"note: {table}: rows of {counted(len(orphans), 'image')} not stored are dropped"
            )
        if missing := stored - found:
            lacking[table] = missing
    if not stored:
        return WorkerShare(range(len(samples)))
    unscored: dict[str, dict[str, list[str]]] = {}
    for path, part in run.parts("samples", ["sample_id"]) if lacking else ():
        ids = part["sample_id"].to_pylist()
        here = {table: [key for key in ids if key in keys] for table, keys in lacking.items()}
        if any(here.values()):
            unscored[path.name] = {table: keys for table, keys in here.items() if keys}
    whole = len(stored) == len(samples)
    if whole and all(sample.id in stored for sample in samples):
        return WorkerShare((), unscored)
    places = (place for place, sample in enumerate(samples) if sample.id not in stored)
    return WorkerShare(np.fromiter(places, np.int64), unscored)  # type: ignore[arg-type]


def _ids(run: Run, table: str, progress: Progress) -> set[str]:
    """Return the ids of a table, its damaged parts set aside."""
    while True:
        try:
            return run.ids(table)
        except DamagedError as error:
            aside = set_aside(error.path)
            reason = str(error).partition(";")[0]
            progress.say(f"note: {reason}: kept as {aside.name}, its rows are made again")


def missing_of(share: WorkerShare, samples: Sequence[Sample]) -> int:
    """Images of a plan that are not stored, or stored without some of their scores."""
    unscored: set[str] = set().union(
        *(keys for lacking in share.unscored.values() for keys in lacking.values())
    )
    left = len(share.missing)
    return left + (sum(sample.id in unscored for sample in samples) if unscored else 0)


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
    work = Work(run, samples, components, writer or RunWriter(run), interrupts, progress, batch)
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
    )


class Work:
    """One process at work on a run: stored images without scores, then images that are missing.

    Parameters
    ----------
    run : Run
    samples : sequence of Sample
        The plan.
    components : Components
    writer : RunWriter
    interrupts : Interrupts
        Looked at after every image.
    progress : Progress
    batch : int
        Images scored together.
    """

    def __init__(
        self,
        run: Run,
        samples: Sequence[Sample],
        components: Components,
        writer: RunWriter,
        interrupts: Interrupts,
        progress: Progress,
        batch: int = BATCH,
    ) -> None:
        self.run, self.samples, self.components = run, samples, components
        self.writer, self.interrupts, self.progress = writer, interrupts, progress
        self.batch = batch
        #: Planned images that were missing or not scored, and are whole now.
        self.finished = 0
        self._made = self._rescored = 0
        self._sampling = 0.0

    def do(self, share: WorkerShare) -> Done:
        """Score a share's stored images, then sample its missing ones."""
        if share.unscored:
            self._rescore(share)
        self._sample(share.missing)
        return Done(self._made, self._rescored, self._sampling, self.components.sampler.usage())

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
        self._rescored += len(generations)
        self.finished += len(generations)
        self.progress.advance(len(generations))

    def _add_frames(self, generations: list[Generation], regions: list[Regions]) -> None:
        """Score the frames of trajectories, where the run keeps them."""
        levels = self.run.manifest.trajectory
        if levels is not None and generations:
            scorer = self.components.scorers[TRAJECTORY_SCORER]
            self.writer.add_frames(measure_frames(generations, regions, scorer, len(levels)))

    def _sample(self, missing: Sequence[int]) -> None:
        """Sample what is missing; a thread encodes, scores and stores it."""
        sampler, interrupts = self.components.sampler, self.interrupts
        if not len(missing) or interrupts.asked:
            return
        kind = "scoring" if sampler.info.fingerprint.kind == "pictures" else "sampling"
        planned = len(self.samples)
        self.progress.begin(kind, planned, planned - len(missing))
        worker = ScoringWorker(self._score, self.writer, self.batch)
        try:
            self._feed_scoring(missing, worker)
        except KeyboardInterrupt:
            interrupts.asked = True
        finally:
            if interrupts.asked:
                self.progress.say(STOPPING)
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
                before = self._made
                for generation in self._generations(todo):
                    worker.put(generation)
                    last = generation.sample.id
                    self._made += 1
                    if self.interrupts.asked:
                        return
                if self._made - before != len(todo):
                    raise BenchError(
                        f"the sampler gave {self._made - before} images, {len(todo)} were asked for"
                    )
        finally:
            # What a sampler with many images under way has finished and not handed over.
            for generation in sampler.close():
                if generation.sample.id != last:
                    worker.put(checked(generation, generation.sample))
                    self._made += 1

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
            self._sampling += time.monotonic() - before
            if generation is None:
                return
            yield checked(generation, sample, sampler.info.noise_levels)


def checked(
    generation: Generation, sample: Sample, levels: Sequence[float] | None = None
) -> Generation:
    """Return the image, where it is the one asked for and of the agreed form.

    Parameters
    ----------
    levels : sequence of float, optional
        Noise levels of the frames that it should have.

    Raises
    ------
    BenchError
        Another sample's image, or no uint8 array (H, W, 3); frames that are missing, or of another
        number, size or type.
    """
    image = generation.image
    if generation.sample.id != sample.id:
        raise BenchError(
            f"the sampler gave an image of {generation.sample.cell.id!r} where one of "
            f"{sample.cell.id!r} was due; images must come in the order asked for"
        )
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise BenchError(
            f"the sampler gave an image of shape {image.shape} and type {image.dtype}; "
            "expected uint8 (H, W, 3)"
        )
    frames = generation.frames
    if levels is not None:
        expected = (len(levels), *image.shape)
        if frames is None or frames.dtype != np.uint8 or frames.shape != expected:
            found = "none" if frames is None else f"{frames.dtype} {frames.shape}"
            raise BenchError(
                f"the sampler gave frames of the wrong form for {sample.cell.id!r}: {found}; "
                f"expected uint8 {expected}, one a noise level"
            )
    return generation
