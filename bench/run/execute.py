"""From a plan to a finished run: only what is missing is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from bench.errors import BenchError, StoreError
from bench.records import Generation, Regions
from bench.run.components import Crew
from bench.run.interrupts import Interrupts
from bench.run.progress import Progress, Silent
from bench.run.scoring_thread import BATCH, ScoringWorker, measure, measure_frames
from bench.store.manifest import TRAJECTORY_SCORER
from bench.store.run import Run, RunWriter
from prompts.cells import Sample


@dataclass(frozen=True)
class Outcome:
    """What a call of `execute` did.

    Attributes
    ----------
    images : int
        Images asked for.
    missing : int
        Of these, not yet stored and scored; more than none only after an interrupt.
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


@dataclass
class Count:
    """What was done so far, and what other tables than the samples lack."""

    made: int = 0
    rescored: int = 0
    sampling: float = 0.0
    lacking: dict[str, set[str]] = field(default_factory=dict)


def execute(
    run: Run,
    samples: Sequence[Sample],
    crew: Crew,
    progress: Progress | None = None,
    *,
    writer: RunWriter | None = None,
    batch: int = BATCH,
) -> Outcome:
    """Make what is missing of a run. Whoever calls holds the lock of the folder.

    Images that stand in the store without some of their scores are scored from their pictures;
    then the missing ones are sampled, and a thread scores the last batch while the next is made.

    Parameters
    ----------
    run : Run
        Its manifest tells the scorers.
    samples : sequence of Sample
        All that the run should have.
    crew : Crew
    progress : Progress, optional
    writer : RunWriter, optional
    batch : int
        Images scored together.

    Raises
    ------
    BenchError
        A sampler, segmenter or scorer that breaks its contract, a damaged or foreign part, a disk
        that is full. What was finished before is stored.
    """
    progress = progress or Silent()
    writer = writer or RunWriter(run)
    start = time.monotonic()
    planned = {sample.id: sample for sample in samples}
    stored = run.ids("samples")
    count = Count(lacking=lacking_of(run, stored))
    interrupts = Interrupts()
    try:
        with interrupts.installed():
            rescore(run, crew, writer, count, interrupts, progress, batch)
            todo = [sample for key, sample in planned.items() if key not in stored]
            _sample(todo, len(planned), crew, writer, count, interrupts, progress, batch)
    finally:
        progress.end()
    unscored = set().union(*count.lacking.values())
    return Outcome(
        images=len(planned),
        missing=len(planned.keys() - stored) - count.made + len(unscored & planned.keys()),
        made=count.made,
        rescored=count.rescored,
        interrupted=interrupts.asked,
        seconds=time.monotonic() - start,
        sampling=count.sampling,
    )


def lacking_of(run: Run, stored: set[str]) -> dict[str, set[str]]:
    """For each table but the samples, the stored images that it lacks."""
    lacking = {}
    for table in run.manifest.tables()[1:]:
        found = run.ids(table)
        strangers = found - stored
        if strangers:
            raise StoreError(
                f"{run.folder / table} has {len(strangers)} images that the samples table lacks "
                f"(the first: {min(strangers)}); was a part of {run.folder / 'samples'} removed? "
                f"Remove {run.folder / table} and run again: it is made again from the pictures"
            )
        if missing := stored - found:
            lacking[table] = missing
    return lacking


def rescore(
    run: Run,
    crew: Crew,
    writer: RunWriter,
    count: Count,
    interrupts: Interrupts,
    progress: Progress,
    batch: int,
    parts: Collection[str] | None = None,
) -> None:
    """Score stored images from their pictures where scores are missing, in some parts or in all."""
    lacking = count.lacking
    wanted: set[str] = set().union(*lacking.values())
    if not wanted:
        return
    progress.begin("scoring stored images", len(wanted))
    # A scorer at a time would segment the same image twice: all that is missing is made at once.
    for generations in run.generations(wanted, batch, parts):
        ids = {generation.sample.id for generation in generations}
        names = [name for name in crew.scorers if ids & lacking.get(f"scores/{name}", set())]
        regions, scores = measure(
            generations, crew.segmenter, {name: crew.scorers[name] for name in names}
        )
        pairs = [
            (generation.sample.id, region)
            for generation, region in zip(generations, regions, strict=True)
            if generation.sample.id in lacking.get("regions", set())
        ]
        writer.add_regions([key for key, _ in pairs], [region for _, region in pairs])
        bare = [g.sample.id in lacking.get("trajectory", set()) for g in generations]
        _add_frames(list(compress(generations, bare)), list(compress(regions, bare)), crew, writer)
        for name in names:
            missing = lacking[f"scores/{name}"]
            writer.add_scores(name, [one for one in scores[name] if one.sample_id in missing])
        writer.close_if_due()
        for missing in lacking.values():
            missing -= ids
        count.rescored += len(generations)
        progress.advance(len(generations))
        if interrupts.asked:
            break
    writer.close_parts()
    progress.end()


def _add_frames(
    generations: list[Generation], regions: list[Regions], crew: Crew, writer: RunWriter
) -> None:
    """Score the frames of trajectories, where the run keeps them."""
    levels = writer.run.manifest.trajectory
    if levels is not None and generations:
        scorer = crew.scorers[TRAJECTORY_SCORER]
        writer.add_frames(measure_frames(generations, regions, scorer, len(levels)))


def _sample(
    todo: list[Sample],
    planned: int,
    crew: Crew,
    writer: RunWriter,
    count: Count,
    interrupts: Interrupts,
    progress: Progress,
    batch: int,
) -> None:
    """Sample what is missing; a thread encodes, scores and stores it."""
    if not todo or interrupts.asked:
        return
    progress.begin("sampling", planned, planned - len(todo))
    worker = ScoringWorker(scoring(crew, writer, progress), writer, batch)
    try:
        hand_over(todo, crew, worker, count, interrupts)
    except KeyboardInterrupt:
        interrupts.asked = True
    finally:
        if interrupts.asked:
            progress.say("stopping: the images in hand are finished first (Ctrl-C again: at once)")
        worker.finish()


def scoring(
    crew: Crew, writer: RunWriter, progress: Progress
) -> Callable[[list[Generation]], None]:
    """Return what the scoring thread does with a batch."""

    def score(generations: list[Generation]) -> None:
        regions, scores = measure(generations, crew.segmenter, crew.scorers)
        writer.add_regions([generation.sample.id for generation in generations], regions)
        for name, found in scores.items():
            writer.add_scores(name, found)
        _add_frames(generations, regions, crew, writer)
        progress.advance(len(generations))

    return score


def hand_over(
    todo: Sequence[Sample],
    crew: Crew,
    worker: ScoringWorker,
    count: Count,
    interrupts: Interrupts,
) -> None:
    """Sample, and hand every image to the scoring thread.

    Raises
    ------
    KeyboardInterrupt
        A signal broke into the sampler.
    BenchError
        The sampler did not give what was asked for, or the thread stopped.
    """
    made, last = 0, ""
    try:
        for generation in _generations(todo, crew, count, interrupts):
            worker.put(generation)
            last = generation.sample.id
            made += 1
            count.made += 1
            if interrupts.asked:
                return
    finally:
        if made < len(todo):
            _claim(crew, worker, count, last)
    if made != len(todo):
        raise BenchError(f"the sampler gave {made} images, {len(todo)} were asked for")


def _claim(crew: Crew, worker: ScoringWorker, count: Count, last: str) -> None:
    """Store what a sampler with many images under way has finished and not handed over.

    Parameters
    ----------
    last : str
        Id of the image that was handed over last, which may come again.
    """
    for generation in crew.sampler.close():
        if generation.sample.id != last:
            worker.put(checked(generation, generation.sample))
            count.made += 1


def _generations(
    todo: Sequence[Sample], crew: Crew, count: Count, interrupts: Interrupts
) -> Iterator[Generation]:
    """Images of the sampler, timed and checked; a signal may break into the sampler only."""
    images: Iterator[Generation] | None = None
    for sample in todo:
        before = time.monotonic()
        with interrupts.breakable():
            if images is None:
                images = iter(crew.sampler.sample(todo))
            generation = next(images, None)
        count.sampling += time.monotonic() - before
        if generation is None:
            return
        yield checked(generation, sample, crew.sampler.info.noise_levels)


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
