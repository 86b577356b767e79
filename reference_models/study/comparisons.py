"""What was planned to be compared, and what comes of it: the training is the unit.

Trainings of one seed begin with the same weights and see the same scenes in the same order with
the same noise, so far as their conditions allow; all networks draw the same prompts from the same
noise. Differences are therefore taken within a seed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special
from statsmodels.stats.multitest import multipletests

from reference_models.study.drawings import Drawing

#: Of all intervals.
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition as it is drawn with."""

    condition: str
    sampling: str = "plain"

    @property
    def name(self) -> str:
        """As tables have it."""
        return self.condition if self.sampling == "plain" else f"{self.condition}, {self.sampling}"


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean over trainings with its t-interval; None where there are too few.

    Attributes
    ----------
    values : tuple of float
        One a training, in order of the seeds.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """NaN without trainings."""
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def half(self) -> float | None:
        """Half the width of the interval: t(n - 1) s / sqrt(n)."""
        n = len(self.values)
        if n < 2:
            return None
        reach = float(special.stdtrit(n - 1, 0.5 + LEVEL / 2))
        return reach * float(np.std(self.values, ddof=1)) / math.sqrt(n)

    @property
    def p(self) -> float | None:
        """Two-sided, of a mean of zero (Student 1908); None for fewer than two."""
        n, half = len(self.values), self.half
        if half is None:
            return None
        error = float(np.std(self.values, ddof=1)) / math.sqrt(n)
        if error == 0:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * special.stdtr(n - 1, -abs(self.mean) / error))


class Results:
    """Drawings by condition and sampling.

    Parameters
    ----------
    drawings : iterable of Drawing
    """

    def __init__(self, drawings: Iterable[Drawing]) -> None:
        self.arms: dict[Arm, dict[int, Drawing]] = defaultdict(dict)
        for one in drawings:
            self.arms[Arm(one.condition, one.sampling)][one.seed] = one

    def shares(self, arm: Arm, metric: str, group: str) -> dict[int, float]:
        """Share of each training, by seed."""
        found = {
            seed: one.share(metric, group) for seed, one in sorted(self.arms.get(arm, {}).items())
        }
        return {seed: share for seed, share in found.items() if share is not None}

    def mean(self, arm: Arm, metric: str, group: str) -> Mean:
        """Mean over all trainings of an arm."""
        return Mean(tuple(self.shares(arm, metric, group).values()))


@dataclass(frozen=True, slots=True)
class Planned:
    """A comparison that was planned: ``arm`` less ``base``.

    Attributes
    ----------
    question : str
        Comparisons of one question are corrected together.
    """

    question: str
    arm: Arm
    base: Arm
    metric: str
    group: str


@dataclass(frozen=True, slots=True)
class Found:
    """A comparison with its result: differences within seeds, p by Holm's method."""

    planned: Planned
    arm: Mean
    base: Mean
    difference: Mean
    p: float | None

    @property
    def is_told(self) -> bool:
        """Whether the two are told apart, other comparisons of the question allowed for."""
        return self.p is not None and self.p <= 1 - LEVEL


_CLEAN = Arm("clean")


def planned() -> list[Planned]:
    """All comparisons, fixed before the trainings were made."""
    found = [
        Planned("leak", Arm(f"loose-{dose}"), _CLEAN, "leaked", "one") for dose in (10, 25, 50)
    ]
    found += [Planned("leak", Arm("bag"), _CLEAN, "leaked", "one")]
    found += [
        Planned("swap", Arm(name), _CLEAN, "swapped", "pair")
        for name in ("bag", "shuffled", "exchanged-25", "static", "clip-tokens", "clip-pooled")
    ]
    for dose in (25, 50):
        base = Arm(f"loose-{dose}")
        arms = [Arm(f"loose-{dose}-cleaned"), Arm(base.condition, "attention-0.1")]
        arms += [Arm(base.condition, f"guidance-{scale}") for scale in (1, 8)]
        found += [Planned("repair", arm, base, "bound", "one") for arm in arms]
        found += [Planned("repair", arm, base, "leaked", "one") for arm in arms]
    found += [Planned("repair", Arm("bag", "attention-0.1"), Arm("bag"), "swapped", "pair")]
    found += [Planned("repair", Arm("clean", "attention-0.1"), _CLEAN, "bound", "one")]
    for short in ("", "-short"):
        found += [
            Planned("coverage", Arm(more + short), Arm(less + short), "bound", "held")
            for more, less in (
                ("colours-2", "colours-1"),
                ("colours-4", "colours-2"),
                ("colours-8", "colours-4"),
                ("colours-2", "concentrated-2"),
                ("colours-4", "concentrated-4"),
            )
        ]
    found += [
        Planned("coverage", Arm(f"colours-{k}"), Arm(f"colours-{k}-short"), "bound", "held")
        for k in (2, 4, 8)
    ]
    for network in ("dit", "tokens"):
        found += [
            Planned("network", Arm(f"{network}-clean"), _CLEAN, "bound", "one"),
            Planned("network", Arm(f"{network}-clean"), _CLEAN, "bound", "pair"),
            Planned("network", Arm(f"{network}-loose-25"), Arm("loose-25"), "leaked", "one"),
        ]
    return found


def compare(results: Results, one: Planned) -> Found:
    """Differences within the seeds that both have; p is not corrected yet."""
    arm = results.shares(one.arm, one.metric, one.group)
    base = results.shares(one.base, one.metric, one.group)
    both = [seed for seed in arm if seed in base]
    difference = Mean(tuple(arm[seed] - base[seed] for seed in both))
    return Found(
        one, Mean(tuple(arm.values())), Mean(tuple(base.values())), difference, difference.p
    )


def findings(results: Results, plan: Sequence[Planned] | None = None) -> list[Found]:
    """All planned comparisons for which there are at least two pairs of trainings.

    p-values are adjusted by Holm's method within each question.
    """
    found = [compare(results, one) for one in (planned() if plan is None else plan)]
    found = [one for one in found if one.p is not None]
    by_question: dict[str, list[int]] = defaultdict(list)
    for k, one in enumerate(found):
        by_question[one.planned.question].append(k)
    for rows in by_question.values():
        adjusted = multipletests([found[k].p for k in rows], method="holm")[1]
        for k, p in zip(rows, adjusted, strict=True):
            found[k] = replace(found[k], p=float(p))
    return found
