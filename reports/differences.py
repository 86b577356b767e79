"""Differences between two runs in the rates of the page, with paired intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from reports.labels import RATES, Rate
from reports.lent import Interval, no_interval

LEVEL = 0.95

#: Colours and subjects told, of those that moved most.
MOVED = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """A rate in two runs, over the cells that both have.

    Attributes
    ----------
    name, label : str
    before, after, difference : float
    low, high : float or None
        Interval of the difference; None with fewer than two cells.
    images, cells, changed : int
        Images that both runs judged, their cells, and the cells where the rate changed.
    level : float
        Of the interval.
    higher_is_better : bool
    kind, key : str
        ``colour`` or ``subject`` and which, where the rate is of one; else empty.
    """

    name: str
    label: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    images: int
    cells: int
    changed: int
    level: float
    higher_is_better: bool
    kind: str = ""
    key: str = ""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out, and enough cells changed to say so.

        ``k`` cells that changed all go one way by chance once in ``2 ** (k - 1)``: a bootstrap of
        few changes does not know that.
        """
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return False
        return 2.0 ** (1 - self.changed) <= 1 - self.level

    @property
    def reading(self) -> str:
        """What the difference says, in a word or two."""
        if not self.cells:
            return "not measured"
        if self.low is None:
            return "no interval"
        if not self.clear:
            return "no clear difference"
        return "better" if (self.difference > 0) == self.higher_is_better else "worse"


def differences(
    items: pd.DataFrame, before: int, after: int, interval: Interval = no_interval
) -> list[Difference]:
    """Differences of run ``after`` from run ``before``: macro-averages over cells, paired.

    Images are paired by cell, index and binding; the cell is the unit of the interval.

    Parameters
    ----------
    items : DataFrame
        From `reports.payload.all_items`.
    before, after : int
        Numbers of the runs.
    interval : callable
    """
    paired = _paired(items, before, after)
    return [_difference(paired, rate, f"{rate.name}/all", LEVEL, interval) for rate in RATES]


def moved(
    items: pd.DataFrame, before: int, after: int, interval: Interval = no_interval
) -> list[Difference]:
    """Colours and subjects whose binding score moved most, losses first.

    Their intervals hold together (Bonferroni): with 38 groups one in twenty pages, not nearly every
    page, shows a group as changed that is not.
    """
    paired = _paired(items, before, after)
    groups = list(_groups(paired))
    level = 1 - (1 - LEVEL) / max(1, len(groups))
    rate = RATES[0]
    found = [
        _difference(rows, rate, f"{rate.name}/{kind}:{key}", level, interval, kind, key)
        for kind, key, rows in groups
    ]
    changed = [one for one in found if one.cells and one.difference != 0]
    changed.sort(key=lambda one: (not one.clear, -abs(one.difference), one.key))
    return sorted(changed[:MOVED], key=lambda one: (one.difference, one.key))


def _groups(paired: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for kind in ("colour", "subject"):
        for key, rows in paired.groupby(kind, sort=True, observed=True):
            yield kind, str(key), rows


def _paired(items: pd.DataFrame, before: int, after: int) -> pd.DataFrame:
    rows = items[items[f"verdict_{before}"].notna() & items[f"verdict_{after}"].notna()]
    columns = {f"verdict_{before}": "before", f"verdict_{after}": "after"}
    return rows[["cell_id", "colour", "subject", *columns]].rename(columns=columns)


def _difference(
    paired: pd.DataFrame,
    rate: Rate,
    name: str,
    level: float,
    interval: Interval,
    kind: str = "",
    key: str = "",
) -> Difference:
    valid = ~paired["before"].isin(rate.without) & ~paired["after"].isin(rate.without)
    rows = paired[valid]
    hits = pd.DataFrame(
        {
            "cell_id": rows["cell_id"],
            "before": rows["before"].isin(rate.hits),
            "after": rows["after"].isin(rate.hits),
        }
    )
    by_cell = hits.groupby("cell_id")[["before", "after"]].mean()
    cells = len(by_cell)
    gaps = (by_cell["after"] - by_cell["before"]).to_numpy(dtype=float)
    low, high = interval(gaps, name, level) if cells > 1 else (None, None)
    before = float(by_cell["before"].mean()) if cells else float("nan")
    after = float(by_cell["after"].mean()) if cells else float("nan")
    return Difference(
        rate.name,
        rate.label,
        before,
        after,
        after - before,
        low,
        high,
        len(rows),
        cells,
        int((gaps != 0).sum()),
        level,
        rate.higher_is_better,
        kind,
        key,
    )
