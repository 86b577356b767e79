"""Items of many requests, judged together; what goes wrong with one is its own affair."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.judge.images import as_rgb8
from bench.records import NOT_JUDGED

#: Seconds that a batch waits for more items.
LINGER = 0.02
#: Leaks that take from the soft score.
_LEAKS = ("leak_neighbour", "leak_background")

#: Rows of verdicts of pictures and prompts, in order, with the position as ``image``.
Judge = Callable[[Sequence[np.ndarray], Sequence[str]], Iterator[Mapping[str, Any]]]


class FullError(Exception):
    """More items wait than may."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is said of one item.

    Attributes
    ----------
    score : float or None
        Share of its judged bindings that are ``bound``; None where nothing is judged.
    soft_score : float or None
        Mean over its judged bindings of the share of the subject in the colour, less the largest
        share of a neighbour or the background in it; not below 0.
    verdict : str or None
        Of its first binding that is not ``bound``, else ``bound``; ``invalid`` and ``unjudged``
        where nothing is judged, None where the prompt is not read.
    reason : str
        The words of that verdict, or why there is none.
    bindings : tuple of mapping
        Colour, subject, verdict and words of each.
    """

    score: float | None
    soft_score: float | None
    verdict: str | None
    reason: str
    bindings: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def none(cls, reason: str, verdict: str | None = None) -> Result:
        """Return the result of an item that says nothing."""
        return cls(None, None, verdict, reason)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Result:
        """Return the result of an item from its rows of verdicts."""
        first = next((row for row in rows if row["verdict"] != "bound"), rows[0])
        judged = [row for row in rows if row["verdict"] not in (None, *NOT_JUDGED)]
        bindings = tuple(
            {name: row[name] for name in ("colour", "subject", "verdict", "words")}
            for row in rows
            if row["verdict"] is not None
        )
        if not judged:
            return cls(None, None, first["verdict"], str(first["words"]), bindings)
        bound = sum(row["verdict"] == "bound" for row in judged) / len(judged)
        soft = [_soft(row) for row in judged]
        known = [value for value in soft if not math.isnan(value)]
        return cls(
            bound,
            sum(known) / len(known) if known else None,
            first["verdict"],
            str(first["words"]),
            bindings,
        )


def _soft(row: Mapping[str, Any]) -> float:
    if row["verdict"] == "absent":
        return 0.0
    leaks = [float(row[name]) for name in _LEAKS if row[name] is not None]
    leak = max((value for value in leaks if not math.isnan(value)), default=0.0)
    return max(0.0, float(row["bind"]) - leak)


class Batcher:
    """A thread that judges what waits, many items at once.

    Parameters
    ----------
    judge : callable
    size : int
        Items judged together, at most.
    waiting : int
        Items that may wait.
    """

    def __init__(self, judge: Judge, size: int, waiting: int) -> None:
        self._judge, self._size = judge, size
        self._queue: queue.Queue[tuple[bytes, str, Future[Result]] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._work, name="bench-serve", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Items that wait."""
        return self._queue.qsize()

    def submit(self, items: Sequence[tuple[bytes, str]]) -> list[Future[Result]]:
        """Let items be judged; all of them or none.

        Raises
        ------
        FullError
            There is no room.
        """
        if self._queue.qsize() + len(items) > self._queue.maxsize:
            raise FullError
        futures: list[Future[Result]] = []
        for data, prompt in items:
            future: Future[Result] = Future()
            futures.append(future)
            try:
                self._queue.put_nowait((data, prompt, future))
            except queue.Full:
                # Another request was quicker: what is in already is let go.
                for one in futures:
                    one.cancel()
                raise FullError from None
        return futures

    def close(self) -> None:
        """End the thread after what it has in hand."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (batch := self._collect()) is not None:
            read = []
            for data, prompt, future in batch:
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    read.append((as_rgb8(data), prompt, future))
                except Exception as error:
                    future.set_result(Result.none(str(error), "invalid"))
            for (_, _, future), result in zip(read, self._judged(read), strict=True):
                future.set_result(result)

    def _judged(self, read: Sequence[tuple[np.ndarray, str, Future[Result]]]) -> list[Result]:
        if not read:
            return []
        try:
            rows: dict[int, list[Mapping[str, Any]]] = {}
            for row in self._judge([image for image, _, _ in read], [text for _, text, _ in read]):
                rows.setdefault(int(row["image"]), []).append(row)
            return [Result.of(rows[number]) for number in range(len(read))]
        except Exception as error:
            if len(read) == 1:
                return [Result.none(f"the judge failed: {type(error).__name__}: {error}"[:300])]
            # One item is at fault: each is judged by itself.
            return [self._judged([one])[0] for one in read]

    def _collect(self) -> list[tuple[bytes, str, Future[Result]]] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch, last = [first], time.monotonic() + LINGER
        while len(batch) < self._size:
            try:
                item = self._queue.get(timeout=max(0.0, last - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            batch.append(item)
        return batch
