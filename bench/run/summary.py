"""The summary of a run: headline estimates in words, for a terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.records import Estimate, json_fields
from bench.store.manifest import Manifest

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Metric, its words, and whether it is a difference. Sub-rows begin with two blanks.
HEADLINES: tuple[tuple[str, str, bool], ...] = (
    ("binding_score", "Binding score", False),
    ("binding_given_drawn", "Binding, given drawn", False),
    ("drawn", "Subject drawn", False),
    ("leakage_rate", "Leakage rate", False),
    ("leakage_spilled", "  also on the surroundings", False),
    ("leakage_neighbour", "  on another object", False),
    ("leakage_background", "  on the background", False),
    ("leakage_swapped", "  on the other subject", False),
    ("mixed", "Partly on the subject", False),
    ("leak_excess", "Leak beyond the control", True),
    ("arrival_noise", "Noise left when the colour is half there", False),
    ("stood_elsewhere", "Colour once stood elsewhere", False),
    ("stayed_elsewhere", "  and never left there", False),
    ("gap_seen_novel", "Gap: seen minus novel", True),
    ("gap_canonical_anti", "Gap: canonical minus anti-canonical", True),
)
#: More than this share of unjudged bindings is said before all else.
MOST_UNJUDGED = 0.05
#: Fewer cells than this give intervals that are not to be trusted far.
FEW_CELLS = 10


def headline(estimates: Sequence[Estimate]) -> list[tuple[str, bool, Estimate]]:
    """Words, whether it is a difference, and the estimate over the whole grid."""
    whole = {one.metric: one for one in estimates if one.group == "all"}
    return [(words, signed, whole[name]) for name, words, signed in HEADLINES if name in whole]


def warnings(manifest: Manifest, estimates: Sequence[Estimate], stored: int) -> list[str]:
    """Tell what a reader should know before the numbers."""
    found = []
    unjudged = next((e for e in estimates if e.group == "all" and e.metric == "unjudged"), None)
    if unjudged is not None and unjudged.value > MOST_UNJUDGED:
        found.append(
            f"{percent(unjudged.value)} of the bindings are unjudged, for want of evidence; "
            "the scores speak of the rest (docs/regions.md)"
        )
    if stored < manifest.images:
        found.append(
            f"incomplete: {stored:,} of {manifest.images:,} images; run the same `bench run` again"
        )
    elif not manifest.complete:
        found.append("not finished: run the same `bench run` again")
    if manifest.limit is not None:
        found.append("made with --limit: not comparable with other runs")
    if manifest.invalid:
        found.append(f"{manifest.invalid:,} images are invalid and left out of the scores")
    if manifest.control is not None and not manifest.control.get("passed", True):
        found.append("the scorers failed their control check: do not trust these scores")
    cells = max((one.cells for one in estimates if one.group == "all"), default=0)
    if cells < FEW_CELLS:
        found.append(f"only {cells} cells: the intervals say little")
    return found


def percent(value: float, signed: bool = False) -> str:
    """Return a share as ``71.3%``; a difference with its sign."""
    if math.isnan(value):
        return "not measured"
    return f"{100 * value:+.1f}%" if signed else f"{100 * value:.1f}%"


def interval(estimate: Estimate, signed: bool = False) -> str:
    """Return the interval in words."""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    sign = "+" if signed else ""
    return f"{100 * estimate.low:{sign}.1f} to {100 * estimate.high:{sign}.1f}"


def render(manifest: Manifest, estimates: Sequence[Estimate], stored: int) -> RenderableType:
    """Return the summary for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    table.add_column("images scored", justify="right")
    table.add_column("cells", justify="right")
    for words, signed, one in headline(estimates):
        table.add_row(
            Text(words, style="" if words.startswith(" ") else "bold"),
            percent(one.value, signed),
            interval(one, signed),
            f"{one.scored:,} of {one.images:,}",
            f"{one.cells:,}",
        )
    title = Text.assemble(
        (manifest.name, "bold"),
        f"  model {manifest.sampler.name}, grid {manifest.grid.name or '?'}, "
        f"{stored:,} of {manifest.images:,} images, "
        f"scorers {', '.join(manifest.scorers)} on {manifest.segmenter.name} regions",
    )
    lines = [
        Text(f"warning: {line}", style="yellow") for line in warnings(manifest, estimates, stored)
    ]
    return Group(title, *lines, Text(""), table)


def to_dict(manifest: Manifest, estimates: Sequence[Estimate], stored: int) -> dict[str, Any]:
    """Return the summary as plain values: the record of the run and every estimate."""
    return {
        "run": manifest.model_dump(mode="json"),
        "stored": stored,
        "warnings": warnings(manifest, estimates, stored),
        "estimates": [json_fields(one) for one in estimates],
    }


def to_json(manifest: Manifest, estimates: Sequence[Estimate], stored: int) -> str:
    """Return the summary as JSON."""
    return json.dumps(to_dict(manifest, estimates, stored), indent=1)


def to_csv(estimates: Sequence[Estimate]) -> str:
    """Every estimate as CSV; empty where there is no number."""
    file = io.StringIO()
    names = list(Estimate.__dataclass_fields__)
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(json_fields(one) for one in estimates)
    return file.getvalue()
