"""What the templates are given: each run as a view, and each later run against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.about import command, described, facts
from reports.certificate import Certificate, read_certificate
from reports.comparison import (
    CellChange,
    ComparedMetric,
    VerdictShift,
    changed_cells,
    compared,
    moved,
    reach,
    shifts,
    whole,
)
from reports.headline import Headline, Highlights, by_kind, headlines, highlights, judged_of
from reports.reading import RunTables
from reports.tabulation import (
    DestinationRow,
    ExcessRow,
    ObservedRow,
    destinations,
    excesses,
    observed,
    unjudged_reasons,
    verdict_counts,
)
from reports.trajectory import Forming, forming, measured_steps
from reports.warnings import Caution, run_warnings

#: With more runs than this a page compares their scores alone, and shows no run in full unless
#: it is asked to.
IN_FULL = 4


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One run as the page tells it.

    Attributes
    ----------
    judged : tuple of int
        Bindings judged, of how many.
    reasons : list of (str, int)
        Why the others were not.
    kinds : list of (str, str, Headline)
        Tag, name and binding score of singles, scenes and pairs.
    """

    label: str
    letter: str
    run: RunTables
    described: str
    command: str
    headline: dict[str, Headline]
    kinds: list[tuple[str, str, Headline]]
    cautions: list[Caution]
    certificate: Certificate
    highlights: Highlights
    counts: dict[str, int]
    judged: tuple[int, int]
    reasons: list[tuple[str, int]]
    destinations: list[DestinationRow]
    observed_columns: tuple[str, ...]
    observed: list[ObservedRow]
    excess: list[ExcessRow]
    facts: list[tuple[str, list[tuple[str, str]]]]
    steps: pd.DataFrame
    forming: Forming | None

    @property
    def by_tag(self) -> dict[str, Headline]:
        """Binding score of each kind of prompt, by its tag."""
        return {tag: found for tag, _, found in self.kinds}


@dataclass(frozen=True, slots=True, eq=False)
class Versus:
    """A later run against the first.

    Attributes
    ----------
    number : int
        Of the run, from 1.
    label, letter : str
    compared, moved : list of ComparedMetric
        Over the whole grid, the binding score first; and the colours and subjects that moved most.
    reach : float
        Half width of the axis of their chart.
    lost, gained : list of CellChange
    shifts : list of VerdictShift
    """

    number: int
    label: str
    letter: str
    compared: list[ComparedMetric]
    moved: list[ComparedMetric]
    reach: float
    lost: list[CellChange]
    gained: list[CellChange]
    shifts: list[VerdictShift]


def letter_of(number: int) -> str:
    """Return the letters that stand for a run: A to Z, then AA, AB and so on."""
    head = letter_of(number // 26 - 1) if number >= 26 else ""
    return head + chr(ord("A") + number % 26)


def run_labels(runs: Sequence[RunTables]) -> list[str]:
    """Distinct names for the runs."""
    labels: list[str] = []
    for run in runs:
        label, number = run.name, 2
        while label in labels:
            label, number = f"{run.name} ({number})", number + 1
        labels.append(label)
    return labels


def view_of(run: RunTables, label: str, number: int, certificate: Mapping[str, Any] | None) -> View:
    """Gather what the page tells of one run."""
    columns, matrix = observed(run)
    read = read_certificate(run.record, certificate)
    steps = measured_steps(run)
    return View(
        label=label,
        letter=letter_of(number),
        run=run,
        described=described(run),
        command=command(run),
        headline=headlines(run),
        kinds=by_kind(run),
        cautions=run_warnings(run, read),
        certificate=read,
        highlights=highlights(run),
        counts=verdict_counts(run),
        judged=judged_of(run),
        reasons=unjudged_reasons(run),
        destinations=destinations(run),
        observed_columns=columns,
        observed=matrix,
        excess=excesses(run),
        facts=facts(run),
        steps=steps,
        forming=forming(run, steps),
    )


def versus_of(
    runs: Sequence[RunTables],
    items: pd.DataFrame,
    labels: Sequence[str],
    texts: Mapping[str, str],
    number: int,
) -> Versus:
    """Gather what the page tells of a run against the first."""
    in_full = len(runs) <= IN_FULL
    found = compared(runs[0], runs[number], slices=in_full)
    lost, gained = changed_cells(items, texts, 0, number) if in_full else ([], [])
    return Versus(
        number,
        labels[number],
        letter_of(number),
        whole(found),
        moved(found),
        reach(whole(found)),
        lost,
        gained,
        shifts(items, 0, number) if in_full else [],
    )
