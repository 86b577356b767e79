"""Tables of the study's page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reference_models.study.comparisons import Arm, ArmShare, ComparedArms, Results

#: Groups of prompts in words.
GROUPS = {
    "one": "prompts of one subject",
    "pair": "subjects in pairs",
    "held": "pairs never taught",
}


def percent(share: ArmShare) -> str:
    """A share in percent with its interval over trainings."""
    if not share.counts:
        return "-"
    text = f"{100 * share.mean:.1f}"
    if share.interval is None:
        return text
    low, high = share.interval
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"


def verdict(one: ComparedArms) -> str:
    """What a comparison says, from its p."""
    if not one.is_told:
        return "not told apart"
    return "higher" if one.odds > 1 else "lower"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right; nothing where there are no rows."""
    if not rows:
        return []
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def compared(found: Sequence[ComparedArms], question: str) -> list[str]:
    """Table of the planned comparisons of a question."""
    rows = [
        [
            f"`{one.planned.arm.name}` against `{one.planned.base.name}`",
            f"{one.planned.metric}, {GROUPS[one.planned.group]}",
            f"{100 * one.base.mean:.1f}",
            f"{100 * one.arm.mean:.1f}",
            odds(one),
            "< 0.001" if one.p < 0.001 else f"{one.p:.3f}",
            verdict(one),
        ]
        for one in found
        if one.planned.question == question
    ]
    return table(["", "percent", "from", "to", "odds times", "p", ""], rows)


def odds(one: ComparedArms) -> str:
    """Ratio of the odds with its interval."""
    return f"{_short(one.odds)} ({_short(one.low)} to {_short(one.high)})"


def _short(number: float) -> str:
    """A ratio to two or three places that count."""
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def shares(
    results: Results, arms: Sequence[Arm], metrics: Sequence[str], group: str
) -> list[list[str]]:
    """Rows of a table: an arm that is there, its trainings, and its shares."""
    rows = []
    for arm in arms:
        drawn = results.arms.get(arm, {})
        if drawn:
            found = [percent(results.share(arm, metric, group)) for metric in metrics]
            made = " (first making)" * (arm in results.older)
            rows.append([f"`{arm.name}`{made}", str(len(drawn)), *found])
    return rows
