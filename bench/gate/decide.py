"""The verdict of the gate, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import NotComparableError
from bench.gate.fields import require_comparable
from bench.records import Comparison
from bench.statistics.compare import Pairs, compare, pair
from bench.statistics.outcomes import LOST, REGRESSION, UNDERPOWERED

PASSED, FAILED, INCOMPLETE = 0, 1, 3

#: Cells listed as the worst.
WORST = 10
#: What `--allow` calls it where the shares of unjudged images differ, and by how much is too much.
UNJUDGED = "unjudged"
UNJUDGED_APART = 0.05

SAME_WEIGHTS = (
    "tested against: the same weights, drawn again. Two trainings of one recipe differ by more; "
    "a baseline of several runs (`bench baseline A B C`) allows for that"
)
SAME_RECIPE = "tested against: one more training of the recipe of the {} runs of the baseline"


@dataclass(frozen=True)
class Change:
    """A cell that lost bound images: how many were bound before and after, of how many.

    ``became`` counts the verdicts of those that are not bound now; colour and subject are those of
    the cell's first binding. Several runs before are counted together.
    """

    cell: str
    colour: str
    subject: str
    before: int
    images_before: int
    after: int
    images: int
    became: str

    @property
    def words(self) -> str:
        """The change in words."""
        return (
            f"{self.cell}: {self.before} of {self.images_before} bound before, "
            f"{self.after} of {self.images} now, {self.became}"
        )


@dataclass(frozen=True)
class Decision:
    """What the gate says.

    Attributes
    ----------
    verdict : str
        One of `bench.statistics.outcomes.OUTCOMES`.
    sentence : str
        Begins with the verdict.
    null : str
        What was tested against: the same weights, or the same recipe.
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
    null: str
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
        return [one for one in self.comparisons[1:] if one.verdict == REGRESSION]


def decide(
    before: tuple[Mapping[str, Any], pd.DataFrame | Sequence[pd.DataFrame]],
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
        What each was made with (`bench.gate.baseline.comparable`), and its verdicts; before, those
        of one run or of several.
    margin, alpha : float
        See `bench.statistics.compare.compare`.
    strict : bool
        Fail where a loss of the margin could have stayed hidden, or something was lost.
    allowed : collection of str
        Fields that may differ.
    details : bool
        Also compare the slices and list the worst cells, which never decide.

    Raises
    ------
    NotComparableError
        The two were not made alike, or have nothing in common.
    """
    fields = [name for name in allowed if name != UNJUDGED]
    passed = require_comparable(before[0], after[0], fields)
    runs = [before[1]] if isinstance(before[1], pd.DataFrame) else list(before[1])
    pairs = pair(runs, after[1])
    comparisons = compare(pairs, margin=margin, alpha=alpha, slices=details)
    if not comparisons or comparisons[0].metric != "binding_score":
        raise NotComparableError("cannot compare: no image was judged in both runs")
    primary = comparisons[0]
    if primary.verdict != REGRESSION:
        # A loss among the images that both have judged is one, whatever became of the others.
        passed += _require_judged(runs, after[1], allowed)
    sentence = primary.sentence
    if passed:
        sentence += f"; let through: {', '.join(name.split(' ')[0] for name in passed)}"
    return Decision(
        verdict=primary.verdict,
        sentence=sentence,
        null=SAME_WEIGHTS if len(runs) == 1 else SAME_RECIPE.format(len(runs)),
        comparisons=tuple(comparisons),
        changes=tuple(worst_changes(pairs)) if details else (),
        warnings=(*passed, *pairs.warnings),
        code=exit_code(primary.verdict, strict),
        margin=margin,
        alpha=alpha,
        strict=strict,
    )


def _require_judged(
    runs: Sequence[pd.DataFrame], after: pd.DataFrame, allowed: Collection[str]
) -> list[str]:
    """Refuse runs of which the judge could judge unlike shares: what is left is not the same."""
    shares = [float(run["verdict"].eq("unjudged").mean()) for run in (*runs, after)]
    worst = max(shares[:-1], key=lambda share: abs(share - shares[-1]))
    if abs(worst - shares[-1]) <= UNJUDGED_APART:
        return []
    words = f"{worst:.1%} of the images of the baseline are unjudged and {shares[-1]:.1%} now"
    if UNJUDGED in allowed:
        return [f"unjudged differs ({words}) and was let through"]
    raise NotComparableError(
        f"cannot compare: {words}, which leaves other images to compare; use a segmenter that "
        f"knows the subjects, or pass --allow {UNJUDGED}"
    )


def exit_code(verdict: str, strict: bool) -> int:
    """Return the exit code of a verdict.

    1 for a regression, and with ``strict`` for any significant loss; 3 for too little evidence
    where ``strict`` asks for it; 0 else.
    """
    if verdict == REGRESSION or (verdict == LOST and strict):
        return FAILED
    if verdict == UNDERPOWERED and strict:
        return INCOMPLETE
    return PASSED


def worst_changes(pairs: Pairs, most: int = WORST) -> list[Change]:
    """Return the cells whose share of bound images fell most, the greatest fall first."""
    codes, cells = pd.factorize(pairs.frame["cell_id"], sort=True)
    before = _counts(pairs.before, codes, len(cells))
    after = _counts(pairs.after[:, None], codes, len(cells))
    with np.errstate(invalid="ignore", divide="ignore"):
        fall = np.nan_to_num(before[0] / before[1] - after[0] / after[1])
    worst = np.argsort(-fall, kind="stable")[:most]
    found = []
    for cell in worst[fall[worst] > 0]:
        rows = codes == cell
        now = pd.Series(pairs.after[rows]).dropna()
        counts = now[now.ne("bound")].value_counts().sort_index()
        first = pairs.frame[rows].iloc[0]
        found.append(
            Change(
                cell=str(first["cell_id"]),
                colour=str(first["colour"]),
                subject=str(first["subject"]),
                before=int(before[0][cell]),
                images_before=int(before[1][cell]),
                after=int(after[0][cell]),
                images=int(after[1][cell]),
                became=", ".join(f"{count} {name}" for name, count in counts.items()),
            )
        )
    return found


def _counts(verdicts: np.ndarray, codes: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every cell the judgements that are bound, and all of them."""
    bound = (verdicts == "bound").sum(axis=1)
    return np.bincount(codes, bound, cells), np.bincount(
        codes, pd.notna(verdicts).sum(axis=1), cells
    )
