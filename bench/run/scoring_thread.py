"""The scoring thread: encodes, segments, scores and stores images while others are sampled."""

from __future__ import annotations

import queue
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from bench.errors import BenchError
from bench.judge.device import beside
from bench.judge.images import LARGE
from bench.judge.validity import examined
from bench.memory import give_freed_pages_back
from bench.protocols import Scorer, Segmenter
from bench.records import PREDICTIONS, Generation, Regions, Score
from bench.store.run import RunWriter
from prompts.cells import Sample

#: Images scored together.
BATCH = 32
#: Images and bytes that may wait for the scorers: room for one batch of the sampler.
WAITING_IMAGES = 512
WAITING_BYTES = 256 * 2**20
#: Bytes of images from which on no more are scored together, in one batch or two side by side.
BATCH_BYTES = 128 * 2**20
#: Seconds to wait for more images before a short batch is scored.
LINGER = 0.05
#: Seconds that a thread may keep Python's lock while another waits for it: five times less than
#: usual. Sampler and judge start one small operation after the other, and need the lock for each.
SWITCH = 1e-3

Result = TypeVar("Result")


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


class Turns:
    """A lock for each segmenter and scorer: none is called by two threads at once."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def of(self, part: object) -> threading.Lock:
        """The lock of a part."""
        return self._locks[id(part)]


def measure(
    generations: Sequence[Generation],
    segmenter: Segmenter,
    scorers: Mapping[str, Scorer],
    turns: Turns | None = None,
) -> tuple[list[Regions], dict[str, list[Score]]]:
    """Regions and scores of some images.

    Parameters
    ----------
    turns : Turns, optional
        What batches have in common that are measured side by side.

    Raises
    ------
    BenchError
        A segmenter or scorer that does not answer for every image.
    """
    turns = turns or Turns()
    images = [generation.image for generation in generations]
    cells = [generation.sample.cell for generation in generations]
    with turns.of(segmenter):
        regions = segmenter.segment(images, cells)
    if len(regions) != len(images):
        raise BenchError(f"the segmenter gave {len(regions)} regions for {len(images)} images")
    if max(image.size for image in images) >= 3 * LARGE:
        give_freed_pages_back()
    scores: dict[str, list[Score]] = {}
    asked = {generation.sample.id for generation in generations}
    for name, scorer in scorers.items():
        with turns.of(scorer):
            scores[name] = scorer.score(generations, regions)
        if {score.sample_id for score in scores[name]} != asked:
            raise BenchError(
                f"scorer {name!r} did not answer for every image; where nothing can be measured "
                "it must give NaN and a reason"
            )
    return regions, scores


def side_by_side(
    function: Callable[[list[Generation]], Result],
    batches: Iterable[list[Generation]],
    at_once: int = 2,
) -> Iterator[tuple[list[Generation], Future[Result]]]:
    """Apply a function to batches, two at a time; each batch and its result, in their order.

    While one batch is at its end, or in what one thread does alone, the other has the cores. Of
    large pictures there is one batch at a time (`BATCH_BYTES`).

    Parameters
    ----------
    function : callable
        May call `bench.judge.device.in_threads`.
    batches : iterable of list of Generation
        An empty one where no more are there at present: what was begun first is then awaited.
    at_once : int
        1 or 2 batches.
    """
    begun: deque[tuple[list[Generation], Future[Result]]] = deque()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, SWITCH))
    try:
        for batch in batches:
            if begun and (not batch or _size(batch) + _size(begun[0][0]) > BATCH_BYTES):
                yield begun.popleft()
            if batch:
                begun.append((batch, beside(partial(function, batch))))
            if len(begun) >= at_once:
                yield begun.popleft()
        while begun:
            yield begun.popleft()
    finally:
        # What has begun goes on, and stores nothing: a user who stops at once does not wait for it.
        for _, future in begun:
            future.cancel()
        sys.setswitchinterval(usual)


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


def _size(batch: Sequence[Generation]) -> int:
    return sum(map(_bytes, batch))


class ScoringWorker(Generic[Result]):
    """A thread that takes images one by one and stores them, measured in batches.

    Where measuring goes wrong, the images that were made are stored all the same.

    Parameters
    ----------
    measure : callable
        Takes a batch of images; called in two threads at a time.
    store : callable
        Takes a batch whose images are stored already, and what was measured, for the writer.
    writer : RunWriter
        Its parts are closed here when they are due.
    batch : int
        Images scored together.
    at_once : int
        Batches measured side by side.
    """

    def __init__(
        self,
        measure: Callable[[list[Generation]], Result],
        store: Callable[[list[Generation], Result], None],
        writer: RunWriter,
        batch: int = BATCH,
        at_once: int = 2,
    ) -> None:
        self._measure, self._store = measure, store
        self._at_once = at_once
        self._writer = writer
        self._batch = batch
        self._queue: queue.Queue[Generation | None] | None = None
        self._thread = threading.Thread(target=self._work, name="bench-scoring", daemon=True)
        self._error: BaseException | None = None
        #: Batches that are not stored yet.
        self._in_hand = 0

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
            measuring = side_by_side(self._measure_unless_broken, self._batches(), self._at_once)
            for batch, measured in measuring:
                self._writer.add_images(batch)
                self._store_unless_broken(batch, measured)
                self._in_hand -= 1
                # Large pictures are let go of before a part is written.
                batch.clear()
                del measured
            self._writer.close_parts()
        except BaseException as error:
            self._error = error

    def _measure_unless_broken(self, batch: list[Generation]) -> Result | None:
        return None if self._error is not None else self._measure(batch)

    def _store_unless_broken(
        self, batch: list[Generation], measured: Future[Result | None]
    ) -> None:
        try:
            found = measured.result()
            if found is not None and self._error is None:
                self._store(batch, found)
        except BaseException as error:
            self._error = self._error or error

    def _batches(self) -> Iterator[list[Generation]]:
        """Batches as they come; an empty one where none does, and the part in hand may be due."""
        while (batch := self._collect()) is not None:
            self._in_hand += bool(batch)
            yield [examined(generation) for generation in batch]
            self._writer.close_if_due()

    def _collect(self) -> list[Generation] | None:
        """Return the next batch; an empty one where none comes in time; None at the end."""
        assert self._queue is not None
        batch: list[Generation] = []
        size = 0
        while len(batch) < self._batch and size < BATCH_BYTES:
            left = self._writer.seconds_left
            try:
                item = self._queue.get(timeout=LINGER if batch or self._in_hand else left)
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
