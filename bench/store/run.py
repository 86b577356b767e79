"""A run folder: what is in it, and the one way to add to it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import UsageError
from bench.judge.device import in_threads
from bench.records import Generation, Regions, Score
from bench.registry import nearest
from bench.store import files, parts, paths
from bench.store.manifest import FILE, Manifest, read_manifest
from bench.store.rows import (
    generation_from,
    region_row,
    sample_row,
    score_rows,
    trajectory_rows,
)

#: A part is closed when its oldest row is so old (seconds), or its rows are so large (bytes).
PART_SECONDS = 55.0
PART_BYTES = 64 * 2**20
#: Stored images that are read together have no more pixels.
TOGETHER_PIXELS = 1 << 26
#: Ends the name of a damaged part that was set aside; nothing reads it any more.
DAMAGED = ".damaged"

#: Every column of the samples but the picture.
WITHOUT_PICTURE = (
    "sample_id",
    "cell_id",
    "text",
    "template",
    "control_id",
    "bindings",
    "scenery",
    "tags",
    "index",
    "seed",
    "width",
    "height",
    "invalid",
    "seconds",
)


class Run:
    """A run folder, to be read.

    Parameters
    ----------
    folder : Path
        ``runs/<name>``.
    manifest : Manifest, optional
        Read from ``run.json`` where it is not given.
    """

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        self.folder = folder
        self.manifest = read_manifest(self.folder) if manifest is None else manifest

    def parts(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        names: Collection[str] | None = None,
    ) -> Iterator[tuple[Path, pa.Table]]:
        """Return the parts of a table, or the named ones, one after the other, each checked.

        Rows of a sample that stands in an earlier part too are left out: two writers of one run
        may have made it, and it is the same picture.
        """
        manifest = self.manifest
        wanted = columns
        if columns is not None and "sample_id" not in columns:
            wanted = [*columns, "sample_id"]
        seen: set[str] = set()
        for path, part in parts.iterate(
            self.folder / table, table, manifest.id, manifest.made_by(table), wanted, names
        ):
            ids = pc.unique(part["sample_id"].combine_chunks()).to_pylist()
            again = [key for key in ids if key in seen]
            seen.update(ids)
            if again:
                part = part.filter(pc.invert(pc.is_in(part["sample_id"], pa.array(again))))
            yield path, part if columns is None else part.select(list(columns))

    def ids(self, table: str) -> set[str]:
        """Ids of the samples that a table has.

        Raises
        ------
        StoreError
            A part is damaged or foreign.
        """
        found: set[str] = set()
        for _, part in self.parts(table, ["sample_id"]):
            found.update(pc.unique(part["sample_id"].combine_chunks()).to_pylist())
        return found

    def drop_rows(self, table: str, ids: Collection[str]) -> None:
        """Remove the rows of some samples from a table; only for who holds the lock."""
        for path, part in self.parts(table, ["sample_id"]):
            here = set(part["sample_id"].to_pylist()) & set(ids)
            if here:
                self._rewrite(table, path, sorted(here))

    def _rewrite(self, table: str, path: Path, without: Sequence[str]) -> None:
        """Write a part anew without the rows of some samples; without any row it is removed."""
        for _, part in self.parts(table, names={path.name}):
            kept = part.filter(pc.invert(pc.is_in(part["sample_id"], pa.array(without))))
            if len(kept):
                parts.write_part(kept, path)
            else:
                files.remove(path)

    def generations(
        self, wanted: Collection[str], size: int, names: Collection[str] | None = None
    ) -> Iterator[list[Generation]]:
        """Yield stored images of the wanted ids, of the named parts or all.

        At most ``size`` at a time, and of large ones so many as have `TOGETHER_PIXELS`.
        """
        for _, part in self.parts("samples", names=names):
            mask = pc.is_in(part["sample_id"], pa.array(sorted(wanted), pa.string()))
            chosen = part.filter(mask)
            pixels = pc.multiply(chosen["width"], chosen["height"]).to_pylist()
            start = 0
            while start < len(chosen):
                most = min(size, len(chosen) - start)
                while most > 1 and sum(pixels[start : start + most]) > TOGETHER_PIXELS:
                    most //= 2
                rows = chosen.slice(start, most).to_pylist()
                yield [generation_from(row) for row in rows]
                start += most


def set_aside(path: Path) -> Path:
    """Give a damaged part a name that nothing reads; only for who holds the lock."""
    aside = path.with_name(path.name + DAMAGED)
    with files.clear_errors("rename", path):
        path.rename(aside)
    return aside


def part_seconds() -> float:
    """Return the age at which a part is closed: ``BENCH_PART_SECONDS``, or 55 s.

    Raises
    ------
    UsageError
        It is no number above 0.
    """
    given = os.environ.get("BENCH_PART_SECONDS", "")
    if not given:
        return PART_SECONDS
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            f"BENCH_PART_SECONDS={given!r} is no number of seconds; expected one above 0, such as "
            f"{PART_SECONDS:.0f}"
        )
    return seconds


def latest(root: Path) -> Path:
    """Return the run folder below ``root`` whose ``run.json`` was written last.

    Raises
    ------
    UsageError
        There is none.
    """
    found = [path for path in root.glob(f"*/{FILE}") if path.is_file()] if root.is_dir() else []
    if not found:
        raise UsageError(f"there is no run in {root}/; make one with `bench run --model local`")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.parent.name)).parent


def find_run(given: Path | None, root: Path) -> Path:
    """Return the folder that the user means: a path, a name below ``root``, or the latest run.

    Raises
    ------
    UsageError
        There is no such run; the message names the nearest.
    """
    if given is None:
        return latest(root)
    for folder in (given,) if paths.is_remote(given) else (given, root / given):
        if (folder / FILE).is_file():
            return folder
    if given.exists():
        raise UsageError(f"{given} is not a run folder: it has no {FILE}")
    names = [path.parent.name for path in root.glob(f"*/{FILE}")] if root.is_dir() else []
    guess = nearest(str(given), names)
    raise UsageError(
        f"there is no run {str(given)!r}" + (f"; did you mean {guess}?" if guess else "")
    )


class RunWriter:
    """Adds images, regions and scores to a run, part by part.

    The parts of the tables are closed together, samples first: after a kill between two of them
    some stored images lack scores, and never the other way round.

    Parameters
    ----------
    run : Run
    seconds, size : float, int
        Age and bytes at which a part is closed; `part_seconds` where no age is given.
    suffix : str
        Ends the names of the parts, so that several writers of one run never take the same; one
        by chance in a remote store, where nothing is said.
    """

    def __init__(
        self,
        run: Run,
        seconds: float | None = None,
        size: int = PART_BYTES,
        *,
        suffix: str = "",
    ) -> None:
        self.run = run
        self.seconds = part_seconds() if seconds is None else seconds
        if paths.is_remote(run.folder) and not suffix:
            # Nothing keeps another process from writing there at the same time.
            suffix = uuid.uuid4().hex[:8]
        self.size = size
        self._oldest: float | None = None
        self._writers = {
            table: parts.PartWriter(
                run.folder / table, table, run.manifest.id, run.manifest.made_by(table), suffix
            )
            for table in run.manifest.tables()
        }

    def add_images(self, generations: Sequence[Generation]) -> None:
        """Add images."""
        # Pictures are encoded outside of Python's lock.
        self._add("samples", in_threads(sample_row, generations))

    def add_regions(self, ids: Sequence[str], regions: Sequence[Regions]) -> None:
        """Add regions, one an id."""
        self._add("regions", [region_row(*pair) for pair in zip(ids, regions, strict=True)])

    def add_scores(self, scorer: str, scores: Sequence[Score]) -> None:
        """Add the scores of one scorer."""
        self._add(f"scores/{scorer}", score_rows(scores))

    def add_frames(self, scores: Sequence[Sequence[Score]]) -> None:
        """Add the scores of the frames of some images, one sequence a step of the trajectory."""
        for step, (found, noise) in enumerate(
            zip(scores, self.run.manifest.trajectory or [], strict=True)
        ):
            self._add("trajectory", trajectory_rows(found, step, noise))

    @property
    def seconds_left(self) -> float | None:
        """Time until the part in hand must be closed; None where it is empty."""
        if self._oldest is None:
            return None
        return max(0.0, self._oldest + self.seconds - time.monotonic())

    def close_if_due(self) -> bool:
        """Close the part in hand where it is old or large enough."""
        left = self.seconds_left
        if left is None or (left > 0 and sum(w.bytes for w in self._writers.values()) < self.size):
            return False
        self.close_parts()
        return True

    def close_parts(self) -> None:
        """Write what is in hand: samples, then regions, then scores."""
        for writer in self._writers.values():
            writer.close_part()
        self._oldest = None

    def _add(self, table: str, rows: list[dict[str, object]]) -> None:
        if rows and self._oldest is None:
            self._oldest = time.monotonic()
        self._writers[table].append(rows)


def drop_stale(run: Run) -> list[str]:
    """Remove the parts of regions and scores that other options made; images are never touched.

    Returns
    -------
    list of str
        Tables of which something was removed.
    """
    manifest = run.manifest
    dropped = []
    for table in manifest.tables()[1:]:
        for path in files.list_parts(run.folder / table):
            try:
                stale = parts.made_by(path, table, manifest.id) != manifest.made_by(table)
            except parts.DamagedError:
                continue
            if stale:
                files.remove(path)
                dropped.append(table)
    return sorted(set(dropped))
