"""``bench prompts``: print the prompts that a run would ask for."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from bench.cli.grid_options import grid_options, resolve_grid

if TYPE_CHECKING:
    from prompts.cells import Cell
    from prompts.grid import Grid

#: Columns of ``--format csv``, with those of a third and fourth thing where a prompt has them. Read
#: again by ``--grid FILE``, they give the same grid.
COLUMNS = (
    "id",
    "prompt",
    "template",
    "colour",
    "subject",
    "hex",
    "colour2",
    "subject2",
    "hex2",
    "scenery",
    "control_id",
    "tags",
)


@click.command("prompts")
@grid_options
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="One prompt a line, or all fields of its cell.",
)
@click.option("--count", is_flag=True, help="Print how many prompts and images, not which.")
@click.option(
    "--report",
    is_flag=True,
    help="Print what each prompt of --grid was read as, what was not read and why, and the counts.",
)
def command(layout: str, count: bool, report: bool, **options: Any) -> None:
    """Print the prompts of a grid.

    Without options it is the default grid. What is printed as CSV or JSONL can be edited and given
    back with --grid.
    """
    grid = resolve_grid(**options)
    if report:
        lines = report_lines(grid)
    else:
        lines = count_lines(grid, layout) if count else prompt_lines(grid, layout)
    for line in lines:
        click.echo(line)
    if not (count or report):
        click.echo(
            f"{grid.name}: {len(grid)} prompts, {grid.images} images, grid {grid.hash}", err=True
        )


def prompt_lines(grid: Grid, layout: str) -> Iterator[str]:
    """Yield the lines of a grid as ``text``, ``jsonl`` or ``csv``."""
    if layout == "text":
        yield from (cell.text for cell in grid)
        return
    hexes = {colour.name: colour.hex for colour in grid.colours}
    if layout == "jsonl":
        for cell in grid:
            yield json.dumps(cell_fields(cell, hexes), ensure_ascii=False)
        return
    from prompts.list_fields import SUFFIXES

    most = max(len(cell.bindings) for cell in grid)
    more = [f"{name}{end}" for end in SUFFIXES[2:most] for name in ("colour", "subject", "hex")]
    columns = (*COLUMNS, *more)
    yield _csv_line(columns)
    for cell in grid:
        fields = cell_fields(cell, hexes)
        fields["tags"] = " ".join(fields["tags"])
        fields["scenery"] = " ".join(
            word for one in fields["scenery"] for word in (one["colour"], one["subject"]) if word
        )
        yield _csv_line(fields.get(column, "") for column in columns)


def cell_fields(cell: Cell, hexes: dict[str, str]) -> dict[str, Any]:
    """Return a cell as plain values; colours that are None are left out."""
    from prompts.list_fields import SUFFIXES

    fields: dict[str, Any] = {"id": cell.id, "prompt": cell.text, "template": cell.template}
    for binding, suffix in zip(cell.bindings, SUFFIXES, strict=False):
        if binding.colour is not None:
            fields[f"colour{suffix}"] = binding.colour
            fields[f"hex{suffix}"] = hexes[binding.colour]
        fields[f"subject{suffix}"] = binding.subject
    fields["scenery"] = [{"colour": one.colour, "subject": one.subject} for one in cell.scenery]
    fields["control_id"] = cell.control_id
    fields["tags"] = sorted(cell.tags)
    return fields


def count_lines(grid: Grid, layout: str) -> Iterator[str]:
    """Yield the numbers of prompts and images, and of prompts by template and tag."""
    counts: dict[str, int] = {"prompts": len(grid), "seeds": grid.seeds, "images": grid.images}
    for kind, found in (
        ("template", Counter(cell.template for cell in grid)),
        ("tag", Counter(tag for cell in grid for tag in cell.tags)),
    ):
        counts |= {f"{kind} {name}": found[name] for name in sorted(found)}
    if layout == "jsonl":
        yield json.dumps({"grid": grid.name, "hash": grid.hash, **counts})
    elif layout == "csv":
        yield _csv_line(("what", "count"))
        yield from (_csv_line(pair) for pair in counts.items())
    else:
        width = max(map(len, counts))
        yield from (f"{name:{width}}  {number:>6}" for name, number in counts.items())


def report_lines(grid: Grid) -> Iterator[str]:
    """Yield what the prompts of a list were read as, those that were not, and how many of each."""
    asked = [cell for cell in grid if any(binding.colour for binding in cell.bindings)]
    for cell in asked:
        things = (*cell.bindings, *cell.scenery)
        said = ", ".join(f"{one.colour} {one.subject}" for one in things if one.colour)
        yield json.dumps({"prompt": cell.text, "read": said}, ensure_ascii=False)
    for line in grid.skipped:
        yield json.dumps({"not read": line}, ensure_ascii=False)
    reasons = Counter(re.sub(r"'[^']*'", "...", line.rsplit(": ", 1)[-1]) for line in grid.skipped)
    counts = {"read": len(asked), "not read": len(grid.skipped), "reasons": dict(reasons)}
    yield json.dumps(counts, ensure_ascii=False)


def _csv_line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(list(values))
    return buffer.getvalue()
