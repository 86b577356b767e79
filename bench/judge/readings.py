"""What the rules of a verdict read from the metrics of one binding: leaks, paint, natural parts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.judge.colour.named import basic_term
from bench.judge.excess import NEUTRAL
from bench.judge.places import PLACES
from bench.records import NOT_JUDGED
from prompts.cells import Binding
from prompts.colours import COLOUR_NAMES
from prompts.hashing import content_hash
from prompts.subjects import SUBJECTS

#: Scorers that say of a subject whether it is there in its colour, and the chances that must all
#: be above one half. What CLIP sees is the crop of a subject that was found.
SECOND_OPINIONS: dict[str, tuple[str, ...]] = {
    "clip": ("clip_bind",),
    "vqa": ("vqa_presence", "vqa_bind"),
    "blipvqa": ("blipvqa",),
    "geneval": ("geneval_bind",),
}
#: Distance to the nearest certified kind, above 1 outside; ``ood_<kind>`` is that to each kind.
DISTANCE = "ood"
#: One binding of one image: metric to value.
Metrics = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Leak:
    """The asked colour in one place.

    Attributes
    ----------
    place : str
        One of `bench.judge.places.PLACES`; ``background`` or ``neighbour`` of a scorer that knows
        no more.
    value : float
        Beyond the control's, where there is one; at the same pixels, where they are known
        (`bench.judge.excess.excess`).
    share : float
        Of the place in the colour.
    held : bool
        Whether there was a control to hold it against.
    """

    place: str
    value: float
    share: float
    held: bool

    @property
    def verdict(self) -> str:
        """``background`` or ``neighbour``."""
        return kind_of(self.place)


def kind_of(place: str) -> str:
    """``background`` for the wall and the support, ``neighbour`` for any other place."""
    return "background" if place in ("wall", "support", "background") else "neighbour"


def leaks_of(binding: Binding, metrics: Metrics, control: Metrics | None) -> list[Leak]:
    """Measure the leak into every place that is there: the one definition of leakage.

    Parameters
    ----------
    binding : Binding
    metrics, control : mapping
        Of the same binding, of the image and of its control. ``excess_<place>`` of the image is the
        leak beyond the control at the same pixels; without it, the control's share of the colour in
        its own place of the kind is taken off.
    """
    if binding.colour is None:
        return []
    known = [place for place in PLACES if f"leak_{place}" in metrics]
    # A segmenter that knows no support calls the table wall; beyond the control it shows.
    wall, support = (value_of(metrics, f"leak_{place}") for place in ("wall", "support"))
    hidden = math.isnan(support) and not math.isnan(wall)
    if hidden and "support" not in known and "excess_support" in metrics:
        known.append("support")
    found = []
    for place in known or ["background", "neighbour"]:
        share = value_of(metrics, f"leak_{place}")
        value = value_of(metrics, f"excess_{place}")
        if place == "support" and hidden:
            share = value
        if math.isnan(share):
            continue
        if math.isnan(value):
            value = share - control_share(control, kind_of(place), binding.colour)
        # Of a wall that is pink in the control all else is gained, and light makes it gray: no
        # more is a leak than the place has by name.
        if basic_term(binding.colour) in NEUTRAL:
            value = min(value, share)
        held = not math.isnan(value)
        found.append(Leak(place, value if held else share, share, held))
    return found


def leak_excess(binding: Binding, metrics: Metrics, control: Metrics | None) -> float:
    """Measure the leak that the colour word caused: the greatest beyond the control's, or NaN."""
    leaks = [leak.value for leak in leaks_of(binding, metrics, control) if leak.held]
    return max(leaks) if leaks else math.nan


def disagreements(verdict: str, metrics: Metrics) -> dict[str, float]:
    """Hold each second opinion on the subject against the verdict.

    Returns
    -------
    dict of str to float
        For each of `SECOND_OPINIONS` ``<name>_disagrees``: 1 where it says otherwise, 0 where it
        says the same, NaN where it was not measured, where nothing is judged, and of ``mixed``,
        which lies between the two; of ``absent`` too where it has no word on presence.
    """
    found = {}
    for name, needed in SECOND_OPINIONS.items():
        chance = min((value_of(metrics, metric) for metric in needed), key=_nan_first)
        blind = verdict == "absent" and name == "clip"
        if math.isnan(chance) or blind or verdict in (*NOT_JUDGED, "mixed"):
            found[f"{name}_disagrees"] = math.nan
        else:
            yes = verdict in ("bound", "spilled")
            found[f"{name}_disagrees"] = float((chance > 0.5) != yes)
    return found


def _nan_first(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def nearest_kind(metrics: Metrics) -> str:
    """Name the certified kind that an image is nearest to; empty where it was not measured."""
    prefix = f"{DISTANCE}_"
    known = [(value_of(metrics, name), name.removeprefix(prefix))
             for name in metrics if name.startswith(prefix)]  # fmt: skip
    known = [pair for pair in known if not math.isnan(pair[0])]
    return min(known)[1] if known else ""


def observed(metrics: Metrics) -> str:
    """Name the term that covers most of the subject; empty where it was not measured."""
    shares = [(value_of(metrics, f"subject_{term}"), term) for term in COLOUR_NAMES]
    known = [pair for pair in shares if not math.isnan(pair[0])]
    return max(known)[1] if known else ""


@dataclass(frozen=True, slots=True)
class Paint:
    """Shares of a subject's paint, natural parts taken off.

    Attributes
    ----------
    asked, commonest, rival : float
        Of the asked colour, of the commonest other one by name, and of the largest other one that
        is a paint of its own.
    body : float
        Share of the subject that is no natural part of another colour.
    named : mapping of str to float
        Of each basic term but the asked one.
    """

    asked: float
    commonest: float
    rival: float
    body: float
    named: Mapping[str, float]


@cache
def _usual_parts() -> dict[str, dict[str, float]]:
    text = (Path(__file__).parent / "parts.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, float]] = json.loads(text)
    return found


@cache
def usual_parts_hash() -> str:
    """Hash of the table of usual parts: a rule of the verdicts, as the thresholds are."""
    return content_hash(json.dumps(_usual_parts(), sort_keys=True))


def natural_share(control: Metrics, subject: str, colour: str) -> float:
    """Share of a subject that has a colour by nature: its control's, or the usual parts'; or NaN.

    The usual parts of a thing (the roof of a house, the leaves of a carrot) stand in where there is
    no control. They are measured on path-traced things, whose parts are known, by
    ``python -m bench.cli.fit parts``.
    """
    return _natural_share(control, subject, colour, observed(control))


def _natural_share(control: Metrics, subject: str, colour: str, main: str) -> float:
    if main:
        return control_share(control, "subject", colour)
    return _usual_parts().get(subject, {}).get(basic_term(colour) or "", math.nan)


def without_parts(metrics: Metrics, control: Metrics, colour: str, subject: str) -> Paint:
    """Take off what the subject has by nature, besides its main colour and its canonical ones.

    The leaves of a carrot are green whatever the carrot is asked to be. Parts in the asked colour
    stay: that they are no gain is the business of ``mixed_gain``.
    """
    bind, asked = value_of(metrics, "bind"), basic_term(colour)
    shares = {term: value_of(metrics, f"subject_{term}") for term in COLOUR_NAMES}
    shares = {t: s for t, s in shares.items() if t != asked and not math.isnan(s)}
    known = SUBJECTS.get(subject)
    main = observed(control)
    parts = {
        term: min(natural, shares[term])
        for term in shares
        if term != main
        and not (known and term in known.canonical)
        and not math.isnan(natural := _natural_share(control, subject, term, main))
    }
    body = max(1e-6, 1.0 - sum(parts.values()))
    named = {term: (share - parts.get(term, 0.0)) / body for term, share in shares.items()}
    # An asked colour that is no basic term shares pixels with the basic terms around it.
    most = max(shares.values(), default=0.0)
    most = most if asked else min(most, 1.0 - bind)

    def largest(metric: str) -> float:
        """Of the other colours none is larger than the metric says, part or not."""
        whole = value_of(metrics, metric)
        whole = most if math.isnan(whole) else whole
        if not parts:
            return whole
        return max(min(share, whole) - parts.get(term, 0.0) for term, share in shares.items())

    commonest, rival = largest("commonest"), largest("rival")
    return Paint(min(1.0, bind / body), commonest / body, rival / body, body, named)


def value_of(metrics: Metrics, name: str) -> float:
    """Value of a metric; NaN where it was not measured."""
    value = metrics.get(name)
    return math.nan if value is None else float(value)


def control_share(control: Metrics | None, place: str, colour: str) -> float:
    """Share of the asked colour at a place in the control image; NaN where not known.

    A colour that is no basic term has no share in a control, whose prompt does not name it.
    """
    term = basic_term(colour)
    return math.nan if control is None or term is None else value_of(control, f"{place}_{term}")
