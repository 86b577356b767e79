"""The outcome of a comparison: one of four, with fixed words."""

from __future__ import annotations

import math
from dataclasses import replace

from bench.records import Comparison
from bench.statistics.metrics import SHARES

PASS = "pass"
LOST = "lost, within the margin"
REGRESSION = "regression"
UNDERPOWERED = "underpowered"
#: Every verdict of a comparison, and what it says.
OUTCOMES: dict[str, str] = {
    PASS: "the interval leaves out a loss of the margin",
    LOST: "a significant loss, smaller than the margin",
    REGRESSION: "a significant loss of at least the margin",
    UNDERPOWERED: "neither: a loss of the margin could have stayed hidden",
}

#: Metrics whose rise is a loss.
LOWER_IS_BETTER = frozenset(
    share.name
    for share in SHARES
    if share.name.startswith(("leakage", "mixed", "invalid", "unjudged"))
)
_SLACK = 1e-12


def judge(one: Comparison, margin: float, alpha: float, tests: int = 1) -> Comparison:
    """Give a comparison its verdict, its label for a table, and its sentence.

    Parameters
    ----------
    one : Comparison
        ``p`` is adjusted for the number of tests already.
    margin, alpha : float
    tests : int
        Comparisons that share alpha.
    """
    sign = -1.0 if one.metric in LOWER_IS_BETTER else 1.0
    loss = -sign * one.difference
    if one.p <= alpha and loss > 0:
        verdict = REGRESSION if loss >= margin - _SLACK else LOST
    elif (worst := _worst(one)) is not None and worst < margin:
        verdict = PASS
    else:
        verdict = UNDERPOWERED
    label = verdict
    needed = math.ceil(math.log2(2 * tests / alpha))
    if verdict == UNDERPOWERED and loss >= margin - _SLACK and one.changed < needed:
        # So few cells that even if all of them fell the test could not say so.
        label = f"lost, but too few cells ({one.changed}; {needed} needed)"
    return replace(
        one, verdict=verdict, label=label, sentence=_sentence(one, margin, alpha, verdict, label)
    )


def _worst(one: Comparison) -> float | None:
    """Greatest loss that the interval holds."""
    return one.high if one.metric in LOWER_IS_BETTER else None if one.low is None else -one.low


def _sentence(one: Comparison, margin: float, alpha: float, verdict: str, label: str) -> str:
    name = one.metric.replace("_", " ")
    where = "" if one.group == "all" else f" for {one.group.partition(':')[2]}"
    change = f"{name}{where} went from {one.before:.1%} to {one.after:.1%} ("
    change += f"{100 * one.difference:+.1f} points"
    if one.low is not None and one.high is not None:
        change += (
            f", {100 * (1 - alpha):.4g}% interval {100 * one.low:+.1f} to {100 * one.high:+.1f}"
        )
    change += f", p = {one.p:.2g}) over {one.cells:,} cells"
    found = "" if one.detectable >= 1 else f"a loss of {one.detectable:.1%} is found 4 times in 5"
    worst = _worst(one)
    said = {
        PASS: f"a loss of {margin:.1%} is left out",
        LOST: f"a loss, of less than {margin:.1%}"
        + ("" if worst is None or worst < margin else f" but perhaps of as much as {worst:.1%}"),
        REGRESSION: f"a loss of at least {margin:.1%}",
        UNDERPOWERED: f"a loss of {margin:.1%} could have stayed hidden",
    }[verdict]
    return f"{label}: " + "; ".join(part for part in (f"{change}: {said}", found) if part)
