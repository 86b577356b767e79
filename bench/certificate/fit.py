"""The constants of the judge, fitted jointly on rendered, photoreal and labelled pictures.

Two parts, each with what every choice costs: `fit_table`, the thresholds at which ``bound`` and
``mixed`` part, from what was measured once; and `fit_surfaces`, the constants of local light and of
two paints, for which every picture is measured anew. Labelled pictures are those with a mask by
hand; half of their sources, by the hash of the name, are fitted on, the other half is only
reported. ``python -m bench.cli.fit`` runs both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from bench.certificate.conditions import SET_SEED, TRIALS
from bench.certificate.labelled import (
    LabelledQuestion,
    Loaded,
    measure_labelled,
    summarise_questions,
)
from bench.certificate.photoreal import photoreal_batches
from bench.certificate.report import Measured, judge_measured, measure_known
from bench.certificate.scenes import Answer
from bench.certificate.summary import summarise
from bench.judge.local_light import DEFAULT as LOCAL_LIGHT
from bench.judge.local_light import LocalLight
from bench.judge.paints import VALLEY
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import DEFAULT, Thresholds

BOUNDS = (0.3, 0.34, 0.38, 0.42, 0.5)
MARGINS = (0.1, 0.14, 0.18, 0.22, 0.26)
#: Kinds of known pictures, and their trials; photoreal scenes are those of a folder.
KINDS: dict[str, tuple[str, ...]] = {
    "rendered": ("plain, 64 px", "dim and bright light", "JPEG quality 75", "clutter", "256 px"),
    "composites": ("icons on photographs, 256 px",),
}
#: Values that are tried of each constant of surfaces.
LIGHT_GRID: dict[str, tuple[Any, ...]] = {
    "taken": (0.2, 0.3, 0.4, 0.5),
    "most_taken": (8.0, 12.0, 16.0, 20.0),
    "pale": ((10.0, 18.0), (16.0, 24.0), (22.0, 30.0)),
    "neutral": ((4.0, 9.0), (6.0, 11.0), (8.0, 14.0), (11.0, 17.0)),
    "black": (0.28, 0.32, 0.36, 0.4),
    "white": (0.74, 0.78, 0.82),
}
VALLEYS = ((0.05, 0.5), (0.15, 0.45), (0.15, 0.6), (0.15, 0.8), (0.3, 0.6))


@dataclass(frozen=True, slots=True, eq=False)
class FitSet:
    """What constants are fitted on: known scenes by kind, and labelled pictures."""

    known: Mapping[str, Sequence[Answer]]
    labelled: Sequence[Loaded] = ()


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The constants of surfaces together."""

    light: LocalLight = field(default_factory=lambda: LOCAL_LIGHT)
    valley: tuple[float, float] = VALLEY


def fit_set(scenes: int, photoreal: Path | None, labelled: Sequence[Loaded] = ()) -> FitSet:
    """Known pictures of every kind, on the seeds that constants are set on.

    Parameters
    ----------
    scenes : int
        Of a trial of the rendered world.
    photoreal : Path or None
        A folder of training scenes of `reference_models.photoreal`, of which as many are taken.
    labelled : sequence of Loaded
    """
    known: dict[str, list[Answer]] = {}
    for kind, titles in KINDS.items():
        rows = known.setdefault(kind, [])
        for number, title in enumerate(titles):
            for answers in TRIALS[title].batches(TRIALS[title].count(scenes), SET_SEED + number):
                rows += answers
    if photoreal is not None:
        known["photoreal"] = [a for b in photoreal_batches(scenes, folder=photoreal) for a in b]
    return FitSet(known, [one for one in labelled if one[2]])


def is_fitted(source: str) -> bool:
    """Whether labelled pictures of a source are fitted on; the others are only reported."""
    return hashlib.sha256(source.encode()).digest()[-1] % 2 == 1


def measure(
    pictures: FitSet, surfaces: Surfaces
) -> tuple[dict[str, list[Measured]], list[LabelledQuestion]]:
    """Measure all of them with exact masks, or those by hand."""
    scorer = SegmentationScorer(local_light=surfaces.light, valley=surfaces.valley)
    known = {kind: measure_known(answers, None, scorer) for kind, answers in pictures.known.items()}
    return known, measure_labelled(pictures.labelled, scorer, None)


def row_of(
    thresholds: Thresholds,
    known: Mapping[str, Sequence[Measured]],
    labelled: Sequence[LabelledQuestion],
) -> dict[str, Any]:
    """Macro-F1 and recall of ``mixed`` by kind, and balanced accuracy of either half.

    ``worst`` is the least and ``mean`` the mean of the macro-F1 and of the fitted half.
    """
    row: dict[str, Any] = {}
    for kind, measured in known.items():
        found = summarise(judge_measured(measured, thresholds), "exact")
        row[f"{kind}_macro_f1"] = round(found["macro_f1"], 4)
        row[f"{kind}_mixed_recall"] = round(found["recall_by_verdict"]["mixed"], 4)
    for part, fitted in (("fitted", True), ("reported", False)):
        asked = [one.judged(thresholds) for one in labelled if is_fitted(one.source) == fitted]
        row[f"labelled_{part}"] = summarise_questions(asked)["balanced_accuracy"]
    values = [value for key, value in row.items() if key.endswith("_f1") or key.endswith("fitted")]
    counted = [value for value in values if value is not None]
    row["worst"], row["mean"] = min(counted), sum(counted) / len(counted)
    return row


def fit_table(pictures: FitSet) -> list[dict[str, Any]]:
    """A row for each pair of ``bound`` and ``margin``, that whose worst kind is best first."""
    known, labelled = measure(pictures, Surfaces())
    rows = []
    for bound, margin in product(BOUNDS, MARGINS):
        chosen = replace(DEFAULT, bound=bound, margin=margin)
        rows.append({"bound": bound, "margin": margin, **row_of(chosen, known, labelled)})
    return sorted(rows, key=lambda row: (-row["worst"], -row["mean"]))


def _tried() -> Iterator[tuple[str, Callable[[Surfaces], list[Surfaces]]]]:
    for name, values in LIGHT_GRID.items():
        yield (
            name,
            lambda now, name=name, values=values: [  # type: ignore[misc]
                replace(now, light=replace(now.light, **{name: value})) for value in values
            ],
        )
    yield "valley", lambda now: [replace(now, valley=valley) for valley in VALLEYS]


def fit_surfaces(
    pictures: FitSet,
    rounds: int = 2,
    only: Sequence[str] = (),
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> tuple[Surfaces, list[dict[str, Any]]]:
    """Coordinate search: each constant in turn, or ``only`` some, takes the value of the best mean.

    Returns
    -------
    Surfaces
    list of dict
        Every choice that was tried, in order, with what it costs.
    """
    best, seen = Surfaces(), {}
    rows: list[dict[str, Any]] = []

    def tried(one: Surfaces) -> float:
        if one not in seen:
            row: dict[str, Any] = {"light": one.light, "valley": one.valley}
            row |= row_of(DEFAULT, *measure(pictures, one))
            rows.append(row)
            report(row)
            seen[one] = float(row["mean"])
        return seen[one]

    for _ in range(rounds):
        before = best
        for name, choices in _tried():
            if only and name not in only:
                continue
            best = max([best, *choices(best)], key=tried)
        if best == before:
            break
    return best, rows
