"""The numbers at the top of the page, each with its interval, its n of n and one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.reading import Run


@dataclass(frozen=True, slots=True)
class Headline:
    """One number a reader should know.

    Attributes
    ----------
    key, label : str
    value : float
        NaN where it could not be measured.
    low, high : float or None
        95% interval, None where there are too few cells for one.
    images, scored, cells : int
    sentence : str
        What the number says, in words.
    signed : bool
        A difference rather than a share.
    """

    key: str
    label: str
    value: float
    low: float | None
    high: float | None
    images: int
    scored: int
    cells: int
    sentence: str
    signed: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


#: Key on the page, label, and the metric of the estimates that it shows.
_NAMES: tuple[tuple[str, str, str], ...] = (
    ("score", "Binding score", "binding_score"),
    ("given_drawn", "Binding, given drawn", "binding_given_drawn"),
    ("drawn", "Subject drawn", "drawn"),
    ("leakage", "Leakage rate", "leakage_rate"),
    ("leak_spilled", "Surroundings too", "leakage_spilled"),
    ("leak_neighbour", "Another object", "leakage_neighbour"),
    ("leak_background", "Background", "leakage_background"),
    ("leak_swapped", "Other subject", "leakage_swapped"),
    ("mixed", "Only part of the subject", "mixed"),
    ("unjudged", "Unjudged", "unjudged"),
    ("leak_excess", "Leak beyond the control", "leak_excess"),
    ("gap_seen", "Gap, seen − novel", "gap_seen_novel"),
    ("gap_canonical", "Gap, canonical − anti-canonical", "gap_canonical_anti"),
)
_SIGNED = frozenset({"leak_excess", "gap_seen", "gap_canonical"})

#: Parts of the leakage rate, and the verdict that each is the share of.
LEAK_PLACES: tuple[tuple[str, str], ...] = (
    ("leak_spilled", "spilled"),
    ("leak_neighbour", "neighbour"),
    ("leak_background", "background"),
    ("leak_swapped", "swapped"),
)
#: Group of the estimates over the whole grid.
_WHOLE = "all"


def headlines(run: Run) -> dict[str, Headline]:
    """Headline numbers of a run, by key; those that its estimates lack are left out."""
    found: dict[str, Headline] = {}
    whole = {one.metric: one for one in run.estimates if one.group == _WHOLE}
    for key, label, metric in _NAMES:
        estimate = whole.get(metric)
        if estimate is None:
            continue
        found[key] = Headline(
            key,
            label,
            float(estimate.value),
            estimate.low,
            estimate.high,
            int(estimate.images or 0),
            int(estimate.scored or 0),
            int(estimate.cells or 0),
            _sentence(key, float(estimate.value), estimate.low, estimate.high),
            key in _SIGNED,
        )
    return found


def in_ten(value: float) -> str:
    """Say a share as a person does: ``7 in 10 pictures``, ``1 in 50 pictures``."""
    if value <= 0.0005:
        return "no pictures"
    if value >= 0.9995:
        return "all pictures"
    if 0.45 <= value < 0.55:
        return "about half the pictures"
    if value >= 0.95:
        return "nearly all pictures"
    if value >= 0.095:
        return f"{round(value * 10)} in 10 pictures"
    if value < 0.01:
        return "fewer than 1 in 100 pictures"
    return f"1 in {round(1 / value)} pictures"


def _sentence(key: str, value: float, low: float | None, high: float | None) -> str:
    if math.isnan(value):
        return "Could not be measured on this run."
    share = in_ten(value)
    start = share[:1].upper() + share[1:]
    if key == "leak_excess":
        return _excess(value, low, high)
    if key in _SIGNED:
        kind = "familiar" if key == "gap_seen" else "natural"
        other = "combinations never seen together" if key == "gap_seen" else "unnatural ones"
        if low is None or high is None or low <= 0 <= high:
            return f"No clear difference between {kind} combinations and {other}."
        direction = "better" if value > 0 else "worse"
        return f"{kind.capitalize()} combinations bind {direction} than {other}."
    return {
        "score": f"{start} have the colour on the subject, and only there.",
        "given_drawn": f"Where the subject is drawn, {share} bind.",
        "leakage": f"{start} have the colour where nobody asked for it.",
        "drawn": f"{start} show the subject.",
    }.get(key, f"{start}.")


def _excess(value: float, low: float | None, high: float | None) -> str:
    """Say how much more of the surroundings has the colour than without the colour word."""
    if low is None or high is None or low <= 0 <= high:
        return "The colour word adds no clear share of its colour to the surroundings."
    if value < 0:
        return "The surroundings have less of the colour than without the colour word."
    return f"The colour word paints {100 * value:.1f} points more of the surroundings."
