"""What a run lacks, images without scores among it; and what was done of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.protocols import Usage
from bench.run.beyond_control import Excess
from bench.run.progress import Progress, Silent, counted
from bench.store.parts import DamagedError
from bench.store.run import Run, set_aside
from prompts.cells import Sample


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
        """Part it evenly; an image and its control, which are near each other, mostly stay so."""
        parts = list(self.unscored.items())
        ends = [rank * len(self.missing) // count for rank in range(count + 1)]
        return [
            WorkerShare(self.missing[ends[rank] : ends[rank + 1]], dict(parts[rank::count]))
            for rank in range(count)
        ]

    def chunks(self, size: int) -> Iterator[WorkerShare]:
        """Part it into pieces of so many images, what is to be scored first."""
        for part, lacking in self.unscored.items():
            yield WorkerShare((), {part: lacking})
        for start in range(0, len(self.missing), size):
            yield WorkerShare(self.missing[start : start + size])


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
    excess : mapping of str to list
        What images have beyond their controls, so far as this process had them in memory.
    """

    images: int
    missing: int
    made: int
    rescored: int
    interrupted: bool
    seconds: float
    sampling: float
    excess: Mapping[str, Excess] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What one process did of its share, and what its sampler has used since it was made.

    ``excess`` is as in `Outcome`.
    """

    made: int
    rescored: int
    sampling: float
    usage: Usage = field(default_factory=Usage)
    excess: Mapping[str, Excess] = field(default_factory=dict)


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
