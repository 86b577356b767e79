"""The constants of the judge, fitted jointly on rendered, photoreal and labelled pictures.

Two parts, each with what every choice costs: `fit_table`, the thresholds at which ``bound`` and
``mixed`` part, from what was measured once; and `fit_surfaces`, the constants of local light and of
two paints, for which every picture is measured anew. Labelled pictures are those with a mask by
hand; half of their sources, by the hash of the name, are fitted on, the other half is only
reported. ``python -m bench.cli.fit`` runs both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from bench.certificate.photoreal import scenes as photoreal_scenes
from bench.certificate.report import Measured, judge_measured, measure_known
from bench.certificate.scenes import Answer
from bench.certificate.summary import summarise
from bench.judge.local_light import DEFAULT as LOCAL_LIGHT
from bench.judge.local_light import LocalLight
from bench.judge.paints import DEFAULT as PAINT_MODEL
from bench.judge.paints import PaintModel
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import DEFAULT, Thresholds
from bench.judge.white_balance import MOST_GAIN

#: Values that are tried of each threshold, all pairs.
THRESHOLD_GRID: dict[str, tuple[float, ...]] = {
    "bound": (0.3, 0.34, 0.38, 0.42),
    "margin": (0.14, 0.18, 0.22, 0.26),
    "mixed": (0.18, 0.2, 0.22, 0.26),
    "swapped": (0.34, 0.4, 0.5),
}
#: Kinds of known pictures, and their trials; photoreal scenes are those of a folder.
KINDS: dict[str, tuple[str, ...]] = {
    "rendered": ("plain, 64 px", "dim and bright light", "JPEG quality 75", "clutter", "256 px"),
    "composites": ("icons on photographs, 256 px",),
}
#: Values that are tried of each constant of surfaces; the names are those of `Surfaces` and of the
#: classes that it holds.
SURFACE_GRID: dict[str, tuple[Any, ...]] = {
    "taken": (0.2, 0.3, 0.4, 0.5),
    "most_taken": (8.0, 12.0, 16.0, 20.0),
    "pale": ((10.0, 18.0), (16.0, 24.0), (22.0, 30.0)),
    "neutral": ((4.0, 9.0), (6.0, 11.0), (8.0, 14.0), (11.0, 17.0)),
    "black": (0.28, 0.32, 0.36, 0.4),
    "white": (0.74, 0.78, 0.82),
    "valley": ((0.05, 0.5), (0.15, 0.45), (0.15, 0.6), (0.15, 0.8), (0.3, 0.6)),
    "edge": (0.25, 0.35, 0.5, 9.0),
    "most_shade": (1.0, 1.5, 2.0, 3.0),
    "more_chroma": (5.0, 10.0, 20.0),
    "most_gain": (1.2, 1.4, 1.7, 2.6),
}


@dataclass(frozen=True, slots=True, eq=False)
class FitSet:
    """What constants are fitted on: known scenes by kind, and labelled pictures."""

    known: Mapping[str, Sequence[Answer]]
    labelled: Sequence[Loaded] = ()


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The constants of surfaces together."""

    light: LocalLight = field(default_factory=lambda: LOCAL_LIGHT)
    paints: PaintModel = PAINT_MODEL
    most_gain: float = MOST_GAIN


def fit_set(
    scenes: int,
    photoreal: Sequence[Path],
    labelled: Sequence[Loaded] = (),
    kinds: Sequence[str] = tuple(KINDS),
) -> FitSet:
    """Known pictures of every kind, on the seeds that constants are set on.

    Parameters
    ----------
    scenes : int
        Of a trial of the rendered world.
    photoreal : sequence of Path
        Folders of training scenes of `reference_models.photoreal`; all are taken.
    labelled : sequence of Loaded
    kinds : sequence of str
        Of `KINDS`.
    """
    known: dict[str, list[Answer]] = {}
    for kind in kinds:
        rows = known.setdefault(kind, [])
        for number, title in enumerate(KINDS[kind]):
            for answers in TRIALS[title].batches(TRIALS[title].count(scenes), SET_SEED + number):
                rows += answers
    if photoreal:
        known["photoreal"] = [
            answer
            for folder in photoreal
            for answers in photoreal_batches(len(photoreal_scenes(folder)), folder=folder)
            for answer in answers
        ]
    return FitSet(known, [one for one in labelled if one[2]])


def is_fitted(source: str) -> bool:
    """Whether labelled pictures of a source are fitted on; the others are only reported."""
    return hashlib.sha256(source.encode()).digest()[-1] % 2 == 1


def measure(
    pictures: FitSet, surfaces: Surfaces
) -> tuple[dict[str, list[Measured]], list[LabelledQuestion]]:
    """Measure all of them with exact masks, or those by hand."""
    scorer = SegmentationScorer(
        local_light=surfaces.light, paint_model=surfaces.paints, most_gain=surfaces.most_gain
    )
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
    """A row for each choice of `THRESHOLD_GRID`, that of the best mean first."""
    known, labelled = measure(pictures, Surfaces())
    rows = []
    for values in product(*THRESHOLD_GRID.values()):
        chosen = dict(zip(THRESHOLD_GRID, values, strict=True))
        rows.append({**chosen, **row_of(replace(DEFAULT, **chosen), known, labelled)})
    return sorted(rows, key=lambda row: (-row["mean"], -row["worst"]))


def choices(now: Surfaces, name: str) -> list[Surfaces]:
    """The constants with each value of one of them."""
    values = SURFACE_GRID[name]
    for part in ("light", "paints"):
        if hasattr(getattr(now, part), name):
            held = getattr(now, part)
            return [replace(now, **{part: replace(held, **{name: value})}) for value in values]
    return [replace(now, **{name: value}) for value in values]


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
            row: dict[str, Any] = {"surfaces": one}
            row |= row_of(DEFAULT, *measure(pictures, one))
            rows.append(row)
            report(row)
            seen[one] = float(row["mean"])
        return seen[one]

    for _ in range(rounds):
        before = best
        for name in only or SURFACE_GRID:
            best = max([best, *choices(best, name)], key=tried)
        if best == before:
            break
    return best, rows
