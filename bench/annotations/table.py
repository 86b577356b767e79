"""The forms of an agreement: terminal and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.annotations.agree import PEOPLE, SCORER, Agreement
from bench.annotations.labels import Labels
from bench.records import json_fields

if TYPE_CHECKING:
    from rich.console import RenderableType


def render(agreements: Sequence[Agreement], labels: Labels) -> RenderableType:
    """Return the agreement for a terminal: scorer with people beside people with each other."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    people = len(labels.people)
    lines = [Text(f"{len(labels.labels):,} labels by {people} people", style="bold")]
    if people == 1:
        lines = [Text(f"{len(labels.labels):,} labels by one person", style="bold")]
    if labels.foreign:
        lines.append(
            Text(f"warning: {labels.foreign:,} labels belong to no judgement of this run", "yellow")
        )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("question", "", "scorer and people", "people", "judgements"):
        table.add_column(name, justify="left" if name in ("question", "") else "right")
    by_place = {(one.question, one.statistic, one.between): one for one in agreements}
    for one in agreements:
        if one.between != SCORER:
            continue
        other = by_place.get((one.question, one.statistic, PEOPLE))
        table.add_row(one.question, one.statistic, _words(one), _words(other), f"{one.units:,}")
    return Group(*lines, Text(""), table)


def to_dict(agreements: Sequence[Agreement], labels: Labels) -> dict[str, Any]:
    """Return the agreement as plain values, NaN as None."""
    return {
        "people": list(labels.people),
        "labels": len(labels.labels),
        "foreign": labels.foreign,
        "agreements": [json_fields(one) for one in agreements],
    }


def _words(one: Agreement | None) -> str:
    if one is None or math.isnan(one.value):
        return "not measured"
    if one.low is None or one.high is None:
        return f"{one.value:.2f}, no interval"
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
