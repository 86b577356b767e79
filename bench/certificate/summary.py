"""The certificate of one set of scenes: how often each verdict is right, and for what subjects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.certificate.labelled import LARGE, SMALL
from bench.certificate.reliability import agreement, reliability
from bench.records import VERDICTS
from bench.statistics.intervals import clopper_pearson
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES


@dataclass(frozen=True, slots=True)
class Judged:
    """One binding of a known scene: what is true and what was said."""

    colour: str
    subject: str
    true: str
    said: str
    painted: float
    bind: float
    presence: float
    words: str
    share: float = math.nan
    """Of the picture that the true mask covers; NaN of what is not drawn."""


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Counts by true verdict, then by what was said."""
    table = {true: dict.fromkeys(VERDICTS, 0) for true in VERDICTS}
    for one in judged:
        table[one.true][one.said] += 1
    return table


def f1_by_verdict(table: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """F1 = 2 TP / (2 TP + FP + FN) of each verdict that occurs."""
    scores = {}
    for verdict in VERDICTS:
        hit = table[verdict][verdict]
        true = sum(table[verdict].values())
        said = sum(row[verdict] for row in table.values())
        if true:
            scores[verdict] = 2 * hit / (true + said)
    return scores


def summarise(judged: Sequence[Judged], masks: str) -> dict[str, Any]:
    """The certificate of one set of scenes, as JSON-able values.

    ``bind_error`` is the mean absolute difference of `bind` and the painted share, over the scenes
    that show the asked colour on the subject, and ``bind`` tells it by share; ``presence`` is the
    reliability of `presence` (`bench.certificate.reliability`); ``recall_by_colour`` counts a
    binding as found where its verdict is right, whatever the verdict.
    """
    if not judged:
        raise ValueError("no scene was judged")
    table = confusion(judged)
    f1 = f1_by_verdict(table)
    hits = sum(one.true == one.said for one in judged)
    low, high = clopper_pearson(hits / len(judged), len(judged))
    drawn = [one for one in judged if one.true in ("bound", "spilled", "mixed")]
    binds = agreement([one.bind for one in drawn], [one.painted for one in drawn])
    seen = [one for one in judged if one.true != "invalid" and not math.isnan(one.presence)]
    presence = reliability([one.presence for one in seen], [one.true != "absent" for one in seen])
    return {
        "masks": masks,
        "scenes": len(judged),
        "unjudged": sum(one.said == "unjudged" for one in judged) / len(judged),
        "accuracy": hits / len(judged),
        "low": low,
        "high": high,
        "macro_f1": sum(f1.values()) / len(f1),
        "f1": f1,
        "recall_by_verdict": {
            verdict: table[verdict][verdict] / sum(table[verdict].values()) for verdict in f1
        },
        "recall_by_colour": _recall_by_colour(judged),
        "by": {name: _counted(list(filter(test, judged))) for name, test in GROUPS.items()},
        "bind_error": binds["mean_absolute_error"],
        "bind": binds,
        "presence_brier": presence["brier"],
        "presence": presence,
        "confusion": {
            true: {said: count for said, count in row.items() if count}
            for true, row in table.items()
            if any(row.values())
        },
    }


#: Groups of subjects that a certificate tells apart, as that of labelled pictures does.
GROUPS: dict[str, Callable[[Judged], bool]] = {
    "named": lambda one: one.subject in SUBJECT_NAMES,
    "unnamed": lambda one: one.subject not in SUBJECT_NAMES,
    "small": lambda one: one.share < SMALL,
    "medium": lambda one: SMALL <= one.share <= LARGE,
    "large": lambda one: one.share > LARGE,
}


def _counted(judged: Sequence[Judged]) -> dict[str, Any]:
    """How many, the share right and the share unjudged; None of none."""
    n = len(judged)
    return {
        "n": n,
        "accuracy": sum(one.true == one.said for one in judged) / n if n else None,
        "unjudged": sum(one.said == "unjudged" for one in judged) / n if n else None,
    }


def _recall_by_colour(judged: Sequence[Judged]) -> dict[str, float]:
    recalls = {}
    for colour in COLOUR_NAMES:
        rows = [one for one in judged if one.colour == colour and one.true != "invalid"]
        if rows:
            recalls[colour] = sum(one.true == one.said for one in rows) / len(rows)
    return recalls
