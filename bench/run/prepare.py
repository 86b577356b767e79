"""Opening the folder of a run: made where there is none, taken up where it was made alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import StoreError, UsageError
from bench.run.components import Crew
from bench.run.progress import Progress, Silent
from bench.store import files
from bench.store.manifest import (
    FILE,
    TRAJECTORY_SCORER,
    Maker,
    Manifest,
    command_line,
    grid_of,
    read_manifest,
    require_same,
    write_manifest,
)
from bench.store.run import Run, drop_stale
from prompts.cells import Cell


def manifest_for(
    name: str,
    cells: Sequence[Cell],
    seeds: int,
    crew: Crew,
    *,
    grid: str = "",
    grid_options: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Manifest:
    """Return the record of what is asked now."""
    images = len(cells) * seeds
    return Manifest(
        name=name,
        grid=grid_of(cells, grid, grid_options or {}),
        seeds=seeds,
        images=images if limit is None else min(limit, images),
        limit=limit if limit is not None and limit < images else None,
        sampler=Maker.of(crew.sampler.info.fingerprint),
        segmenter=Maker.of(crew.segmenter.fingerprint),
        scorers={name: Maker.of(one.fingerprint) for name, one in crew.scorers.items()},
        trajectory=noise_levels(crew),
        command=command_line(),
    )


def noise_levels(crew: Crew) -> list[float] | None:
    """Noise level of each frame that the sampler keeps, 1 pure noise; None where it keeps none.

    Raises
    ------
    UsageError
        Frames are kept and there is no scorer to measure them.
    """
    levels = crew.sampler.info.noise_levels
    if levels is None:
        return None
    if TRAJECTORY_SCORER not in crew.scorers:
        raise UsageError(
            f"a trajectory is measured by the scorer {TRAJECTORY_SCORER!r}, which is not among "
            f"{', '.join(crew.scorers)}; add --scorer {TRAJECTORY_SCORER}"
        )
    return [round(float(level), 6) for level in levels]


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


def open_run(folder: Path, asked: Manifest, progress: Progress | None = None) -> Run:
    """Make the run folder, or take up the one that is there. Whoever calls holds its lock.

    What stays of an earlier call: id, pictures, and the scores of scorers that are the same, or
    that are not asked for now. Scores and regions by other options are removed, to be made again.

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
        write_manifest(folder, asked)
        return Run(folder, asked)
    stored = read_manifest(folder)
    require_same(folder, stored, asked)
    for library, version in asked.versions.items():
        before = stored.versions.get(library, version)
        if before != version:
            progress.say(f"note: the run was begun with {library} {before}, this is {version}")
    merged = stored.model_copy(
        update={
            "images": asked.images,
            "limit": asked.limit,
            "finished": None,
            "segmenter": asked.segmenter,
            "scorers": _scorers(stored, asked),
        }
    )
    if merged != stored:
        write_manifest(folder, merged)
    run = Run(folder, merged)
    for table in drop_stale(run):
        progress.say(f"{table}: made by other options before; made again from the stored pictures")
    return run


def _scorers(stored: Manifest, asked: Manifest) -> dict[str, Maker]:
    """Scorers asked for now; of the earlier ones those whose scores still hold."""
    if stored.segmenter.identity() != asked.segmenter.identity():
        return asked.scorers
    kept = {name: maker for name, maker in stored.scorers.items() if name not in asked.scorers}
    return {**asked.scorers, **kept}


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
