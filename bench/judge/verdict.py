"""What became of a binding: one verdict, with the rule, the value and the threshold that gave it.

The rules and worked examples are in docs/metrics.md. They are tried in this order; the first that
holds gives the verdict:

1. ``invalid``     the image says nothing
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
from bench.records import Verdict
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECTS

#: Colours that walls, tables and plates have without being asked.
_QUIET = frozenset({"white", "gray", "black", "brown"})

#: Leaks that differ by no more than this are alike.
_LIKE = 0.05

#: One binding of one image: metric to value.
Metrics = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the verdicts part; all are shares in [0, 1].

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
        Least `bind` of such a subject above its control's, which may have parts in the asked
        colour by nature (the leaf of a carrot asked for in green).
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
    bound: float = 0.5
    margin: float = 0.25
    mixed: float = 0.22
    mixed_gain: float = 0.15
    swapped: float = 0.5
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


def leak_excess(binding: Binding, metrics: Metrics, control: Metrics | None) -> float:
    """Measure the leak that the colour word caused: the greater leak above the control's, or NaN.

    Parameters
    ----------
    binding : Binding
    metrics, control : mapping
        Of the same binding, of the image and of its control.
    """
    if control is None or binding.colour is None:
        return math.nan
    excess = []
    for place in ("background", "neighbour"):
        leak = _get(metrics, f"leak_{place}")
        base = _control_share(control, place, binding.colour)
        if not math.isnan(leak) and not math.isnan(base):
            excess.append(leak - base)
    return max(excess) if excess else math.nan


def observed(metrics: Metrics) -> str:
    """Name the term that covers most of the subject; empty where it was not measured."""
    shares = [(_get(metrics, f"subject_{term}"), term) for term in COLOUR_NAMES]
    known = [pair for pair in shares if not math.isnan(pair[0])]
    return max(known)[1] if known else ""


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
        self.bind = _get(metrics, "bind")
        self.control = control
        self.leaks = {place: self._leak(place) for place in ("neighbour", "background")}

    def decide(self, invalid: str) -> _Decision:
        limits = self.limits
        if invalid:
            return "invalid", "image", 0.0, 0.0, f"the image cannot be judged: {invalid}"
        presence = _get(self.metrics, "presence")
        if math.isnan(presence) and math.isnan(self.bind):
            return "invalid", "image", math.nan, 0.0, "the image was not measured"
        if presence < limits.presence or math.isnan(self.bind):
            words = f"no {self.subject} is seen (presence {_percent(presence)})"
            return "absent", "presence", presence, limits.presence, words
        return self._swapped() or self._bound() or self._mixed() or self._went() or self._kept()

    def _swapped(self) -> _Decision | None:
        swap = _get(self.metrics, "swap")
        if not swap >= self.limits.swapped or self.bind >= swap:
            return None
        others = [
            b.colour
            for i, b in enumerate(self.cell.bindings)
            if i != self.index and b.colour and b.colour != self.colour
        ]
        words = (
            f"{others[0]}, asked for elsewhere, covers {_percent(swap)} of the {self.subject}, "
            f"{self.colour} {_percent(self.bind)}"
        )
        return "swapped", "swap", swap, self.limits.swapped, words

    def _bound(self) -> _Decision | None:
        limits = self.limits
        if not (self.bind >= limits.bound and self.bind - self._next()[0] >= limits.margin):
            return None
        spills = {
            "neighbour": self._limit("neighbour", limits.spill_neighbour),
            "background": self._limit("background", limits.spill_background),
        }
        over = {
            place: (self.leaks[place] - limit, self.leaks[place], limit)
            for place, limit in spills.items()
            if self.leaks[place] >= limit
        }
        words = f"{self.colour} covers {_percent(self.bind)} of the {self.subject}"
        if not over:
            return "bound", "bind", self.bind, limits.bound, words
        place = max(over, key=lambda key: over[key])
        _, excess, limit = over[place]
        return "spilled", f"bind and leak_{place}", excess, limit, f"{words} and {self._at(place)}"

    def _mixed(self) -> _Decision | None:
        base = _control_share(self.control, "subject", self.colour)
        gain = self.bind - (0.0 if math.isnan(base) else min(base, 0.5))
        share, term = self._next()
        # What the control has too is no gain; but the commonest colour is never "some other".
        some = gain >= self.limits.mixed_gain or self.bind > share
        if not (self.bind >= self.limits.mixed and some):
            return None
        words = f"{self.colour} covers only {_percent(self.bind)} of the {self.subject}"
        if share >= 0.05:
            words += f", and {term} {_percent(share)}"
        if self.bind >= self.limits.bound:
            return "mixed", "margin", self.bind - share, self.limits.margin, words
        return "mixed", "bind", self.bind, self.limits.mixed, words

    def _went(self) -> _Decision | None:
        limits = {
            "neighbour": self._limit("neighbour", self.limits.leak_neighbour),
            "background": self._limit("background", self.limits.leak_background),
        }
        over = {place: leak for place, leak in self.leaks.items() if leak >= limits[place]}
        if not over:
            return None
        # Where both took it alike, everything but the subject did: the background is the larger.
        place = max(over, key=lambda key: over[key] + _LIKE * (key == "background"))
        words = f"{self.colour} covers {_percent(self.bind)} of the {self.subject} and "
        return place, f"leak_{place}", over[place], limits[place], words + self._at(place)

    def _kept(self) -> _Decision:
        share, term = self._next(besides_asked=False)
        words = (
            f"{self.colour} covers {_percent(self.bind)} of the {self.subject}, which is "
            f"{term} ({_percent(share)})"
        )
        prior = self._prior()
        if prior >= self.limits.prior:
            return "prior", "prior", prior, self.limits.prior, f"{words}, as is its nature"
        return "wrong", "bind", self.bind, self.limits.mixed, words

    def _prior(self) -> float:
        """Share in the natural colours; of an unknown subject, in the control's main colour."""
        prior = _get(self.metrics, "prior")
        if not math.isnan(prior):
            return prior
        known = SUBJECTS.get(self.subject)
        usual = observed(self.control)
        if (known and known.canonical) or not usual or usual == basic_term(self.colour):
            return math.nan
        return _get(self.metrics, f"subject_{usual}")

    def _leak(self, place: str) -> float:
        leak = _get(self.metrics, f"leak_{place}")
        base = _control_share(self.control, place, self.colour)
        return leak if math.isnan(base) else leak - base

    def _limit(self, place: str, limit: float) -> float:
        """Raise the limit of a leak where a quiet colour has no control to be held against."""
        if basic_term(self.colour) not in _QUIET:
            return limit
        known = not math.isnan(_control_share(self.control, place, self.colour))
        return limit if known else max(limit, self.limits.leak_quiet)

    def _at(self, place: str) -> str:
        share = _percent(_get(self.metrics, f"leak_{place}"))
        base = _control_share(self.control, place, self.colour)
        spot = "the background" if place == "background" else self._neighbour()
        without = "" if math.isnan(base) or base < 0.05 else f" ({_percent(base)} without the word)"
        return f"{share} of {spot}{without}"

    def _neighbour(self) -> str:
        from prompts.subjects import NEIGHBOURS

        named = [place.subject for place in self.cell.scenery if place.subject in NEIGHBOURS]
        return f"the {named[0]}" if len(named) == 1 else "another object"

    def _next(self, besides_asked: bool = True) -> tuple[float, str]:
        """Find the term that covers most of the subject, and its share, besides the asked one."""
        skip = basic_term(self.colour) if besides_asked else None
        shares = [(_get(self.metrics, f"subject_{term}"), term) for term in COLOUR_NAMES]
        known = [pair for pair in shares if not math.isnan(pair[0]) and pair[1] != skip]
        share, term = max(known, default=(0.0, "of no measured colour"))
        # An asked colour that is no basic term shares pixels with the basic terms around it.
        return (min(share, 1.0 - self.bind) if besides_asked else share), term


def _get(metrics: Metrics, name: str) -> float:
    value = metrics.get(name)
    return math.nan if value is None else float(value)


def _control_share(control: Metrics | None, place: str, colour: str) -> float:
    """Share of the asked colour at a place in the control image; NaN where not known.

    A colour that is no basic term has no share in a control, whose prompt does not name it.
    """
    term = basic_term(colour)
    return math.nan if control is None or term is None else _get(control, f"{place}_{term}")


def _percent(share: float) -> str:
    return "unknown" if math.isnan(share) else f"{round(100 * share)}%"
