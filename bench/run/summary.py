"""The summary of a run, or of several: estimates in words for a terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.records import Estimate, json_fields
from bench.run.progress import counted
from bench.run.usage import model_doubts
from bench.statistics.labels import HEADLINES, KIND_LABELS, label_of, with_of_k
from bench.store.manifest import Manifest, uncertified
from bench.store.run import Run
from prompts.errors import printable
from prompts.tables import guarded

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.statistics.second_opinions import SecondOpinion

#: More than this share of unjudged bindings is said before all else.
MOST_UNJUDGED = 0.05
#: Fewer cells than this give intervals that are not to be trusted far.
FEW_CELLS = 10

#: Characters that a row of a table of several runs takes.
WIDTH = 140

#: Columns of a table of several runs: the metric and its group.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("binding_score", "all"),
    *(("binding_score", f"tag:{tag}") for tag in KIND_LABELS),
    ("binding_given_drawn", "all"),
    ("leakage_rate", "all"),
    ("leak_excess", "all"),
)


@dataclass(frozen=True)
class RunSummary:
    """What is known of a run without its pictures: its record, estimates, and stored images."""

    manifest: Manifest
    estimates: Sequence[Estimate]
    stored: int
    #: Stored images that lack regions or scores.
    unscored: int = 0
    opinions: Sequence[SecondOpinion] = ()

    def estimate(self, metric: str, group: str = "all") -> Estimate | None:
        """Return an estimate, None where it was not made."""
        wanted = (one for one in self.estimates if (one.metric, one.group) == (metric, group))
        return next(wanted, None)


def summary_of(run: Run) -> RunSummary:
    """Return what is known of a stored run; its estimates are made again where they are old."""
    from bench.run.derive import current_estimates
    from bench.statistics.second_opinions import second_opinions
    from bench.store.derived import read_verdicts

    images = run.ids("samples")
    whole = images.intersection(*(run.ids(table) for table in run.manifest.tables()[1:]))
    estimates = current_estimates(run)
    opinions = second_opinions(read_verdicts(run))
    return RunSummary(run.manifest, estimates, len(images), len(images) - len(whole), opinions)


def warnings(run: RunSummary) -> list[str]:
    """Tell what a reader should know before the numbers."""
    manifest, estimates, stored = run.manifest, run.estimates, run.stored
    found = []
    unjudged = next((e for e in estimates if e.group == "all" and e.metric == "unjudged"), None)
    if unjudged is not None and unjudged.value > MOST_UNJUDGED:
        found.append(
            f"{percent(unjudged.value)} of the bindings are unjudged: their subjects are "
            "not told from other things; the scores speak of the rest (docs/regions.md)"
        )
    if stored < manifest.images:
        found.append(
            f"incomplete: {stored:,} of {manifest.images:,} images; run the same `bench run` again"
        )
    elif run.unscored:
        found.append(
            f"{counted(run.unscored, 'image')} without all scores: run the same `bench run` again, "
            "which makes them from the stored pictures"
        )
    elif not manifest.complete:
        found.append("not finished: run the same `bench run` again")
    if manifest.limit is not None:
        found.append("made with --limit: not comparable with other runs")
    if manifest.invalid:
        found.append(
            f"{counted(manifest.invalid, 'image')} {'is' if manifest.invalid == 1 else 'are'} "
            "invalid and left out of the scores"
        )
    if manifest.control is not None and not manifest.control.get("passed", True):
        found.append("the scorers failed their control check: do not trust these scores")
    found += model_doubts(manifest)
    if doubt := uncertified(manifest, estimates):
        found.append(doubt)
    cells = max((one.cells for one in estimates if one.group == "all"), default=0)
    if cells < FEW_CELLS:
        found.append(f"only {counted(cells, 'cell')}: the intervals say little")
    return found


def opinion_lines(run: RunSummary) -> list[str]:
    """Tell how far each second opinion goes with the verdicts."""
    found = []
    for one in run.opinions:
        kappa = "not defined" if math.isnan(one.kappa) else f"{one.kappa:.2f}"
        line = (
            f"{one.scorer} and the verdicts disagree on {counted(one.images, 'image')}: "
            f"{one.disagree:,} of {counted(one.bindings, 'binding')}, kappa {kappa}"
        )
        if not math.isnan(one.product):
            line += f"; its mean product over the bindings of an image is {one.product:.4f}"
        found.append(line)
    if any(one.disagree for one in run.opinions):
        found.append("the images: `bench show RUN --disagreements`")
    return found


def percent(value: float, signed: bool = False) -> str:
    """Return a share as ``71.3%``; a difference with its sign."""
    if math.isnan(value):
        return "not measured"
    return f"{100 * value:+.1f}%" if signed else f"{100 * value:.1f}%"


def interval(low: float | None, high: float | None, signed: bool = False) -> str:
    """Return an interval in words."""
    if low is None or high is None:
        return "none"
    sign = "+" if signed else ""
    return f"{100 * low:{sign}.1f} to {100 * high:{sign}.1f}"


def render(run: RunSummary) -> RenderableType:
    """Return the summary for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in ("value", "this list", "like these", "scored", "cells"):
        table.add_column(name, justify="right")
    manifest = run.manifest
    metrics = with_of_k(HEADLINES, (one.metric for one in run.estimates))
    rows = [(metric, "all", label_of(metric).label) for metric in metrics]
    # Singles, scenes and pairs apart, below the score of all of them.
    rows[1:1] = [("binding_score", f"tag:{tag}", f"  {name}") for tag, name in KIND_LABELS.items()]
    for metric, group, words in rows:
        one = run.estimate(metric, group)
        if one is None:
            continue
        label = label_of(metric)
        words = f"  {words[:1].lower()}{words[1:]}" if label.part_of else words
        table.add_row(
            Text(words, style="" if words.startswith(" ") else "bold"),
            percent(one.value, label.signed),
            interval(one.low, one.high, label.signed),
            interval(one.population_low, one.population_high, label.signed),
            f"{one.scored:,} of {one.images:,}",
            f"{one.cells:,}",
        )
    title = Text.assemble(
        (printable(manifest.name), "bold"),
        f"  model {printable(manifest.sampler.name)}, grid {manifest.grid.name or '?'}, "
        f"{run.stored:,} of {manifest.images:,} images, "
        f"scorers {', '.join(manifest.scorers)} on {manifest.segmenter.name} regions",
    )
    lines = [Text(f"warning: {line}", style="yellow") for line in warnings(run)]
    note = Text("95% intervals: of this list of prompts, and of prompts like these", style="dim")
    opinions = [Text(line) for line in opinion_lines(run)]
    return Group(title, *lines, Text(""), table, Text(""), *opinions, note)


def render_several(runs: Sequence[RunSummary]) -> RenderableType:
    """Return a table of several runs for a terminal: a row a run, each value with its interval."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown = [
        (metric, group)
        for metric, group in COLUMNS
        if any(run.estimate(metric, group) for run in runs)
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("run", no_wrap=True)
    for metric, group in shown:
        kind = KIND_LABELS.get(group.removeprefix("tag:"))
        table.add_column(kind or label_of(metric).label, justify="right")
    table.add_column("images scored", justify="right")
    lines = []
    for run in runs:
        cells = []
        for metric, group in shown:
            one = run.estimate(metric, group)
            signed = label_of(metric).signed
            cells.append(
                Text("-")
                if one is None
                else Text(f"{percent(one.value, signed)}\n{interval(one.low, one.high, signed)}")
            )
        score = run.estimate("binding_score")
        scored = "-" if score is None else f"{score.scored:,} of {score.images:,}"
        table.add_row(Text(printable(run.manifest.name), style="bold"), *cells, scored)
        lines += [
            Text(f"warning: {printable(run.manifest.name)}: {line}", style="yellow")
            for line in warnings(run)
        ]
    return Group(*lines, table, Text("\nBelow each value its 95% interval.", style="dim"))


def to_dict(run: RunSummary) -> dict[str, Any]:
    """Return the summary as plain values: the record of the run and every estimate."""
    return {
        "run": run.manifest.model_dump(mode="json"),
        "stored": run.stored,
        "warnings": warnings(run),
        "second_opinions": [json_fields(one) for one in run.opinions],
        "estimates": [json_fields(one) for one in run.estimates],
    }


def to_csv(estimates: Sequence[Estimate], run: str | None = None) -> str:
    """Every estimate as CSV; empty where there is no number.

    With the name of a run it stands in a first column.
    """
    file = io.StringIO()
    names = list(Estimate.__dataclass_fields__)
    head = {} if run is None else {"run": guarded(run)}
    writer = csv.DictWriter(file, [*head, *names], lineterminator="\n")
    writer.writeheader()
    writer.writerows(head | json_fields(one) for one in estimates)
    return file.getvalue()


def disagreements_csv(run: Run) -> str:
    """Return the bindings on which a second opinion and the verdict differ, as CSV."""
    from bench.run.derive import current_estimates
    from bench.statistics.second_opinions import disagreements_of
    from bench.store.derived import read_verdicts

    current_estimates(run)
    listed = disagreements_of(read_verdicts(run))
    for column in ("scorer", "colour", "subject", "words"):
        listed[column] = listed[column].map(guarded)
    return str(listed.to_csv(index=False, lineterminator="\n"))
