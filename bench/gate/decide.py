"""The verdict of the gate, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.gate.fields import require_comparable
from bench.records import Comparison
from bench.statistics.compare import Pairs, compare, pair

PASS, REGRESSION, INCOMPLETE = 0, 1, 3

#: Cells listed as the worst.
WORST = 10


@dataclass(frozen=True)
class Change:
    """A cell whose images changed verdict: how many were bound before and after, of how many."""

    cell: str
    before: int
    after: int
    images: int
    became: str


@dataclass(frozen=True)
class Decision:
    """What the gate says.

    Attributes
    ----------
    verdict : str
        ``pass``, ``regression`` or ``underpowered``.
    sentence : str
        Begins with the verdict.
    comparisons : tuple of Comparison
        The primary score first, then the slices.
    changes : tuple of Change
        The cells that lost most.
    warnings : tuple of str
        What was let through, and what was left out.
    code : int
        Exit code.
    """

    verdict: str
    sentence: str
    comparisons: tuple[Comparison, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    code: int

    @property
    def primary(self) -> Comparison:
        """The comparison that decides."""
        return self.comparisons[0]

    @property
    def fallen(self) -> list[Comparison]:
        """Slices that regressed; they are told and do not decide."""
        return [one for one in self.comparisons[1:] if one.verdict == "regression"]


def decide(
    before: tuple[Mapping[str, Any], pd.DataFrame],
    after: tuple[Mapping[str, Any], pd.DataFrame],
    *,
    margin: float = 0.02,
    alpha: float = 0.05,
    strict: bool = False,
    allowed: Collection[str] = (),
) -> Decision:
    """Compare a run with a baseline and decide.

    Parameters
    ----------
    before, after : tuple of mapping and DataFrame
        What each was made with (`bench.gate.baseline.comparable`), and its verdicts.
    margin, alpha : float
        See `bench.statistics.compare.compare`.
    strict : bool
        Fail where a loss of the margin could have stayed hidden.
    allowed : collection of str
        Fields that may differ.

    Raises
    ------
    NotComparableError
        The two were not made alike, or have nothing in common.
    """
    passed = require_comparable(before[0], after[0], allowed)
    pairs = pair(before[1], after[1])
    comparisons = compare(pairs, margin=margin, alpha=alpha)
    if not comparisons or comparisons[0].metric != "binding_score":
        from bench.errors import NotComparableError

        raise NotComparableError("cannot compare: no image was judged in both runs")
    primary = comparisons[0]
    sentence = primary.sentence
    if passed:
        sentence += f"; let through: {', '.join(name.split(' ')[0] for name in passed)}"
    return Decision(
        verdict=primary.verdict,
        sentence=sentence,
        comparisons=tuple(comparisons),
        changes=tuple(worst_changes(pairs)),
        warnings=(*passed, *pairs.warnings),
        code=exit_code(primary.verdict, strict),
    )


def exit_code(verdict: str, strict: bool) -> int:
    """Return the exit code of a verdict.

    1 for a regression; 3 for too little evidence where ``strict`` asks for it; 0 else.
    """
    if verdict == "regression":
        return REGRESSION
    if verdict == "underpowered" and strict:
        return INCOMPLETE
    return PASS


def worst_changes(pairs: Pairs, most: int = WORST) -> list[Change]:
    """Return the cells that lost most bound images, the greatest loss first."""
    if not pairs.by_image:
        return []
    frame = pairs.frame
    table = pd.DataFrame(
        {
            "cell": frame["cell_id"],
            "before": frame["before"].eq("bound").astype(int),
            "after": frame["after"].eq("bound").astype(int),
            "images": 1,
        }
    )
    sums = table.groupby("cell", sort=True).sum()
    sums["loss"] = sums["before"] - sums["after"]
    lost = sums[sums["loss"] > 0].sort_values("loss", ascending=False, kind="stable").head(most)
    found = []
    for cell, row in lost.iterrows():
        rows = frame[(frame["cell_id"] == cell) & (frame["before"] == "bound")]
        became = rows.loc[rows["after"] != "bound", "after"].value_counts().sort_index()
        words = ", ".join(f"{count} {name}" for name, count in became.items())
        found.append(
            Change(str(cell), int(row["before"]), int(row["after"]), int(row["images"]), words)
        )
    return found
