"""What a reader should see at once: what goes wrong, and with which colours and subjects."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import NOT_JUDGED, VERDICTS, Estimate
from reports.labels import VERDICT_WORDS
from reports.reading import Run
from reports.tabulation import verdict_counts

#: Groups shown of each kind.
MOST = 4

_SCORE = "binding_score"


@dataclass(frozen=True, slots=True)
class Group:
    """The binding score of one colour or subject.

    Attributes
    ----------
    name : str
    value : float
    low, high : float or None
    images, cells : int
    below : bool
        The whole interval lies below the score of the whole grid.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    images: int
    cells: int
    below: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """The weakest colours and subjects, and the commonest failure in words."""

    colours: tuple[Group, ...]
    subjects: tuple[Group, ...]
    failure: str


def glance(run: Run) -> Glance:
    """Look at a run for a moment."""
    whole = next((e for e in run.estimates if e.metric == _SCORE and e.group == "all"), None)
    return Glance(_lowest(run, "colour", whole), _lowest(run, "subject", whole), _failure(run))


def _lowest(run: Run, kind: str, whole: Estimate | None) -> tuple[Group, ...]:
    """Return the groups of a kind with the lowest binding scores, lowest first."""
    prefix = f"{kind}:"
    score = whole.value if whole is not None else float("nan")
    found = [
        Group(
            one.group.removeprefix(prefix),
            one.value,
            one.low,
            one.high,
            one.scored,
            one.cells,
            one.high is not None and one.high < score,
        )
        for one in run.estimates
        if one.metric == _SCORE and one.group.startswith(prefix) and one.value == one.value
    ]
    return tuple(sorted(found, key=lambda one: (one.value, -one.cells, one.name))[:MOST])


def _failure(run: Run) -> str:
    counts = verdict_counts(run)
    failures = {
        name: counts[name]
        for name in VERDICTS
        if name not in ("bound", *NOT_JUDGED) and counts[name]
    }
    total = sum(failures.values())
    if not total:
        return "Not one failed." if counts["bound"] else ""
    name = max(failures, key=lambda one: failures[one])
    if total == 1:
        return f"In the one that fails, {VERDICT_WORDS[name].failing}."
    often = "always" if failures[name] == total else "mostly"
    return (
        f"Where it fails, {often} {VERDICT_WORDS[name].failing}"
        f" ({failures[name]:,} of {total:,} failures)."
    )
