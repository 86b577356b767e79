"""A later run against the first: the gate's comparisons, and which cells and verdicts changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.errors import NotComparableError
from bench.records import VERDICTS, Comparison
from bench.statistics.compare import PRIMARY, compare, pair
from bench.statistics.labels import label_of
from bench.statistics.outcomes import LOWER_IS_BETTER
from reports.labels import JUDGED, verdict_words
from reports.reading import RunTables

#: Level of the tests and intervals.
ALPHA = 0.05

#: Colours and subjects told, of those that moved most.
MOVED = 6

#: Cells told of each direction, and pictures shown of a cell.
CELLS, PICTURES = 6, 2


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """A comparison of the gate as the page tells it.

    Attributes
    ----------
    comparison : Comparison
        Its ``p`` is corrected for the number of slices (Holm) but for the primary score.
    label : str
    kind, key : str
        ``colour`` or ``subject`` and which, where it is of one; else empty.
    reading : str
        What it says, in a few words.
    """

    comparison: Comparison
    label: str
    kind: str
    key: str
    reading: str

    @property
    def clear(self) -> bool:
        """Whether the change is significant."""
        return self.reading in ("better", "worse")


def compared(before: RunTables, after: RunTables, slices: bool = True) -> list[ComparedMetric]:
    """Compare two runs as the gate does; without a cell in common there is nothing to tell.

    Parameters
    ----------
    before, after : RunTables
    slices : bool
        Also the other metrics, and the score of each colour and subject.
    """
    try:
        found = compare(pair(before.verdicts, after.verdicts), alpha=ALPHA, slices=slices)
    except NotComparableError:
        return []
    family = max(1, len(found) - 1)
    return [_compared(one, 1 if one is found[0] else family) for one in found]


def _compared(one: Comparison, family: int) -> ComparedMetric:
    kind, _, key = one.group.partition(":")
    label = label_of(one.metric).label if one.group == "all" else key
    return ComparedMetric(one, label, kind if key else "", key, _reading(one, family))


def _reading(one: Comparison, family: int) -> str:
    """Say what a comparison shows; ``family`` is how many share its level.

    C cells that all change one way do so by chance once in ``2 ** (C - 1)``: with fewer cells than
    that takes, no change of a group can be significant.
    """
    if one.p <= ALPHA and one.difference:
        return "better" if (one.difference > 0) != (one.metric in LOWER_IS_BETTER) else "worse"
    needed = int(np.ceil(1 + np.log2(family / ALPHA)))
    if one.cells < needed:
        return f"too few cells: {one.cells}, {needed} needed"
    return "no clear difference"


def whole(found: Sequence[ComparedMetric]) -> list[ComparedMetric]:
    """Return the comparisons over the whole grid."""
    return [one for one in found if one.comparison.group == "all"]


def moved(found: Sequence[ComparedMetric]) -> list[ComparedMetric]:
    """Colours and subjects whose binding score moved most, losses first."""
    changed = [
        one
        for one in found
        if one.kind in ("colour", "subject")
        and one.comparison.metric == PRIMARY
        and one.comparison.difference
    ]
    changed.sort(key=lambda one: (not one.clear, -abs(one.comparison.difference), one.key))
    return sorted(changed[:MOVED], key=lambda one: (one.comparison.difference, one.key))


def reach(found: Sequence[ComparedMetric]) -> float:
    """Half width of an axis that holds every difference and interval: 0.05 to 1."""
    ends = [
        abs(value)
        for one in found
        for value in (one.comparison.difference, one.comparison.low, one.comparison.high)
        if value is not None
    ]
    return nice_reach(max(ends, default=0.0))


def nice_reach(most: float) -> float:
    """Return the least round number that is no less than ``most``, at most 1."""
    return next((round_end for round_end in (0.05, 0.1, 0.2, 0.5) if most <= round_end), 1.0)


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that lost or gained bound judgements.

    Attributes
    ----------
    cell_id, text : str
    before, after, judged : int
        Judgements bound in either run, of how many that both runs have.
    became : str
        What the lost ones became, or what the gained ones were before: ``2 spilled, 1 absent``.
    keys : tuple of (cell id, index, binding)
        Judgements to show, those that changed.
    """

    cell_id: str
    text: str
    before: int
    after: int
    judged: int
    became: str
    keys: tuple[tuple[str, int, int], ...]

    @property
    def loss(self) -> int:
        """Judgements lost; negative where some were gained."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class VerdictShift:
    """How many judgements went from one verdict to another."""

    before: str
    after: str
    count: int


def changed_cells(
    items: pd.DataFrame, texts: Mapping[str, str], before: int, after: int
) -> tuple[list[CellChange], list[CellChange]]:
    """Cells that lost most, and cells that gained most, the greatest change first.

    Parameters
    ----------
    items : DataFrame
        From `reports.payload.all_items`.
    texts : mapping
        Prompt of each cell id.
    before, after : int
        Numbers of the runs.
    """
    paired = _judged_in_both(items, before, after)
    sums = paired.groupby("cell_id", sort=True).agg(
        before=("was", "sum"), after=("now", "sum"), judged=("was", "size")
    )
    sums["loss"] = sums["before"] - sums["after"]
    sums["share"] = sums["loss"] / sums["judged"]
    lost = sums[sums["loss"] > 0].sort_values(["loss", "share"], ascending=False, kind="stable")
    gained = sums[sums["loss"] < 0].sort_values(["loss", "share"], kind="stable")
    sides = ((lost, True), (gained, False))
    found = [
        [_change(paired, str(cell), row, texts, fell) for cell, row in side.head(CELLS).iterrows()]
        for side, fell in sides
    ]
    return found[0], found[1]


def shifts(items: pd.DataFrame, before: int, after: int) -> list[VerdictShift]:
    """Pairs of verdicts that differ, the commonest first."""
    paired = _judged_in_both(items, before, after)
    rows = paired[paired["left"] != paired["right"]]
    counts = rows.groupby(["left", "right"], sort=False).size()
    found = [VerdictShift(str(left), str(right), int(n)) for (left, right), n in counts.items()]
    return sorted(found, key=lambda one: (-one.count, _rank(one.before), _rank(one.after)))


def _rank(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)


def _judged_in_both(items: pd.DataFrame, before: int, after: int) -> pd.DataFrame:
    left, right = items[f"verdict_{before}"], items[f"verdict_{after}"]
    both = left.isin(JUDGED) & right.isin(JUDGED)
    frame = items.loc[both, ["cell_id", "index", "binding"]].copy()
    frame["left"], frame["right"] = left[both].astype(str), right[both].astype(str)
    frame["was"], frame["now"] = frame["left"] == "bound", frame["right"] == "bound"
    return frame


def _change(
    paired: pd.DataFrame, cell: str, row: pd.Series, texts: Mapping[str, str], lost: bool
) -> CellChange:
    rows = paired[paired["cell_id"] == cell]
    turned = rows[rows["was"] & ~rows["now"]] if lost else rows[rows["now"] & ~rows["was"]]
    counts = (turned["right"] if lost else turned["left"]).value_counts()
    order = sorted(counts.index, key=lambda name: (-int(counts[name]), _rank(name)))
    shown = turned.head(PICTURES)
    return CellChange(
        cell,
        texts.get(cell, cell),
        int(row["before"]),
        int(row["after"]),
        int(row["judged"]),
        ", ".join(f"{int(counts[name])} {verdict_words(name).label.lower()}" for name in order),
        tuple(
            (str(c), int(i), int(b))
            for c, i, b in zip(shown["cell_id"], shown["index"], shown["binding"], strict=True)
        ),
    )
