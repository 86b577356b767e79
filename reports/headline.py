"""What a reader should see at once: the numbers, each with a sentence, and what goes wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.records import Estimate
from bench.statistics.labels import HEADLINES, KIND_LABELS, OF_K, label_of, with_of_k
from reports.comparison import nice_reach
from reports.labels import JUDGED, verdict_words
from reports.reading import RunTables
from reports.tabulation import verdict_counts

#: Weakest groups shown of each kind.
MOST = 4

_SCORE = "binding_score"


@dataclass(frozen=True, slots=True)
class Headline:
    """One number a reader should know.

    Attributes
    ----------
    estimate : Estimate
    label : str
    sentence : str
        What the number says, in words.
    signed : bool
        A difference rather than a share.
    """

    estimate: Estimate
    label: str
    sentence: str
    signed: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.estimate.value)

    @property
    def spanned(self) -> bool:
        """Whether there is an interval."""
        return self.estimate.low is not None and self.estimate.high is not None

    @property
    def population(self) -> tuple[float, float] | None:
        """Interval for prompts like these, None where there is none."""
        low, high = self.estimate.population_low, self.estimate.population_high
        return None if low is None or high is None else (low, high)

    @property
    def reach(self) -> float:
        """End of the axis that it is drawn on: 1 for a share, what it needs for a difference."""
        if not self.signed:
            return 1.0
        ends = (self.estimate.value, self.estimate.low, self.estimate.high)
        return nice_reach(max((abs(x) for x in ends if x is not None and x == x), default=1.0))


def headlines(run: RunTables, group: str = "all") -> dict[str, Headline]:
    """Headline numbers of a group, by metric; those that its estimates lack are left out."""
    whole = {one.metric: one for one in run.estimates if one.group == group}
    found = {}
    for metric in with_of_k(HEADLINES, whole):
        if metric in whole:
            label = label_of(metric)
            one = whole[metric]
            found[metric] = Headline(one, label.label, _sentence(one), label.signed)
    return found


def by_kind(run: RunTables, metric: str = _SCORE) -> list[tuple[str, str, Headline]]:
    """Tag, name and value of a metric for singles, scenes and pairs, where the run has them."""
    found = ((tag, name, headlines(run, f"tag:{tag}")) for tag, name in KIND_LABELS.items())
    return [(tag, name, numbers[metric]) for tag, name, numbers in found if metric in numbers]


def in_ten(value: float, things: str = "pictures") -> str:
    """Say a share as a person does: ``7 in 10 pictures``, ``1 in 50 pictures``."""
    if value <= 0.0005:
        return f"no {things}"
    if value >= 0.9995:
        return f"all {things}"
    if 0.45 <= value < 0.55:
        return f"about half the {things}"
    if value >= 0.95:
        return f"nearly all {things}"
    if value >= 0.095:
        return f"{round(value * 10)} in 10 {things}"
    if value < 0.01:
        return f"fewer than 1 in 100 {things}"
    return f"1 in {round(1 / value)} {things}"


def _sentence(one: Estimate) -> str:
    if math.isnan(one.value):
        return "Could not be measured on this run."
    straddles = one.low is None or one.high is None or one.low <= 0 <= one.high
    if one.metric == "leak_excess":
        if straddles:
            return "The colour word adds no clear share of its colour to the surroundings."
        if one.value < 0:
            return "The surroundings have less of the colour than without the colour word."
        return f"The colour word paints {100 * one.value:.1f} points more of the surroundings."
    if label_of(one.metric).signed:
        seen = one.metric == "gap_seen_novel"
        kind = "familiar" if seen else "natural"
        other = "combinations never seen together" if seen else "unnatural ones"
        if straddles:
            return f"No clear difference between {kind} combinations and {other}."
        direction = "better" if one.value > 0 else "worse"
        return f"{kind.capitalize()} combinations bind {direction} than {other}."
    of_k = OF_K.fullmatch(one.metric)
    share = in_ten(one.value, "prompts" if of_k else "pictures")
    start = share[:1].upper() + share[1:]
    if of_k:
        which = "at least one" if of_k[1] == "any" else "every one"
        return f"{start} have {which} of {of_k[2]} images bound."
    return {
        _SCORE: f"{start} have the colour on the subject, and only there.",
        "binding_given_drawn": f"Where the subject is drawn, {share} bind.",
        "leakage_rate": f"{start} have the colour where nobody asked for it.",
        "drawn": f"{start} show the subject.",
    }.get(one.metric, f"{start}.")


@dataclass(frozen=True, slots=True)
class SliceScore:
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
class Highlights:
    """The weakest colours and subjects, and the commonest failure in words."""

    colours: tuple[SliceScore, ...]
    subjects: tuple[SliceScore, ...]
    failure: str


def highlights(run: RunTables) -> Highlights:
    """Pick what a reader should look at."""
    whole = run.estimate(_SCORE)
    score = whole.value if whole is not None else float("nan")
    return Highlights(_lowest(run, "colour", score), _lowest(run, "subject", score), _failure(run))


def _lowest(run: RunTables, kind: str, score: float) -> tuple[SliceScore, ...]:
    """Return the groups of a kind with the lowest binding scores, lowest first."""
    prefix = f"{kind}:"
    found = [
        SliceScore(
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


def _failure(run: RunTables) -> str:
    counts = verdict_counts(run)
    failures = {name: counts[name] for name in JUDGED if name != "bound" and counts[name]}
    total = sum(failures.values())
    if not total:
        return "Not one failed." if counts["bound"] else ""
    name = max(failures, key=lambda one: failures[one])
    words = verdict_words(name).failing or f"the verdict is {name}"
    if total == 1:
        return f"In the one that fails, {words}."
    often = "always" if failures[name] == total else "mostly"
    return f"Where it fails, {often} {words} ({failures[name]:,} of {total:,} failures)."


def judged_of(run: RunTables) -> tuple[int, int]:
    """Return how many bindings were judged, of how many that ask for a colour."""
    return int(run.verdicts["verdict"].isin(JUDGED).sum()), len(run.verdicts)


def most_images(found: Sequence[Headline]) -> int:
    """Images of the largest of some numbers."""
    return max((one.estimate.images for one in found), default=0)
