"""Run folders made by the real engine with the shapes of `tests.bench.shapes`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.protocols import Usage
from bench.run.components import Components, describe
from bench.run.derive import derive
from bench.run.execute import execute
from bench.run.filmstrips import write_filmstrips
from bench.run.missing import Outcome
from bench.run.plan import Plan
from bench.run.record import close_run, manifest_for, open_run, take_stock
from bench.store.lock import locked
from bench.store.run import PART_BYTES, Run, RunWriter
from prompts.cells import plan
from tests.bench.shapes import cells, crew


def go(
    folder: Path,
    *,
    seeds: int = 2,
    team: Components | None = None,
    grid=None,
    batch: int = 32,
    seconds: float | None = None,
    size: int = PART_BYTES,
    limit: int | None = None,
) -> tuple[Run, Outcome]:
    """Make what is missing of a run."""
    team = team or crew()
    grid = grid or cells()
    samples = plan(grid, seeds)
    cut = limit if limit is not None and limit < len(samples) else None
    asked = Plan(grid, seeds, samples[:cut], cut, "shapes")
    with locked(folder):
        run = open_run(folder, manifest_for(folder.name, asked, describe(team)))
        writer = RunWriter(run, seconds, size)
        outcome = execute(run, asked.samples, team, writer=writer, batch=batch)
        if not outcome.missing:
            derive(run)
            write_filmstrips(run)
            run = close_run(run, Usage(), stock=take_stock(run), missing=0)
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
