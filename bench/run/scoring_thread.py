"""The scoring thread: encodes, segments, scores and stores images while others are sampled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bench.errors import BenchError
from bench.judge.device import beside
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.validity import examined
from bench.protocols import Scorer, Segmenter
from bench.records import PREDICTIONS, Generation, Regions, Score
from bench.store.run import RunWriter
from prompts.cells import Sample

#: Images scored together.
BATCH = 32
#: Longest side of pictures whose scoring is more Python than arithmetic.
SMALL = 128
#: Images and bytes that may wait for the scorers: room for one batch of the sampler.
WAITING_IMAGES = 512
WAITING_BYTES = 256 * 2**20
#: Bytes of images from which on no more are scored together.
BATCH_BYTES = 128 * 2**20
#: Seconds to wait for more images before a short batch is scored.
LINGER = 0.05


def checked(
    generation: Generation,
    sample: Sample,
    levels: Sequence[float] | None = None,
    predictions: Sequence[str] = PREDICTIONS[:1],
) -> Generation:
    """Return the image, where it is the one asked for and of the agreed form.

    Parameters
    ----------
    levels : sequence of float, optional
        Noise levels of the frames that it should have.
    predictions : sequence of str
        Whose frames it should have.

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
    if levels is None:
        return generation
    expected = (len(levels), *image.shape)
    films = (generation.frames, generation.conditional)
    for frames in films[: 1 + (predictions == PREDICTIONS)]:
        if frames is None or frames.dtype != np.uint8 or frames.shape != expected:
            found = "none" if frames is None else f"{frames.dtype} {frames.shape}"
            raise BenchError(
                f"the sampler gave frames of the wrong form for {sample.cell.id!r}: {found}; "
                f"expected uint8 {expected}, one a noise level"
            )
    return generation


def measure(
    generations: Sequence[Generation],
    segmenter: Segmenter,
    scorers: Mapping[str, Scorer],
) -> tuple[list[Regions], dict[str, list[Score]]]:
    """Regions and scores of some images.

    Raises
    ------
    BenchError
        A segmenter or scorer that does not answer for every image.
    """
    images = [generation.image for generation in generations]
    cells = [generation.sample.cell for generation in generations]
    regions = segmenter.segment(images, cells)
    if len(regions) != len(images):
        raise BenchError(f"the segmenter gave {len(regions)} regions for {len(images)} images")
    # Colours of small pictures are counted in Python, which one thread at a time can have: beside
    # that the others have their networks. Of large ones each scorer takes several at a time.
    first = next(iter(scorers), None)
    small = all(max(image.shape[:2]) <= SMALL for image in images)
    begun = {}
    if first == SegmentationScorer.name and small and len(scorers) > 1:
        begun[first] = beside(lambda: scorers[first].score(generations, regions))
    scores = {n: one.score(generations, regions) for n, one in scorers.items() if n not in begun}
    scores = {name: future.result() for name, future in begun.items()} | scores
    asked = {generation.sample.id for generation in generations}
    for name, found in scores.items():
        if {score.sample_id for score in found} != asked:
            raise BenchError(
                f"scorer {name!r} did not answer for every image; where nothing can be measured "
                "it must give NaN and a reason"
            )
    return regions, scores


def measure_frames(
    generations: Sequence[Generation],
    regions: Sequence[Regions],
    scorer: Scorer,
    steps: int,
    conditional: bool = False,
) -> list[list[Score]]:
    """Scores of the predicted clean images of trajectories, one list a step.

    Every frame is measured at the regions of the final image: what is asked is how the colour came
    to where it is, and a blur of the first step has no subject that a segmenter could find.

    Parameters
    ----------
    generations : sequence of Generation
        Each with ``frames`` (T, H, W, 3).
    regions : sequence of Regions
        Of the final images.
    steps : int
        T.
    conditional : bool
        Measure the conditional predictions too: of them ``bind`` alone, as ``conditional_bind``.
    """
    found = [
        _of_step(generations, regions, scorer, [one.frames for one in generations], step)
        for step in range(steps)
    ]
    if conditional:
        films = [one.conditional for one in generations]
        for step, scores in enumerate(found):
            scores += [
                replace(one, metric=f"conditional_{one.metric}")
                for one in _of_step(generations, regions, scorer, films, step)
                if one.metric == "bind"
            ]
    return found


def _of_step(
    generations: Sequence[Generation],
    regions: Sequence[Regions],
    scorer: Scorer,
    films: Sequence[np.ndarray | None],
    step: int,
) -> list[Score]:
    frames = []
    for one, film in zip(generations, films, strict=True):
        assert film is not None
        frames.append(
            examined(replace(one, image=film[step], frames=None, conditional=None, png=None))
        )
    return scorer.score(frames, regions)


def _bytes(generation: Generation) -> int:
    films = (generation.image, generation.frames, generation.conditional)
    return sum(film.nbytes for film in films if film is not None) + len(generation.png or b"")


class ScoringWorker:
    """A thread that takes images one by one and scores them in batches.

    Where scoring goes wrong, the images that were made are stored all the same.

    Parameters
    ----------
    score : callable
        Takes a batch of images that are stored already; hands what it measures to the writer.
    writer : RunWriter
        Its parts are closed here when they are due.
    batch : int
        Images scored together.
    """

    def __init__(
        self,
        score: Callable[[list[Generation]], None],
        writer: RunWriter,
        batch: int = BATCH,
    ) -> None:
        self._score = score
        self._writer = writer
        self._batch = batch
        self._queue: queue.Queue[Generation | None] | None = None
        self._thread = threading.Thread(target=self._work, name="bench-scoring", daemon=True)
        self._error: BaseException | None = None

    def put(self, generation: Generation) -> None:
        """Hand over one image; waits while too many are waiting.

        Raises
        ------
        BaseException
            What went wrong in the thread.
        """
        if self._queue is None:
            fitting = WAITING_BYTES // max(_bytes(generation), 1)
            self._queue = queue.Queue(max(1, min(WAITING_IMAGES, fitting)))
            self._thread.start()
        while True:
            if self._error is not None:
                raise self._error
            try:
                return self._queue.put(generation, timeout=0.5)
            except queue.Full:
                continue

    def finish(self) -> None:
        """Score what waits, close the part in hand, and end the thread.

        Raises
        ------
        BaseException
            What went wrong in the thread.
        """
        if self._queue is not None:
            while self._thread.is_alive():
                try:
                    self._queue.put(None, timeout=0.5)
                    break
                except queue.Full:
                    continue
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while (batch := self._collect()) is not None:
                if batch:
                    batch = [examined(generation) for generation in batch]
                    self._writer.add_images(batch)
                    self._score_unless_broken(batch)
                    batch.clear()  # Large pictures are let go of before a part is written.
                self._writer.close_if_due()
            self._writer.close_parts()
        except BaseException as error:
            self._error = error

    def _score_unless_broken(self, batch: list[Generation]) -> None:
        if self._error is not None:
            return
        try:
            self._score(batch)
        except BaseException as error:
            self._error = error

    def _collect(self) -> list[Generation] | None:
        """Return the next batch; empty where the part in hand is due first; None at the end."""
        assert self._queue is not None
        batch: list[Generation] = []
        size = 0
        while len(batch) < self._batch and size < BATCH_BYTES:
            left = self._writer.seconds_left
            try:
                item = self._queue.get(timeout=LINGER if batch else left)
            except queue.Empty:
                return batch
            if item is None:
                if batch:
                    self._queue.put(None)
                    return batch
                return None
            batch.append(item)
            size += _bytes(item)
        return batch
