"""What became of a binding: one verdict, with the rule, the value and the threshold that gave it.

The rules and worked examples are in docs/metrics.md. They are tried in this order; the first that
holds gives the verdict:

1. ``invalid``     the image says nothing
   ``unjudged``    nothing tells which thing is the subject
2. ``absent``      the subject is not in it
3. ``swapped``     the subject has the colour asked for the other one
4. ``spilled``     the subject has the asked colour, and so has a neighbour or the background
5. ``bound``       the subject has the asked colour
6. ``mixed``       the subject has some of it
7. ``neighbour``   another object has it
8. ``background``  the background has it
9. ``prior``       nothing has it, and the subject kept its natural colour
10. ``wrong``      nothing has it, and the subject has another colour
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.judge.colour.named import basic_term
from bench.judge.readings import (
    Leak,
    Metrics,
    leaks_of,
    natural_share,
    observed,
    value_of,
    without_parts,
)
from bench.judge.scorers.measured import MIN_SHARE
from bench.records import NO_EVIDENCE, Verdict
from prompts.cells import Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECTS

#: Colours that walls, tables and plates have without being asked.
_QUIET = frozenset({"white", "gray", "black", "brown"})

#: How a sentence names a place.
PLACE_WORDS: dict[str, str] = {
    "wall": "the wall",
    "support": "the table or floor",
    "plate": "the plate",
    "picture_frame": "the picture frame",
    "other": "another object",
    "background": "the background",
    "neighbour": "another object",
}
#: Leaks that differ by no more than this are alike.
_LIKE = 0.05


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the verdicts part; all are shares in [0, 1].

    ``bound``, ``margin``, ``mixed`` and ``swapped`` are fitted by ``python -m bench.cli.fit
    verdict``; what any of them costs, and where it is best, ``python -m
    bench.certificate.threshold_sweep`` prints.

    Attributes
    ----------
    presence : float
        Least presence of a subject that is drawn.
    bound : float
        Least `bind` of a bound subject. Parts that people do not count (stem, leaf, wheels,
        windows) may keep their own colour, and a segmenter's mask takes in some surroundings.
    margin : float
        Least lead of the asked colour over the next one on a bound subject: parts are several
        and small, a second paint is one and large.
    mixed : float
        Least `bind` of a subject that took some of the colour.
    mixed_gain : float
        Least `bind` of such a subject, and least `swap` of a swapped one, above what it has by
        nature (the leaf of a carrot asked for in green).
    swapped : float
        Least `swap` of a subject in the other one's colour.
    spill_neighbour, spill_background : float
        Least leak, above the control's, that spoils a bound subject's surroundings.
    leak_neighbour, leak_background : float
        Least leak, above the control's, that counts as where the colour went.
    leak_quiet : float
        The same, in place of each of the four, for white, gray, black and brown where there is no
        control: surroundings have these colours without being asked.
    prior : float
        Least share of a subject in its natural colours that kept them.
    """

    presence: float = 0.5
    bound: float = 0.34
    margin: float = 0.18
    mixed: float = 0.2
    mixed_gain: float = 0.15
    swapped: float = 0.34
    spill_neighbour: float = 0.4
    spill_background: float = 0.4
    leak_neighbour: float = 0.25
    leak_background: float = 0.25
    leak_quiet: float = 0.5
    prior: float = 0.4


DEFAULT = Thresholds()


def judge(
    cell: Cell,
    sample_id: str,
    metrics: Sequence[Metrics],
    control: Sequence[Metrics] | None = None,
    *,
    invalid: str = "",
    thresholds: Thresholds = DEFAULT,
) -> list[Verdict]:
    """Judge every binding of one image that asks for a colour.

    Parameters
    ----------
    cell : Cell
        What was asked.
    sample_id : str
    metrics : sequence of mapping
        For each binding in order, the metrics of this image by name; missing and NaN are the same.
    control : sequence of mapping or None
        The same of the control image: the prompt without the colours, same seed. Its shares of
        the asked colour are taken off the leaks, so that only what the colour word caused counts.
    invalid : str
        Why the image says nothing (`bench.judge.validity`), or empty.
    thresholds : Thresholds

    Returns
    -------
    list of Verdict
        One a binding with a colour; none for a control.
    """
    verdicts = []
    for index, binding in enumerate(cell.bindings):
        if binding.colour is None:
            continue
        case = _Case(
            cell,
            index,
            metrics[index] if index < len(metrics) else {},
            control[index] if control is not None and index < len(control) else {},
            thresholds,
        )
        verdict, rule, value, threshold, words = case.decide(invalid)
        verdicts.append(Verdict(sample_id, index, verdict, rule, value, threshold, words))
    return verdicts


_Decision = tuple[str, str, float, float, str]


class _Case:
    """One binding of one image, and the rules that it is put through."""

    def __init__(
        self, cell: Cell, index: int, metrics: Metrics, control: Metrics, thresholds: Thresholds
    ) -> None:
        self.cell = cell
        self.index = index
        self.metrics = metrics
        self.limits = thresholds
        self.binding = cell.bindings[index]
        self.colour = self.binding.colour or ""
        self.subject = self.binding.subject
        self.bind = value_of(metrics, "bind")
        self.control = control
        self.paint = without_parts(metrics, control, self.colour, self.subject)
        self.leaks = leaks_of(self.binding, metrics, control)

    def decide(self, invalid: str) -> _Decision:
        limits = self.limits
        if invalid:
            return "invalid", "image", 0.0, 0.0, f"the image cannot be judged: {invalid}"
        evidence = value_of(self.metrics, "evidence")
        if evidence < 1.0:
            kind = tuple(NO_EVIDENCE)[round(10 * evidence)]
            words = NO_EVIDENCE[kind].format(f"the {self.subject}")
            return "unjudged", kind, evidence, 1.0, words
        presence = value_of(self.metrics, "presence")
        if math.isnan(presence) and math.isnan(self.bind):
            return "invalid", "image", math.nan, 0.0, "the image was not measured"
        if presence < limits.presence:
            words = f"no {self.subject} is seen (presence {_percent(presence)})"
            return "absent", "presence", presence, limits.presence, words
        if math.isnan(self.bind):
            words = f"too little of the {self.subject} is seen to be measured"
            return "absent", "area", 0.0, MIN_SHARE, words
        return self._swapped() or self._bound() or self._mixed() or self._went() or self._kept()

    def _swapped(self) -> _Decision | None:
        swap = value_of(self.metrics, "swap")
        share, limit = swap / self.paint.body, self.limits.swapped
        if not share >= limit or self.bind >= swap:
            return None
        others = [
            b.colour for i, b in enumerate(self.cell.bindings) if i != self.index and b.colour
        ]
        # What the subject has by nature it did not take from the other one.
        natural = (natural_share(self.control, self.subject, colour) for colour in others)
        if any(swap - base < self.limits.mixed_gain for base in natural):
            return None
        theirs = {basic_term(colour) for colour in others}
        if None not in theirs and share < max(
            (s for term, s in self.paint.named.items() if term not in theirs), default=0.0
        ):
            return None
        words = (
            f"{next(iter(others), 'a colour')}, asked for elsewhere, covers {_percent(swap)} of "
            f"the {self.subject}, {self.colour} {_percent(self.bind)}"
        )
        return "swapped", "swap", swap, limit, words

    def _bound(self) -> _Decision | None:
        limits = self.limits
        paint = self.paint
        if not (paint.asked >= limits.bound and paint.asked >= paint.commonest):
            return None
        if not paint.asked - paint.rival >= limits.margin:
            return None
        words = f"{self.colour} covers {_percent(self.bind)} of the {self.subject}"
        leak, limit = self._over(limits.spill_neighbour, limits.spill_background)
        if leak is None:
            return "bound", "bind", self.bind, limits.bound, words
        rule = f"bind and leak_{leak.place}"
        return "spilled", rule, leak.value, limit, f"{words} and {self._at(leak)}"

    def _mixed(self) -> _Decision | None:
        base = natural_share(self.control, self.subject, self.colour)
        gain = self.bind - (0.0 if math.isnan(base) else min(base, 0.5))
        share, term = self._next()
        # What the control has too is no gain; but the commonest colour is never "some other".
        some = gain >= self.limits.mixed_gain or self.bind > share
        if not (self.bind >= self.limits.mixed and some):
            return None
        words = f"{self.colour} covers only {_percent(self.bind)} of the {self.subject}"
        if share >= 0.05:
            words += f", and {term} {_percent(share)}"
        if self.paint.asked >= self.limits.bound:
            return "mixed", "margin", self.paint.asked - self.paint.rival, self.limits.margin, words
        return "mixed", "bind", self.bind, self.limits.mixed, words

    def _went(self) -> _Decision | None:
        leak, limit = self._over(self.limits.leak_neighbour, self.limits.leak_background)
        if leak is None:
            return None
        words = f"{self.colour} covers {_percent(self.bind)} of the {self.subject} and "
        return leak.verdict, f"leak_{leak.place}", leak.value, limit, words + self._at(leak)

    def _over(self, neighbour: float, background: float) -> tuple[Leak | None, float]:
        """Find the greatest leak above its limit, and the limit."""
        limits = {"neighbour": neighbour, "background": background}
        over = [leak for leak in self.leaks if leak.value >= self._limit(leak, limits)]
        if not over:
            return None, math.nan
        # Where both took it alike, everything but the subject did: the background is the larger.
        most = max(over, key=lambda leak: leak.value + _LIKE * (leak.verdict == "background"))
        return most, self._limit(most, limits)

    def _kept(self) -> _Decision:
        share, term = self._next(besides_asked=False)
        words = (
            f"{self.colour} covers {_percent(self.bind)} of the {self.subject}, which is "
            f"{term} ({_percent(share)})"
        )
        prior = self._prior() / self.paint.body
        if prior >= self.limits.prior:
            return "prior", "prior", prior, self.limits.prior, f"{words}, as is its nature"
        return "wrong", "bind", self.bind, self.limits.mixed, words

    def _prior(self) -> float:
        """Share in the natural colours; of an unknown subject, in the control's main colour."""
        prior = value_of(self.metrics, "prior")
        if not math.isnan(prior):
            return prior
        known = SUBJECTS.get(self.subject)
        usual = observed(self.control)
        if (known and known.canonical) or not usual or usual == basic_term(self.colour):
            return math.nan
        return value_of(self.metrics, f"subject_{usual}")

    def _limit(self, leak: Leak, limits: Mapping[str, float]) -> float:
        """Raise the limit of a leak where a quiet colour has no control to be held against."""
        limit = limits[leak.verdict]
        if leak.held or basic_term(self.colour) not in _QUIET:
            return limit
        return max(limit, self.limits.leak_quiet)

    def _at(self, leak: Leak) -> str:
        """The place that was measured, and no other, in words."""
        base = leak.share - leak.value if leak.held else 0.0
        without = "" if base < 0.05 else f" ({_percent(base)} without the word)"
        return f"{_percent(leak.share)} of {PLACE_WORDS[leak.place]}{without}"

    def _next(self, besides_asked: bool = True) -> tuple[float, str]:
        """Find the term that covers most of the subject, and its share, besides the asked one."""
        skip = basic_term(self.colour) if besides_asked else None
        shares = [(value_of(self.metrics, f"subject_{term}"), term) for term in COLOUR_NAMES]
        known = [pair for pair in shares if not math.isnan(pair[0]) and pair[1] != skip]
        share, term = max(known, default=(0.0, "of no measured colour"))
        # An asked colour that is no basic term shares pixels with the basic terms around it.
        return (min(share, 1.0 - self.bind) if besides_asked else share), term


def _percent(share: float) -> str:
    return "unknown" if math.isnan(share) else f"{round(100 * share)}%"
