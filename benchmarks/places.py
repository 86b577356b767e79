"""How far verdicts of a run hang on the constants of places: ``python -m benchmarks.places RUN``.

Each constant of places that is fitted is halved and made half as large again,
one at a time, and the verdicts of the run are derived anew from its stored pictures and regions.
What is printed is how many bindings get another verdict, and how many leaks there are then.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from bench.certificate.place_fit import PLACE_GRID, constant, constants
from bench.errors import BenchError
from bench.records import LEAKS
from bench.run.derive import verdict_rows
from bench.store.run import Run

FACTORS = (0.5, 1.5)


def verdicts(run: Run) -> dict[tuple[str, int], str]:
    """Verdict of each binding of a run, with the constants as they are now."""
    return {(row["sample_id"], row["binding"]): row["verdict"] for row in verdict_rows(run)}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Print a JSON line for each constant and factor."""
    try:
        run = Run(folder)
        before = verdicts(run)
    except BenchError as error:
        raise click.UsageError(str(error)) from None
    click.echo(json.dumps({"bindings": len(before), "leaks": _leaks(before)}))
    for name in PLACE_GRID:
        value = constant(name)
        for factor in FACTORS:
            other = min(1.0, factor * value) if value < 1 else factor * value
            with constants(**{name: other}):
                after = verdicts(run)
            moved = Counter(
                f"{before[key]} to {after[key]}" for key in before if before[key] != after[key]
            )
            click.echo(json.dumps({
                name: round(other, 4), "was": value, "leaks": _leaks(after),
                "moved": sum(moved.values()), "most": dict(moved.most_common(3)),
            }))  # fmt: skip


def _leaks(found: dict[tuple[str, int], str]) -> int:
    return sum(verdict in LEAKS for verdict in found.values())


if __name__ == "__main__":
    main()
