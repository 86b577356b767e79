"""The verdict of the gate, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import NotComparableError
from bench.gate.fields import require_comparable
from bench.records import Comparison
from bench.statistics.compare import Pairs, compare, pair

PASS, REGRESSION, INCOMPLETE = 0, 1, 3

#: Cells listed as the worst.
WORST = 10


@dataclass(frozen=True)
class Change:
    """A cell that lost bound images: how many were bound before and after, of how many.

    ``became`` counts the verdicts of the lost ones; colour and subject are those of the cell's
    first binding.
    """

    cell: str
    colour: str
    subject: str
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
    margin, alpha : float
    strict : bool
        What was asked of the gate.
    """

    verdict: str
    sentence: str
    comparisons: tuple[Comparison, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    code: int
    margin: float
    alpha: float
    strict: bool

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
    details: bool = True,
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
    details : bool
        Also compare the slices and list the worst cells, which never decide.

    Raises
    ------
    NotComparableError
        The two were not made alike, or have nothing in common.
    """
    passed = require_comparable(before[0], after[0], allowed)
    pairs = pair(before[1], after[1])
    comparisons = compare(pairs, margin=margin, alpha=alpha, slices=details)
    if not comparisons or comparisons[0].metric != "binding_score":
        raise NotComparableError("cannot compare: no image was judged in both runs")
    primary = comparisons[0]
    sentence = primary.sentence
    if passed:
        sentence += f"; let through: {', '.join(name.split(' ')[0] for name in passed)}"
    return Decision(
        verdict=primary.verdict,
        sentence=sentence,
        comparisons=tuple(comparisons),
        changes=tuple(worst_changes(pairs)) if details else (),
        warnings=(*passed, *pairs.warnings),
        code=exit_code(primary.verdict, strict),
        margin=margin,
        alpha=alpha,
        strict=strict,
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
    before, after = (frame[name].eq("bound").to_numpy() for name in ("before", "after"))
    codes, cells = pd.factorize(frame["cell_id"], sort=True)
    held, kept, images = (
        np.bincount(codes, weights, len(cells)).astype(int)
        for weights in (before, after, np.ones(len(frame)))
    )
    worst = np.argsort(kept - held, kind="stable")[:most]
    return [
        _change(frame[codes == cell], held[cell], kept[cell], images[cell])
        for cell in worst
        if held[cell] > kept[cell]
    ]


def _change(rows: pd.DataFrame, before: int, after: int, images: int) -> Change:
    lost = rows.loc[rows["before"].eq("bound") & rows["after"].ne("bound"), "after"]
    became = ", ".join(
        f"{count} {name}" for name, count in lost.value_counts().sort_index().items()
    )
    first = rows.iloc[0]
    return Change(
        str(first["cell_id"]),
        str(first["colour"]),
        str(first["subject"]),
        int(before),
        int(after),
        int(images),
        became,
    )
