"""Leases: how what is missing of a run is parted among workers, and in which order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

from bench.store.run import Run

#: Most images of a lease. Towards the end leases get smaller, so that all end at one time.
LEASE = 256
#: Leases that a worker has at a time: the next is there before the last is done.
AHEAD = 2


@dataclass(frozen=True)
class Lease:
    """Something to do: sample some ids, or score a part of the samples again."""

    method: str
    args: tuple[Any, ...]


class LeaseQueue:
    """Leases in the order in which they are handed out: scoring first, then sampling."""

    def __init__(
        self, again: list[Lease], missing: list[str], batch: int, workers: Callable[[], Sized]
    ) -> None:
        self._again = deque(again)
        self._missing, self._next = missing, 0
        self._batch, self._workers = batch, workers

    def __bool__(self) -> bool:
        return bool(self._again) or self._next < len(self._missing)

    def clear(self) -> None:
        """Hand out nothing more."""
        self._again.clear()
        self._next = len(self._missing)

    def next(self) -> Lease:
        """Take the next lease."""
        if self._again:
            return self._again.popleft()
        left = len(self._missing) - self._next
        size = lease_size(left, len(self._workers()), self._batch)
        ids = self._missing[self._next : self._next + size]
        self._next += size
        return Lease("sample", (ids,))


def lease_size(left: int, workers: int, batch: int) -> int:
    """Images of the next lease: whole batches, fewer the less is left, never more than `LEASE`.

    Guided self-scheduling [1]_: a fixed share of what is left for each worker.

    References
    ----------
    .. [1] Polychronopoulos, C., Kuck, D., Guided self-scheduling, IEEE Trans. Computers 36 (1987).
    """
    share = left // (2 * AHEAD * max(workers, 1))
    most = max(batch, LEASE // batch * batch)
    return min(max(batch, share // batch * batch), most)


def part_leases(run: Run, lacking: dict[str, set[str]]) -> Iterator[Lease]:
    """One lease for each part of the samples that has images without all their scores."""
    if not lacking:
        return
    for path, part in run.parts("samples", ["sample_id"]):
        ids = part["sample_id"].to_pylist()
        here = {table: [key for key in ids if key in keys] for table, keys in lacking.items()}
        here = {table: keys for table, keys in here.items() if keys}
        if here:
            yield Lease("rescore", (path.name, here))
