"""Differences between two runs in the rates of the page, with paired intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.wording import RATES, Rate

#: Bootstrap draws, and the seed that makes a page the same each time it is built.
DRAWS = 2000
SEED = 20250101


@dataclass(frozen=True, slots=True)
class Difference:
    """A rate in two runs, over the cells that both have.

    Attributes
    ----------
    name, label : str
    before, after, difference : float
    low, high : float or None
        95% interval of the difference; None with fewer than two cells.
    images, cells : int
        Images that both runs judged, and their cells.
    higher_is_better : bool
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
    higher_is_better: bool

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def reading(self) -> str:
        """What the difference says, in a word or two."""
        if self.low is None:
            return "too few cells"
        if not self.clear:
            return "no clear difference"
        return "better" if (self.difference > 0) == self.higher_is_better else "worse"


def differences(items: pd.DataFrame, before: int, after: int) -> list[Difference]:
    """Differences of run ``after`` from run ``before``: macro-averages over cells, paired.

    Images are paired by cell, index and binding. The interval resamples cells, the clusters.
    """
    left, right = f"verdict_{before}", f"verdict_{after}"
    paired = items[items[left].notna() & items[right].notna()]
    return [_difference(paired, left, right, rate) for rate in RATES]


def _difference(paired: pd.DataFrame, left: str, right: str, rate: Rate) -> Difference:
    valid = ~paired[left].isin(rate.without) & ~paired[right].isin(rate.without)
    rows = paired[valid]
    means = pd.DataFrame(
        {
            "cell_id": rows["cell_id"],
            "before": rows[left].isin(rate.hits),
            "after": rows[right].isin(rate.hits),
        }
    )
    by_cell = means.groupby("cell_id")[["before", "after"]].mean()
    cells = len(by_cell)
    before = float(by_cell["before"].mean()) if cells else float("nan")
    after = float(by_cell["after"].mean()) if cells else float("nan")
    low = high = None
    if cells > 1:
        gaps = (by_cell["after"] - by_cell["before"]).to_numpy()
        draws = np.random.default_rng(SEED).integers(0, cells, (DRAWS, cells))
        low, high = (float(v) for v in np.quantile(gaps[draws].mean(axis=1), (0.025, 0.975)))
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
        rate.higher_is_better,
    )
