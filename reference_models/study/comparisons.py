"""What was planned to be compared, and what comes of it: the training is the unit.

Shares are compared as log-odds, on which a share near 0 and one near a half spread alike. Trainings
of one seed begin with the same weights and see the same scenes in the same order with the same
noise, so far as their conditions allow, and all networks draw the same prompts from the same noise:
the seed is a block. Arms that are compared with one base share one estimate of what is left of the
spread within blocks (randomised block design: Fisher 1935), because three trainings alone say
little of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from reference_models.study.drawings import Drawing

#: Of all intervals.
LEVEL = 0.95
#: Trainings from which on a mean has an interval: of two, it says next to nothing.
LEAST = 3


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition as it is drawn with."""

    condition: str
    sampling: str = "plain"

    @property
    def name(self) -> str:
        """As tables have it."""
        return self.condition if self.sampling == "plain" else f"{self.condition}, {self.sampling}"


def log_odds(hits: int, judged: int) -> float:
    """Empirical log-odds, half a count added to both sides (Haldane 1955, Anscombe 1956)."""
    return math.log((hits + 0.5) / (judged - hits + 0.5))


@dataclass(frozen=True)
class ArmShare:
    """A share of an arm over its trainings.

    Attributes
    ----------
    counts : mapping of int to (int, int)
        Hits and judged bindings of each training, by seed; those with none judged are left out.
    """

    counts: dict[int, tuple[int, int]]

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Share of each training."""
        return tuple(hits / judged for hits, judged in self.counts.values())

    @property
    def mean(self) -> float:
        """Mean over trainings; NaN without any."""
        return float(np.mean(self.values)) if self.values else math.nan

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """t-interval of the mean log-odds over trainings, as shares; None for fewer than three.

        Never narrower than the exact interval of the prompts of one training (Clopper and Pearson
        1934): trainings that agree on no hit at all do not know that there is none.
        """
        n = len(self.counts)
        if n < LEAST:
            return None
        odds = [log_odds(*count) for count in self.counts.values()]
        reach = float(special.stdtrit(n - 1, 0.5 + LEVEL / 2)) * float(np.std(odds, ddof=1))
        ends = [float(special.expit(np.mean(odds) + s * reach / math.sqrt(n))) for s in (-1, 1)]
        judged = round(float(np.mean([count[1] for count in self.counts.values()])))
        low, high = proportion_confint(self.mean * judged, judged, 1 - LEVEL, method="beta")
        low, high = (0.0 if math.isnan(low) else low), (1.0 if math.isnan(high) else high)
        return min(ends[0], low), max(ends[1], high)


class Results:
    """Drawings by condition and sampling.

    Parameters
    ----------
    drawings : iterable of Drawing
    first : Results, optional
        Of an earlier making, whose arms stand in where this one has none.

    Attributes
    ----------
    arms : dict of Arm to drawings by seed
    older : frozenset of Arm
        Arms of the first making; they are compared with nothing but arms of it.
    """

    def __init__(self, drawings: Iterable[Drawing], first: Results | None = None) -> None:
        self.arms: dict[Arm, dict[int, Drawing]] = defaultdict(dict)
        for one in drawings:
            self.arms[Arm(one.condition, one.sampling)][one.seed] = one
        self.first = first
        self.older = frozenset(first.arms if first is not None else ()) - self.arms.keys()
        for arm in self.older if first is not None else ():
            self.arms[arm] = first.arms[arm]  # type: ignore[union-attr]

    def of_this_making(self) -> list[Drawing]:
        """Drawings but those of the first making."""
        own = (by_seed for arm, by_seed in self.arms.items() if arm not in self.older)
        return [one for by_seed in own for one in by_seed.values()]

    def share(self, arm: Arm, metric: str, group: str) -> ArmShare:
        """Share of an arm over all its trainings."""
        drawn = sorted(self.arms.get(arm, {}).items())
        counts = {seed: one.count(metric, group) for seed, one in drawn}
        return ArmShare({seed: count for seed, count in counts.items() if count[1]})


@dataclass(frozen=True, slots=True)
class Planned:
    """A comparison that was planned: ``arm`` against ``base``.

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
class ComparedArms:
    """A comparison with its result.

    Attributes
    ----------
    arm, base : ArmShare
        Over the seeds that both have.
    odds : float
        Ratio of the odds, arm over base.
    low, high : float
        Its interval.
    p : float
        Two-sided; by Holm's method once all comparisons of a question are known.
    """

    planned: Planned
    arm: ArmShare
    base: ArmShare
    odds: float
    low: float
    high: float
    p: float

    @property
    def is_told(self) -> bool:
        """Whether the two are told apart, other comparisons of the question allowed for."""
        return self.p <= 1 - LEVEL


_CLEAN = Arm("clean")


def planned() -> list[Planned]:
    """All comparisons, fixed before the trainings were made.

    Those of ``added`` were fixed before the second making of the study, which had the first
    trainings of their conditions.
    """
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
    return [*found, *added()]


def added() -> list[Planned]:
    """Comparisons of readers, networks and lengths that came with the second making."""
    readers = ("static", "clip-tokens", "clip-pooled", "bag")
    found = [Planned("reader", Arm(name), _CLEAN, "bound", "pair") for name in readers]
    found += [Planned("reader", Arm("clip-pooled"), Arm("clip-tokens"), "bound", "pair")]
    clean, loose = Arm("masked-clean"), Arm("masked-loose-25")
    found += [
        Planned("network", clean, _CLEAN, "bound", "one"),
        Planned("network", clean, _CLEAN, "bound", "pair"),
        Planned("network", loose, Arm("loose-25"), "leaked", "one"),
    ]
    found += [
        Planned("network", Arm(f"{network}-loose-25"), Arm(f"{network}-clean"), "leaked", "one")
        for network in ("dit", "tokens", "masked")
    ]
    loose = Arm("loose-25")
    return [
        *found,
        Planned("length", Arm("clean-short"), _CLEAN, "bound", "one"),
        Planned("length", Arm("clean-short"), _CLEAN, "bound", "pair"),
        Planned("length", Arm("loose-25-short"), loose, "leaked", "one"),
        Planned("length", Arm("loose-25-long"), loose, "leaked", "one"),
        Planned("length", Arm("loose-25-long"), loose, "bound", "one"),
        Planned("length", Arm("dit-clean-long"), Arm("dit-clean"), "bound", "one"),
        Planned("length", Arm("dit-clean-long"), Arm("dit-clean"), "bound", "pair"),
        Planned("length", Arm("dit-clean-long"), _CLEAN, "bound", "pair"),
    ]


def compare(results: Results, plan: Sequence[Planned]) -> list[ComparedArms]:
    """Comparisons with one base, metric and group: log-odds by arm and seed, one common spread.

    Those with fewer than two seeds in common with the base are left out. p is not corrected.
    """
    base = results.share(plan[0].base, plan[0].metric, plan[0].group)
    shares = {one: results.share(one.arm, one.metric, one.group) for one in plan}
    shares = {one: s for one, s in shares.items() if len(s.counts.keys() & base.counts.keys()) > 1}
    if not shares:
        return []
    arms = [base, *shares.values()]
    seeds = sorted({seed for share in arms for seed in share.counts})
    rows, odds = [], []
    for k, share in enumerate(arms):
        for seed, count in share.counts.items():
            by_arm = [float(k == other) for other in range(1, len(arms))]
            rows.append([*by_arm, *(float(seed == other) for other in seeds)])
            odds.append(log_odds(*count))
    design, y = np.array(rows), np.array(odds)
    effects, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = len(y) - int(np.linalg.matrix_rank(design))
    spread = float(((y - design @ effects) ** 2).sum()) / left
    scale = np.sqrt(spread * np.diag(np.linalg.pinv(design.T @ design)))
    reach = float(special.stdtrit(left, 0.5 + LEVEL / 2))
    found = []
    for k, (one, share) in enumerate(shares.items()):
        effect, error = float(effects[k]), float(scale[k])
        p = float(2 * special.stdtr(left, -abs(effect) / error)) if error else float(not effect)
        low, high = math.exp(effect - reach * error), math.exp(effect + reach * error)
        found.append(ComparedArms(one, share, base, math.exp(effect), low, high, p))
    return found


def findings(results: Results, plan: Sequence[Planned] | None = None) -> list[ComparedArms]:
    """All planned comparisons that at least two seeds tell of, in the order of the plan.

    p-values are adjusted by Holm's method within each question (Holm 1979).
    """
    plan = planned() if plan is None else plan
    together: dict[tuple[Arm, str, str, str], list[Planned]] = defaultdict(list)
    for one in plan:
        together[one.base, one.metric, one.group, one.question].append(one)
    compared = []
    for group in together.values():
        old = {one for one in group if {one.arm, one.base} & results.older}
        now = [one for one in group if one not in old]
        compared += compare(results, now) if now else []
        if old and results.first is not None:
            compared += [one for one in compare(results.first, group) if one.planned in old]
    made = {result.planned: result for result in compared}
    found = [made[one] for one in plan if one in made]
    by_question: dict[str, list[int]] = defaultdict(list)
    for k, comparison in enumerate(found):
        by_question[comparison.planned.question].append(k)
    for rows in by_question.values():
        adjusted = multipletests([found[k].p for k in rows], method="holm")[1]
        for k, p in zip(rows, adjusted, strict=True):
            found[k] = replace(found[k], p=float(p))
    return found
