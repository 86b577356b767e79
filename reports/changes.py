"""Which cells changed between two runs, and from what verdict to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bench.records import NOT_JUDGED, VERDICTS

#: Cells told of each direction.
MOST = 6

#: Pictures shown of a cell.
PICTURES = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that lost or gained bound judgements.

    Attributes
    ----------
    cell_id, text : str
    before, after, judged : int
        Judgements bound in either run, of how many that both runs have.
    became : str
        What the lost ones became, or what the gained ones were before: ``2 mixed, 1 absent``.
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
class Shift:
    """How many judgements went from one verdict to another."""

    before: str
    after: str
    count: int


def changed_cells(
    items: pd.DataFrame, texts: dict[str, str], before: int, after: int
) -> tuple[list[Change], list[Change]]:
    """Cells that lost most, and cells that gained most, the greatest change first.

    Parameters
    ----------
    items : DataFrame
        From `reports.payload.all_items`.
    texts : dict
        Prompt of each cell id.
    before, after : int
        Numbers of the runs.
    """
    paired = _changed(items, before, after)
    sums = paired.groupby("cell_id", sort=True).agg(
        before=("was", "sum"), after=("now", "sum"), judged=("was", "size")
    )
    sums["loss"] = sums["before"] - sums["after"]
    sums["share"] = sums["loss"] / sums["judged"]
    lost = sums[sums["loss"] > 0].sort_values(["loss", "share"], ascending=False, kind="stable")
    gained = sums[sums["loss"] < 0].sort_values(["loss", "share"], kind="stable")
    return (
        [_change(paired, str(cell), row, texts, True) for cell, row in lost.head(MOST).iterrows()],
        [
            _change(paired, str(cell), row, texts, False)
            for cell, row in gained.head(MOST).iterrows()
        ],
    )


def shifts(items: pd.DataFrame, before: int, after: int) -> list[Shift]:
    """Pairs of verdicts that differ, the commonest first."""
    paired = _changed(items, before, after)
    rows = paired[paired["left"] != paired["right"]]
    counts = rows.groupby(["left", "right"], sort=False).size()
    order = {name: number for number, name in enumerate(VERDICTS)}
    found = [Shift(str(left), str(right), int(n)) for (left, right), n in counts.items()]
    return sorted(found, key=lambda one: (-one.count, order[one.before], order[one.after]))


def shown_first(sides: Sequence[tuple[list[Change], list[Change]]]) -> list[tuple[str, int]]:
    """Pictures that the lists of changed cells show: (cell id, index)."""
    keys = [
        key[:2] for side in sides for changes in side for change in changes for key in change.keys
    ]
    return list(dict.fromkeys(keys))


def _changed(items: pd.DataFrame, before: int, after: int) -> pd.DataFrame:
    left, right = items[f"verdict_{before}"], items[f"verdict_{after}"]
    both = left.notna() & right.notna() & ~left.isin(NOT_JUDGED) & ~right.isin(NOT_JUDGED)
    frame = items.loc[both, ["cell_id", "index", "binding"]].copy()
    frame["left"], frame["right"] = left[both].astype(str), right[both].astype(str)
    frame["was"], frame["now"] = frame["left"] == "bound", frame["right"] == "bound"
    return frame


def _change(
    paired: pd.DataFrame, cell: str, row: pd.Series, texts: dict[str, str], lost: bool
) -> Change:
    rows = paired[paired["cell_id"] == cell]
    turned = rows[rows["was"] & ~rows["now"]] if lost else rows[rows["now"] & ~rows["was"]]
    others = turned["right"] if lost else turned["left"]
    counts = others.value_counts()
    order = sorted(counts.index, key=lambda name: (-int(counts[name]), VERDICTS.index(name)))
    shown = turned.head(PICTURES)
    return Change(
        cell,
        texts.get(cell, cell),
        int(row["before"]),
        int(row["after"]),
        int(row["judged"]),
        ", ".join(f"{int(counts[name])} {name}" for name in order),
        tuple(
            (str(c), int(i), int(b))
            for c, i, b in zip(shown["cell_id"], shown["index"], shown["binding"], strict=True)
        ),
    )
