"""Run folders made by the real engine with the shapes of `tests.bench.shapes`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.run.components import Crew
from bench.run.execute import Outcome, execute
from bench.run.finish import finish
from bench.run.prepare import manifest_for, open_run
from bench.store.lock import locked
from bench.store.run import PART_BYTES, PART_SECONDS, Run, RunWriter
from prompts.cells import plan
from tests.bench.shapes import cells, crew


def go(
    folder: Path,
    *,
    seeds: int = 2,
    team: Crew | None = None,
    grid=None,
    batch: int = 32,
    seconds: float = PART_SECONDS,
    size: int = PART_BYTES,
    limit: int | None = None,
) -> tuple[Run, Outcome]:
    """Make what is missing of a run."""
    team = team or crew()
    grid = grid or cells()
    with locked(folder):
        asked = manifest_for(folder.name, grid, seeds, team, grid="shapes", limit=limit)
        run = open_run(folder, asked)
        outcome = execute(
            run,
            plan(grid, seeds)[:limit],
            team,
            writer=RunWriter(run, seconds, size),
            batch=batch,
        )
        if not outcome.missing:
            run, _, _ = finish(run, outcome.missing)
    return run, outcome


def make_run(folder: Path, **options) -> Run:
    """Make a whole run."""
    return go(folder, **options)[0]


def table_of(run: Run, table: str) -> pd.DataFrame:
    """A table, sorted, without what time alone decides."""
    frame = pd.concat([part.to_pandas() for _, part in run.parts(table)])
    keys = [name for name in ("sample_id", "binding", "metric") if name in frame]
    return frame.sort_values(keys).drop(columns="seconds", errors="ignore").reset_index(drop=True)


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """All tables of a run."""
    return {table: table_of(run, table) for table in run.manifest.tables()}


def assert_same_tables(a: Run, b: Run) -> None:
    """Two runs hold the same, whatever the order in which it was made."""
    first, second = tables(a), tables(b)
    assert first.keys() == second.keys()
    for name, frame in first.items():
        left = frame.map(repr)
        right = second[name].map(repr)
        pd.testing.assert_frame_equal(left, right)
