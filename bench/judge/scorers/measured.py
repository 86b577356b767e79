"""The shares measured in one image, read out as the metrics of one binding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bench.judge.colour.named import basic_term
from bench.judge.colour.palette import Palette
from bench.judge.dichromatic import Surface
from bench.judge.lattice import lattice
from bench.judge.places import (
    PLACES,
    SIDE,
    SUPPORT,
    WALL,
    clear_of,
    inner,
    labels_of,
    place_name,
)
from bench.records import NO_EVIDENCE, Regions
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECTS

#: Of the code that measures and judges: the next one with every change that moves a score or a
#: verdict and that no other option or constant of the record tells.
REVISION = 2
#: A region of fewer pixels than this, or a smaller share of the image, is not measured.
MIN_PIXELS = 4.0
MIN_SHARE = 0.0005
#: Below this presence a subject's pixels are not its own, and its colour is not measured.
MIN_PRESENCE = 0.05

_MAIN = ("evidence", "presence", "bind", "rival", "commonest", "prior")
#: Shares of the basic terms in each kind of place.
_TERMS: dict[str, tuple[str, ...]] = {
    place: tuple(f"{place}_{term}" for term in COLOUR_NAMES)
    for place in ("subject", "background", "neighbour")
}
METRICS: tuple[str, ...] = (
    *_MAIN,
    *(f"leak_{place}" for place in (*PLACES, "background", "neighbour")),
    "swap",
    *(name for names in _TERMS.values() for name in names),
)
_NAN = float("nan")
_NOUNS = {"picture_frame": "picture frame", "other": "other object"}


def grounds_of(regions: Sequence[Regions], palette: Palette) -> list[dict[str, Surface]]:
    """Shares of wall, support, and both as ``background``, of each picture, where they are there.

    Parameters
    ----------
    regions : sequence of Regions
    palette : Palette
        Of the pictures.
    """
    shapes = [own.background.shape for own in regions]
    points = [lattice(shape[0], shape[1], SIDE) for shape in shapes]
    labels = [labels_of(own, *seen) for own, seen in zip(regions, points, strict=True)]
    found: list[dict[str, Surface]] = [{}] * len(labels)
    for size in {own.shape for own in labels}:
        alike = [number for number, own in enumerate(labels) if own.shape == size]
        clear = clear_of(np.stack([labels[number] for number in alike]))
        for number, off_the_band in zip(alike, clear, strict=True):
            colours = palette.colours.of_pixel[number].reshape(shapes[number])[points[number]]
            found[number] = _ground(palette, number, colours, labels[number], off_the_band)
    return found


def _ground(
    palette: Palette, picture: int, colours: np.ndarray, labels: np.ndarray, clear: np.ndarray
) -> dict[str, Surface]:
    first, last = palette.colours.first[picture : picture + 2].tolist()
    colours = colours - first
    named, least = palette.named[first:last], max(MIN_PIXELS, MIN_SHARE * labels.size)
    found: dict[str, Surface] = {}
    every = np.zeros(last - first, np.intp)
    for name, number in (("wall", WALL), ("support", SUPPORT), ("background", None)):
        if number is not None:
            inside = inner(labels == number, clear).ravel().nonzero()[0]
            count = np.bincount(colours.take(inside), minlength=last - first)
            every += count
        else:
            count = every
        area = float(count.sum())
        if area >= least:
            found[name] = Surface((count / area).astype(np.float32) @ named, area)
    return found


class MeasuredImage:
    """Shares of one image, read out as the metrics of one binding."""

    def __init__(
        self,
        cell: Cell,
        regions: Regions,
        surfaces: list[Surface],
        rivals: Sequence[Callable[[int], tuple[float, float]]],
        ground: Mapping[str, Surface],
        columns: tuple[str, ...],
        canonical: Mapping[str, Sequence[str]],
    ) -> None:
        self.canonical = canonical
        self.cell = cell
        self.regions = regions
        self.columns = columns
        self.rivals = rivals
        self.least = max(MIN_PIXELS, MIN_SHARE * regions.background.size)
        count = len(regions.masks)
        self.subjects = surfaces[:count]
        self.neighbours = surfaces[count:]
        self.ground = ground

    def metrics(self, index: int) -> dict[str, tuple[float, str]]:
        """Value and reason of every one of `METRICS` for the binding at ``index``."""
        binding = self.cell.bindings[index]
        rows: dict[str, tuple[float, str]] = {}
        place = self._region_of(index)
        evidence = "given" if place is None else self.regions.evidence_of(place)
        if evidence in NO_EVIDENCE:
            reason = f"unjudged: {NO_EVIDENCE[evidence].format(f'the {binding.subject}')}"
            rows = dict.fromkeys(METRICS, (_NAN, reason))
            rows["evidence"] = (tuple(NO_EVIDENCE).index(evidence) / 10, "")
            return rows
        rows["evidence"] = (1.0, "")
        if place is None:
            reason = f"the segmenter gave no region for {binding.subject}"
            rows["presence"] = (_NAN, reason)
            subject, why = None, reason
        else:
            presence = float(self.regions.found[place])
            rows["presence"] = (presence, "" if presence == presence else "not measured")
            subject = self.subjects[place]
            why = ""
            if presence < MIN_PRESENCE or subject.area < self.least:
                subject, why = None, f"no {binding.subject} found"
        column = self._column(binding.colour)
        no_colour = "" if column is not None else "the prompt asks for no colour"
        rows["bind"] = self._share(subject, column, why or no_colour)
        rows["rival"] = rows["commonest"] = (_NAN, why or no_colour)
        if subject is not None and place is not None and column is not None:
            rival, commonest = self.rivals[place](column)
            rows["rival"], rows["commonest"] = (rival, ""), (commonest, "")
        rows["prior"] = self._prior(binding, subject, why)
        leaks = self._leaks(binding, column, no_colour)
        rows |= {f"leak_{place}": leaks[place] for place in PLACES}
        rows["leak_background"] = _greatest([leaks["wall"], leaks["support"]])
        rows["leak_neighbour"] = _greatest([leaks[p] for p in PLACES[2:]])
        rows["swap"] = self._swap(index, subject, why)
        beside = [n for n in self.neighbours if n.area >= self.least]
        for name, surface, reason in (
            ("subject", subject, why),
            ("background", self.ground.get("background"), "the picture has no background"),
            ("neighbour", _most(beside) if beside else None, "the picture has no other object"),
        ):
            if surface is None:
                rows |= dict.fromkeys(_TERMS[name], (_NAN, reason))
            else:
                shares = zip(_TERMS[name], surface.shares.clip(0.0, 1.0).tolist(), strict=False)
                rows |= {metric: (share, "") for metric, share in shares}
        return rows

    def _region_of(self, index: int) -> int | None:
        """Find the region of a binding: its own place, or else the first of its name."""
        name = self.cell.bindings[index].subject
        subjects = self.regions.subjects
        if index < len(subjects) and subjects[index] == name:
            return index
        return subjects.index(name) if name in subjects else None

    def _column(self, colour: str | None) -> int | None:
        if colour is None:
            return None
        return self.columns.index(basic_term(colour) or colour)

    @staticmethod
    def _share(surface: Surface | None, column: int | None, reason: str) -> tuple[float, str]:
        if surface is None or column is None:
            return _NAN, reason
        return min(1.0, max(0.0, float(surface.shares[column]))), ""

    def _prior(self, binding: Binding, subject: Surface | None, why: str) -> tuple[float, str]:
        if subject is None:
            return _NAN, why
        known = SUBJECTS.get(binding.subject)
        own = self.canonical.get(binding.subject, ())
        canonical = tuple(term for term in own if term in COLOUR_NAMES)
        canonical = canonical or (known.canonical if known else ())
        if not canonical:
            return _NAN, f"no natural colour of {binding.subject} is known"
        asked = basic_term(binding.colour) if binding.colour else None
        canonical = tuple(term for term in canonical if term != asked)
        if not canonical:
            return _NAN, f"{asked} is the natural colour of {binding.subject}"
        shares = [float(subject.shares[COLOUR_NAMES.index(term)]) for term in canonical]
        return min(1.0, sum(shares)), ""

    def _leaks(
        self, binding: Binding, column: int | None, no_colour: str
    ) -> dict[str, tuple[float, str]]:
        """Share of the asked colour in each place; what the prompt asks for there is no leak."""
        if column is None:
            return dict.fromkeys(PLACES, (_NAN, no_colour))
        wanted = {
            place_name(thing.subject)
            for thing in self.cell.scenery
            if _same(thing.colour, binding.colour)
        }
        there: dict[str, list[Surface]] = {
            name: [self.ground[name]] for name in ("wall", "support") if name in self.ground
        }
        for name, surface in zip(self.regions.neighbours, self.neighbours, strict=True):
            if surface.area >= self.least:
                there.setdefault(place_name(name, True), []).append(surface)
        beside = wanted - {"wall", "support"}
        found = {}
        for place in PLACES:
            surfaces = there.get(place, [])
            if surfaces and (place in wanted or (place == "other" and beside)):
                found[place] = (_NAN, f"the prompt asks for {binding.colour} there")
            elif surfaces:
                found[place] = self._share(_most(surfaces), column, "")
            else:
                found[place] = (_NAN, f"the picture has no {_NOUNS.get(place, place)}")
        if "support" in wanted and "support" not in there:
            found["wall"] = (_NAN, f"the prompt asks for {binding.colour} there")
        return found

    def _swap(self, index: int, subject: Surface | None, why: str) -> tuple[float, str]:
        own = self.cell.bindings[index].colour
        others = [b.colour for i, b in enumerate(self.cell.bindings) if i != index and b.colour]
        if not others or own is None:
            return _NAN, "the prompt asks for one coloured subject"
        others = [colour for colour in others if not _same(colour, own)]
        if not others:
            return _NAN, "both subjects are asked for in one colour"
        shares = [self._share(subject, self._column(colour), why) for colour in others]
        return max(shares, key=lambda share: share[0])


def _same(first: str | None, second: str | None) -> bool:
    if first is None or second is None:
        return False
    return (basic_term(first) or first.lower()) == (basic_term(second) or second.lower())


def _most(surfaces: list[Surface]) -> Surface:
    """For each colour, the share of the neighbour that has most of it."""
    if len(surfaces) == 1:
        return surfaces[0]
    shares = np.max([surface.shares for surface in surfaces], axis=0)
    return Surface(shares, max(surface.area for surface in surfaces))


def _greatest(leaks: list[tuple[float, str]]) -> tuple[float, str]:
    known = [leak for leak in leaks if not math.isnan(leak[0])]
    if known:
        return max(known, key=lambda leak: leak[0])
    return next((leak for leak in leaks if "asks for" in leak[1]), leaks[-1])
