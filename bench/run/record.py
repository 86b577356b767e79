"""The record of a run: ``run.json`` is written here, once at the start and once at the end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from bench.errors import NotComparableError, StoreError, UsageError
from bench.protocols import Usage
from bench.run.components import Description
from bench.run.plan import Plan
from bench.run.progress import Progress, Silent, counted
from bench.store import files, paths
from bench.store.derived import ESTIMATES_FILE, VERDICTS_FILE
from bench.store.manifest import (
    FILE,
    TRAJECTORY_SCORER,
    Maker,
    Manifest,
    command_line,
    grid_of,
    now,
    read_manifest,
    require_same,
    write_manifest,
)
from bench.store.run import Run, drop_stale

#: A run with a larger share of invalid images than this fails.
MOST_INVALID = 0.01
#: Folders of a run that are emptied where it is made anew, beside its tables.
_FOLDERS = ("samples", "regions", "scores", "trajectory", "filmstrips")


@dataclass(frozen=True)
class Stock:
    """What stands in the store.

    Attributes
    ----------
    images : int
    invalid : dict of str to int
        Void images by reason.
    size : tuple of int or None
        Width and height where all valid images agree.
    """

    images: int
    invalid: dict[str, int]
    size: tuple[int, int] | None


def manifest_for(name: str, plan: Plan, made_by: Description) -> Manifest:
    """Return the record of what is asked now.

    Raises
    ------
    UsageError
        Frames are kept and there is no scorer to measure them.
    """
    levels = made_by.sampler.noise_levels
    if levels is not None and TRAJECTORY_SCORER not in made_by.scorers:
        raise UsageError(
            f"a trajectory is measured by the scorer {TRAJECTORY_SCORER!r}, which is not among "
            f"{', '.join(made_by.scorers)}; add --scorer {TRAJECTORY_SCORER}"
        )
    return Manifest(
        name=name,
        grid=grid_of(plan.cells, plan.grid, plan.options),
        seeds=plan.seeds,
        images=len(plan.samples),
        limit=plan.limit,
        sampler=Maker.of(made_by.sampler.fingerprint),
        segmenter=Maker.of(made_by.segmenter),
        scorers={name: Maker.of(scorer) for name, scorer in made_by.scorers.items()},
        trajectory=None if levels is None else [round(float(level), 6) for level in levels],
        predictions=None if levels is None else list(made_by.sampler.predictions),
        command=command_line(),
    )


def require_place(folder: Path) -> None:
    """See that a run can be stored in a folder, before anything that takes time.

    Raises
    ------
    UsageError
        A file stands where a folder is to be.
    StoreError
        It is no run folder but has something in it, or it cannot be written.
    """
    files.require_writable(folder)
    with files.clear_errors("read the folder", folder):
        begun = (folder / FILE).is_file()
    if not begun:
        _require_empty(folder)


def open_run(
    folder: Path, wanted: Manifest, progress: Progress | None = None, *, fresh: bool = False
) -> Run:
    """Make the run folder, or take up the one that is there. Whoever calls holds its lock.

    What stays of an earlier call: id, pictures, and the scores of scorers that are the same, or
    that are not asked for now. Scores and regions by other options are removed, to be made again.

    Parameters
    ----------
    fresh : bool
        Nothing stays.

    Raises
    ------
    NotComparableError
        The folder was made by other options; the message names the field.
    StoreError
        It is no run folder but has something in it, or it cannot be written.
    """
    progress = progress or Silent()
    files.remove_leftovers(folder)
    if not (folder / FILE).is_file():
        _require_empty(folder)
        write_manifest(folder, wanted)
        return Run(folder, wanted)
    if fresh:
        _empty(folder)
        write_manifest(folder, wanted)
        progress.say(f"{folder}: what was stored there is gone; everything is made anew")
        return Run(folder, wanted)
    stored = read_manifest(folder)
    require_same(folder, stored, wanted)
    for library, version in wanted.versions.items():
        before = stored.versions.get(library, version)
        if before != version:
            progress.say(f"note: the run was begun with {library} {before}, this is {version}")
    merged = stored.model_copy(
        update={
            "images": wanted.images,
            "limit": wanted.limit,
            "finished": None,
            "segmenter": wanted.segmenter,
            "scorers": _scorers(stored, wanted),
        }
    )
    run = Run(folder, merged)
    for table in drop_stale(run):
        progress.say(f"{table}: made by other options before; made again from the stored pictures")
    if merged != stored:
        write_manifest(folder, merged)
    _tell_reuse(run, progress)
    return run


def close_run(
    run: Run,
    usage: Usage,
    *,
    stock: Stock | None = None,
    control: Mapping[str, Any] | None = None,
    missing: int = 1,
) -> Run:
    """Write the record at the end of a call, however it ended.

    Parameters
    ----------
    run : Run
    usage : Usage
        Of the sampler in this call; its counts are added to those of earlier calls.
    stock : Stock, optional
        What is stored; None where the call ended before its end.
    control : mapping, optional
        The self-check, where it was made.
    missing : int
        Images that are not yet made and scored; the record is closed where there are none.
    """
    update: dict[str, Any] = {}
    if usage.counts:
        before = run.manifest.account or {}
        names = sorted({*before, *usage.counts})
        update["account"] = {
            name: round(before.get(name, 0) + usage.counts.get(name, 0), 6) for name in names
        }
    if control is not None:
        update["control"] = dict(control)
    if stock is not None:
        update["invalid"] = sum(stock.invalid.values())
        update["image_size"] = stock.size
        update["finished"] = None if missing else now()
    if not update:
        return run
    manifest = run.manifest.model_copy(update=update)
    write_manifest(run.folder, manifest)
    return Run(run.folder, manifest)


def take_stock(run: Run) -> Stock:
    """Count the stored images of a run."""
    images = 0
    invalid: Counter[str] = Counter()
    sizes: set[tuple[int, int]] = set()
    for _, part in run.parts("samples", ["invalid", "width", "height"]):
        images += len(part)
        column = part["invalid"]
        invalid.update(column.filter(pc.is_valid(column)).to_pylist())
        # A picture that could not be read is stored as a blank one, whose size says nothing.
        valid = part.filter(pc.is_null(column))
        pairs = valid.group_by(["width", "height"]).aggregate([])
        sizes.update(zip(pairs["width"].to_pylist(), pairs["height"].to_pylist(), strict=True))
    return Stock(images, dict(invalid.most_common()), sizes.pop() if len(sizes) == 1 else None)


def require_valid(stock: Stock) -> None:
    """Fail loudly where too many images say nothing.

    Raises
    ------
    NotComparableError
        More than 1% are invalid; the message tells how many and why.
    """
    total = sum(stock.invalid.values())
    if total > MOST_INVALID * stock.images:
        reasons = ", ".join(f"{count} {reason}" for reason, count in stock.invalid.items())
        raise NotComparableError(
            f"{total:,} of {counted(stock.images, 'image')} {'is' if total == 1 else 'are'} "
            f"invalid ({reasons}), more than {MOST_INVALID:.0%}: the scores say little about this "
            "model; look at its pictures"
        )


def _tell_reuse(run: Run, progress: Progress) -> None:
    """Say what is taken up where nobody can tell whether it is of the same weights."""
    sampler = run.manifest.sampler
    if sampler.weights:
        return
    images = sum(len(part) for _, part in run.parts("samples", ["sample_id"]))
    if images:
        progress.say(
            f"note: {counted(images, 'image')} of a run begun {run.manifest.created} are taken up: "
            f"the weights of {sampler.name} are not known, so it cannot be told whether they "
            "are the same; --fresh makes everything anew"
        )


def _scorers(stored: Manifest, wanted: Manifest) -> dict[str, Maker]:
    """Scorers asked for now; of the earlier ones those whose scores still hold."""
    if stored.segmenter.identity() != wanted.segmenter.identity():
        return wanted.scorers
    kept = {name: maker for name, maker in stored.scorers.items() if name not in wanted.scorers}
    return {**wanted.scorers, **kept}


def _require_empty(folder: Path) -> None:
    with files.clear_errors("read the folder", folder):
        if not folder.exists():
            return
        found = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if found:
        raise StoreError(
            f"{folder} has {found[0]!r} in it but no {FILE}: it is no run folder; choose another "
            "--name"
        )


def _empty(folder: Path) -> None:
    """Remove what a run has written, and nothing else; the record goes with the next one."""
    with files.clear_errors("empty", folder):
        for name in _FOLDERS:
            below = folder / name
            if not below.is_dir():
                continue
            if paths.is_remote(folder):
                paths.file_system(below).rm(paths.name_there(below), recursive=True)
            else:
                shutil.rmtree(below)
        for name in (VERDICTS_FILE, ESTIMATES_FILE):
            if (folder / name).is_file():
                files.remove(folder / name)
