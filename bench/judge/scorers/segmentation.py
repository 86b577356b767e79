"""The ``segmentation`` scorer: colour names of pixels, averaged over the regions of an image.

Every metric is defined in docs/metrics.md. The scorer needs nothing but the image and its regions;
how the regions were found is the segmenter's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from bench.judge.colour.difference import membership_table
from bench.judge.colour.model import SHARPNESS
from bench.judge.colour.named import basic_term
from bench.judge.colour.spaces import cube_index
from bench.judge.contours import without_outline
from bench.judge.dichromatic import Surface, plain_shares, surface_shares
from bench.judge.validity import why_void
from bench.judge.white_balance import find_light, remove_light
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import BACKGROUNDS, SUBJECTS

#: A region of fewer pixels than this, or a smaller share of the image, is not measured.
MIN_PIXELS = 4.0
MIN_SHARE = 0.0005
#: Below this presence a subject's pixels are not its own, and its colour is not measured.
MIN_PRESENCE = 0.05

_TERMS = len(COLOUR_NAMES)
_BLACK = COLOUR_NAMES.index("black")
_MAIN = ("presence", "bind", "prior", "leak_background", "leak_neighbour", "swap")
METRICS: tuple[str, ...] = _MAIN + tuple(
    f"{place}_{term}" for place in ("subject", "background", "neighbour") for term in COLOUR_NAMES
)
_NAN = float("nan")


class SegmentationScorer:
    """Shares of the colour terms in the subject, the neighbours and the background.

    Parameters
    ----------
    correct_cast : bool
        Take a colour cast over the whole picture out before naming (`bench.judge.white_balance`).
    correct_surface : bool
        Give shade and gloss to the paint that they lie on (`bench.judge.dichromatic`).
    colours : mapping of str to str, optional
        Hexadecimal codes of colours that a user named; others are basic terms, CSS or XKCD names.
    """

    name = "segmentation"

    def __init__(
        self,
        correct_cast: bool = True,
        correct_surface: bool = True,
        colours: Mapping[str, str] | None = None,
    ) -> None:
        self.colours = dict(colours or {})
        self.correct_cast = correct_cast
        self.correct_surface = correct_surface
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={
                "correct_cast": correct_cast,
                "correct_surface": correct_surface,
                "colour_model": f"cubic softmax in CIELAB, sharpness {SHARPNESS:g}",
                **({"colours": self.colours} if self.colours else {}),
            },
        )

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """Score all bindings of all images.

        Parameters
        ----------
        generations : sequence of Generation
            Images may differ in size.
        regions : sequence of Regions
            One an image, its subjects in the order of the cell's bindings.

        Returns
        -------
        list of Score
            Every metric of `METRICS` for every binding, in order; a metric that cannot be measured
            is NaN with a reason.
        """
        if len(generations) != len(regions):
            raise ValueError(f"{len(generations)} images but {len(regions)} regions")
        scores: list[Score] = []
        for generation, region in zip(generations, regions, strict=True):
            scores.extend(self._score_one(generation, region))
        return scores

    def _score_one(self, generation: Generation, regions: Regions) -> list[Score]:
        sample_id = generation.sample.id
        cell = generation.sample.cell
        void = why_void(generation)
        scores: list[Score] = []
        if not void and regions.masks.shape[-2:] != generation.image.shape[:2]:
            raise ValueError(
                f"regions of {regions.masks.shape[-2:]} for an image of "
                f"{generation.image.shape[:2]}, sample {sample_id}"
            )
        measured = None if void else self._measure(generation.image, cell, regions)
        for index in range(len(cell.bindings)):
            if measured is None:
                rows = dict.fromkeys(METRICS, (_NAN, f"invalid: {void}"))
            else:
                rows = measured.metrics(index)
            scores.extend(
                Score(sample_id, self.name, metric, value, index, reason)
                for metric, (value, reason) in rows.items()
            )
        return scores

    def _measure(self, image: np.ndarray, cell: Cell, regions: Regions) -> _Measured:
        byte = image.reshape(-1, 3)
        subjects = regions.masks.reshape(len(regions.masks), len(byte))
        neighbours = regions.neighbour_masks.reshape(len(regions.neighbour_masks), len(byte))
        background = regions.background.reshape(1, len(byte))
        masks = np.concatenate([subjects, neighbours, background]).astype(np.float32, copy=False)
        if self.correct_cast:
            light = find_light(byte, masks, len(subjects))
            if light is not None:
                byte = remove_light(byte, light)
        colours = asked_colours(cell)
        codes = tuple(self.colours.get(name, name) for name in colours)
        table = membership_table(COLOUR_NAMES + codes)
        named = np.take(table, cube_index(byte), axis=0)
        surfaces = []
        for index, mask in enumerate(masks):
            if self.correct_surface and index < len(masks) - 1:
                painted = without_outline(mask, named[:, _BLACK], image.shape[:2])
                surfaces.append(surface_shares(byte, named, painted, table, _TERMS))
            else:
                surfaces.append(plain_shares(named, mask))
        return _Measured(cell, regions, surfaces, COLOUR_NAMES + colours, byte.shape[0])


@lru_cache(maxsize=4096)
def _asked(bindings: tuple[Binding, ...]) -> tuple[str, ...]:
    names = [binding.colour for binding in bindings if binding.colour]
    return tuple(dict.fromkeys(name for name in names if basic_term(name) is None))


def asked_colours(cell: Cell) -> tuple[str, ...]:
    """List the colours that a cell asks for beside the basic terms."""
    return _asked(cell.bindings)


class _Measured:
    """Shares of one image, read out as the metrics of one binding."""

    def __init__(
        self,
        cell: Cell,
        regions: Regions,
        surfaces: list[Surface],
        columns: tuple[str, ...],
        pixels: int,
    ) -> None:
        self.cell = cell
        self.regions = regions
        self.columns = columns
        self.least = max(MIN_PIXELS, MIN_SHARE * pixels)
        count = len(regions.masks)
        self.subjects = surfaces[:count]
        self.neighbours = surfaces[count:-1]
        self.background = surfaces[-1]

    def metrics(self, index: int) -> dict[str, tuple[float, str]]:
        binding = self.cell.bindings[index]
        rows: dict[str, tuple[float, str]] = {}
        place = self._region_of(index)
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
        rows["prior"] = self._prior(binding, subject, why)
        rows["leak_background"] = self._leak_background(binding, column, no_colour)
        rows["leak_neighbour"] = self._leak_neighbour(binding, column, no_colour)
        rows["swap"] = self._swap(index, subject, why)
        beside = _most([n for n in self.neighbours if n.area >= self.least])
        ground = self.background if self.background.area >= self.least else None
        for name, surface, reason in (
            ("subject", subject, why),
            ("background", ground, "the picture has no background"),
            ("neighbour", beside, "the picture has no other object"),
        ):
            for position, term in enumerate(COLOUR_NAMES):
                rows[f"{name}_{term}"] = self._share(surface, position, reason)
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
        canonical = known.canonical if known else ()
        if not canonical:
            return _NAN, f"no natural colour of {binding.subject} is known"
        asked = basic_term(binding.colour) if binding.colour else None
        canonical = tuple(term for term in canonical if term != asked)
        if not canonical:
            return _NAN, f"{asked} is the natural colour of {binding.subject}"
        shares = [float(subject.shares[COLOUR_NAMES.index(term)]) for term in canonical]
        return min(1.0, sum(shares)), ""

    def _leak_background(
        self, binding: Binding, column: int | None, no_colour: str
    ) -> tuple[float, str]:
        if column is None:
            return _NAN, no_colour
        for place in self.cell.scenery:
            if place.subject in _GROUND and _same(place.colour, binding.colour):
                return _NAN, f"the prompt asks for a {place.colour} {place.subject}"
        if self.background.area < self.least:
            return _NAN, "the picture has no background"
        return self._share(self.background, column, "")

    def _leak_neighbour(
        self, binding: Binding, column: int | None, no_colour: str
    ) -> tuple[float, str]:
        if column is None:
            return _NAN, no_colour
        wanted = {
            place.subject
            for place in self.cell.scenery
            if place.subject not in _GROUND and _same(place.colour, binding.colour)
        }
        counted, excused = [], False
        for name, surface in zip(self.regions.neighbours, self.neighbours, strict=True):
            if surface.area < self.least:
                continue
            if name in wanted or (wanted and name == "other"):
                excused = True
            else:
                counted.append(surface)
        if not counted:
            if excused:
                return _NAN, f"the prompt asks for {binding.colour} there"
            return _NAN, "the picture has no other object"
        return self._share(_most(counted), column, "")

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


#: Scenery that is judged as background, never as a neighbour.
_GROUND = frozenset({*BACKGROUNDS, "background", "floor"})


def _same(first: str | None, second: str | None) -> bool:
    if first is None or second is None:
        return False
    return (basic_term(first) or first.lower()) == (basic_term(second) or second.lower())


def _most(surfaces: list[Surface]) -> Surface | None:
    """For each colour, the share of the neighbour that has most of it."""
    if not surfaces:
        return None
    shares = np.max([surface.shares for surface in surfaces], axis=0)
    return Surface(shares, max(surface.area for surface in surfaces))
