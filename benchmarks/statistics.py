"""What the intervals and the gate promise, simulated: ``python -m benchmarks.statistics``.

Runs are simulated whose truth is known (`bench.statistics.simulation`), and go through the same
functions as real ones: `tabulate` for intervals, `decide` for the gate. ``NAME`` runs one table,
``--repetitions`` says how many runs a line. The Monte-Carlo error of a share p over R runs is
``sqrt(p (1 - p) / R)``: 1.0 points at 0.95 and 500, 1.5 at 0.10 and 400.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from benchmarks.gate import large, lost, printed, retrained, unchanged
from benchmarks.intervals import edge, gaps, measured, shares

TABLES = {
    one.__name__: one
    for one in (shares, gaps, edge, measured, unchanged, retrained, lost, printed, large)
}


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """A table; shares with three digits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [row.get(name, "") for name in names]
        lines.append(
            "| "
            + " | ".join(f"{one:.3f}" if isinstance(one, float) else str(one) for one in cells)
            + " |"
        )
    return "\n".join(lines)


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(TABLES)))
@click.option("--repetitions", type=click.IntRange(2), default=400, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), metavar="FILE")
def main(names: tuple[str, ...], repetitions: int, out: Path | None) -> None:
    """Run the tables."""
    found = {}
    for name in names or TABLES:
        start = time.monotonic()
        found[name] = list(TABLES[name](repetitions))
        click.echo(f"\n{TABLES[name].__doc__}\n\n{as_markdown(found[name])}")
        click.echo(f"{name}: {time.monotonic() - start:.0f} s", err=True)
    if out is not None:
        out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
