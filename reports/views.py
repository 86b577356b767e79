"""What the templates are given: each run as a view, and each later run against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.certificate import Certificate, read_certificate
from reports.changes import Change, Shift, changed_cells, shifts
from reports.differences import Difference, differences, moved
from reports.headline import Headline, headlines
from reports.highlights import Glance, glance
from reports.lent import Interval
from reports.provenance import described, facts
from reports.reading import Run
from reports.tabulation import (
    ExcessRow,
    ObservedRow,
    PlaceRow,
    excesses,
    observed,
    places,
    verdict_counts,
)
from reports.trajectory import Forming, forming, measured_steps
from reports.warnings import Caution, cautions


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One run as the page tells it."""

    label: str
    letter: str
    run: Run
    described: str
    headline: dict[str, Headline]
    cautions: list[Caution]
    certificate: Certificate
    glance: Glance
    counts: dict[str, int]
    judged: int
    places: list[PlaceRow]
    observed_columns: tuple[str, ...]
    observed: list[ObservedRow]
    excess: list[ExcessRow]
    facts: list[tuple[str, str]]
    steps: pd.DataFrame
    forming: Forming | None


@dataclass(frozen=True, slots=True, eq=False)
class Versus:
    """A later run against the first.

    Attributes
    ----------
    number : int
        Of the run, from 1.
    label, letter : str
    differences, moved : list of Difference
    lost, gained : list of Change
    shifts : list of Shift
    """

    number: int
    label: str
    letter: str
    differences: list[Difference]
    moved: list[Difference]
    lost: list[Change]
    gained: list[Change]
    shifts: list[Shift]


def letter_of(number: int) -> str:
    """Return the letter that stands for a run."""
    return chr(ord("A") + number % 26)


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Distinct names for the runs."""
    labels: list[str] = []
    for run in runs:
        label, number = run.name, 2
        while label in labels:
            label, number = f"{run.name} ({number})", number + 1
        labels.append(label)
    return labels


def view_of(run: Run, label: str, number: int, certificate: Mapping[str, Any] | None) -> View:
    """Gather what the page tells of one run."""
    columns, matrix = observed(run)
    read = read_certificate(run.record, certificate)
    steps = measured_steps(run)
    return View(
        label,
        letter_of(number),
        run,
        described(run),
        headlines(run),
        cautions(run, read),
        read,
        glance(run),
        verdict_counts(run),
        len(run.verdicts),
        places(run),
        columns,
        matrix,
        excesses(run),
        facts(run),
        steps,
        forming(run, steps),
    )


def versus_of(
    items: pd.DataFrame,
    labels: Sequence[str],
    texts: dict[str, str],
    number: int,
    interval: Interval,
) -> Versus:
    """Gather what the page tells of a run against the first."""
    lost, gained = changed_cells(items, texts, 0, number)
    return Versus(
        number,
        labels[number],
        letter_of(number),
        differences(items, 0, number, interval),
        moved(items, 0, number, interval),
        lost,
        gained,
        shifts(items, 0, number),
    )
