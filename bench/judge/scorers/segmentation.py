"""The ``segmentation`` scorer: colour names of pixels, averaged over the regions of an image.

Every metric is defined in docs/metrics.md. The scorer needs nothing but the image and its regions;
how the regions were found is the segmenter's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache, partial

import numpy as np

from bench.judge.colour.difference import parents_of
from bench.judge.colour.model import SHARPNESS
from bench.judge.colour.named import basic_term
from bench.judge.colour.palette import Histograms, Palette, histograms_of, palette_of
from bench.judge.contours import without_outline
from bench.judge.device import in_threads
from bench.judge.dichromatic import LEAST, Surface, plain_shares, surface_shares
from bench.judge.local_light import DEFAULT as LOCAL_LIGHT
from bench.judge.local_light import LocalLight, as_seen
from bench.judge.paints import DEFAULT as PAINT_MODEL
from bench.judge.paints import PaintModel, Paints
from bench.judge.resolution import SIDE, sampled, sampled_regions, working_shape
from bench.judge.scorers.measured import METRICS, REVISION, MeasuredImage, grounds_of
from bench.judge.white_balance import MOST_GAIN, find_lights, remove_light
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES

#: Pixels that are measured together.
TOGETHER = 1 << 18
_TERMS = len(COLOUR_NAMES)
_BLACK = COLOUR_NAMES.index("black")
_NAN = float("nan")


class SegmentationScorer:
    """Shares of the colour terms in the subject, the neighbours and the background.

    Parameters
    ----------
    correct_cast : bool
        Take a colour cast over the whole picture out before naming (`bench.judge.white_balance`).
    correct_surface : bool
        Give shade and gloss to the paint that they lie on (`bench.judge.dichromatic`), and take the
        surroundings' light off pale surfaces (`bench.judge.local_light`).
    colours : mapping of str to str, optional
        Hexadecimal codes of colours that a user named; others are basic terms, CSS or XKCD names.
    canonical : mapping of str to sequence of str, optional
        Natural colours, basic terms, of subjects that are not the suite's own.
    local_light : LocalLight
        Constants of `bench.judge.local_light`, for their fit.
    paint_model : PaintModel
        Constants of `bench.judge.paints`, for their fit.
    most_gain : float
        Constant of `bench.judge.white_balance`, for its fit.
    """

    name = "segmentation"

    def __init__(
        self,
        correct_cast: bool = True,
        correct_surface: bool = True,
        colours: Mapping[str, str] | None = None,
        canonical: Mapping[str, Sequence[str]] | None = None,
        local_light: LocalLight = LOCAL_LIGHT,
        paint_model: PaintModel = PAINT_MODEL,
        most_gain: float = MOST_GAIN,
    ) -> None:
        self.local_light, self.paint_model = local_light, paint_model
        self.most_gain = most_gain
        self.canonical = {name: list(terms) for name, terms in (canonical or {}).items()}
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
                "side": SIDE,
                "revision": REVISION,
                "local_light": asdict(local_light),
                "paints": asdict(paint_model),
                "most_gain": most_gain,
                **({"colours": self.colours} if self.colours else {}),
                **({"canonical": self.canonical} if self.canonical else {}),
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
        groups = _groups(list(zip(generations, regions, strict=True)))
        return [score for scores in in_threads(self._score, groups) for score in scores]

    def _score(self, group: Sequence[tuple[Generation, Regions]]) -> list[Score]:
        valid = [pair for pair in group if not pair[0].invalid]
        for generation, regions in valid:
            whole, shape = generation.image.shape[:2], regions.background.shape
            if shape not in (whole, working_shape(*whole)):
                sample_id = generation.sample.id
                raise ValueError(f"regions of {shape} for an image of {whole}, sample {sample_id}")
        measured = iter(self._measure(valid) if valid else ())
        scores: list[Score] = []
        for generation, _ in group:
            sample_id, void = generation.sample.id, generation.invalid
            image = None if void else next(measured)
            for index in range(len(generation.sample.cell.bindings)):
                if image is None:
                    rows = dict.fromkeys(METRICS, (_NAN, f"invalid: {void}"))
                else:
                    rows = image.metrics(index)
                scores.extend(
                    Score(sample_id, self.name, metric, value, index, reason)
                    for metric, (value, reason) in rows.items()
                )
        return scores

    def _measure(self, group: Sequence[tuple[Generation, Regions]]) -> list[MeasuredImage]:
        """Measure several pictures at once: of small ones the calls cost more than the pixels."""
        regions = [sampled_regions(own) for _, own in group]
        # Channel by channel in memory: arithmetic on one is several times as fast.
        channels = [
            np.ascontiguousarray(sampled(generation.image).transpose(2, 0, 1))
            for generation, _ in group
        ]
        masks = [
            np.concatenate([own.masks, own.neighbour_masks, own.background[None]], dtype=np.float32)
            for own in regions
        ]
        pictures = [planes.reshape(3, -1).T for planes in channels]
        if self.correct_cast:
            images = [planes.transpose(1, 2, 0) for planes in channels]
            subjects = [len(own.masks) for own in regions]
            lights = find_lights(images, masks, subjects, self.most_gain)
            pictures = [
                byte if light is None else remove_light(byte, light)
                for byte, light in zip(pictures, lights, strict=True)
            ]
        masks = [every.reshape(len(every), -1) for every in masks]
        if self.correct_surface:
            pictures = as_seen(pictures, masks, self.local_light)
        cells = [generation.sample.cell for generation, _ in group]
        asked = [asked_colours(cell) for cell in cells]
        codes = [tuple(self.colours.get(name, name) for name in names) for names in asked]
        palette = palette_of(pictures, codes)
        things = [list(every[:-1]) for every in masks]
        if self.correct_surface:
            is_black = palette.named[:, _BLACK] > 0.5
            for number, own in enumerate(regions):
                black = is_black.take(palette.colours.of_pixel[number])
                shape = own.background.shape
                things[number] = [without_outline(mask, black, shape) for mask in things[number]]
            histograms = histograms_of(palette, things, LEAST)
            surfaces = surface_shares(palette, histograms, _TERMS)
        else:
            histograms = histograms_of(palette, things)
            surfaces = plain_shares(palette, histograms)
        grounds, measured, first = grounds_of(regions, palette), [], 0
        for number, (cell, own) in enumerate(zip(cells, regions, strict=True)):
            last = first + len(things[number])
            rivals = [
                partial(
                    self._rival,
                    palette,
                    histograms,
                    region,
                    mask.reshape(own.background.shape),
                    surfaces[region],
                )
                for region, mask in enumerate(things[number][: len(own.masks)], first)
            ]
            columns = COLOUR_NAMES + asked[number]
            of_things = surfaces[first:last]
            measured.append(
                MeasuredImage(
                    cell, own, of_things, rivals, grounds[number], columns, self.canonical
                )
            )
            first = last
        return measured

    def _rival(
        self,
        palette: Palette,
        histograms: Histograms,
        region: int,
        mask: np.ndarray,
        surface: Surface,
        requested: int,
    ) -> tuple[float, float]:
        asked = palette.codes[histograms.picture[region]]
        parents = parents_of(asked[requested - _TERMS]) if requested >= _TERMS else frozenset()
        paints = Paints(palette, histograms, region, mask, self.paint_model)
        return paints.rival(surface.shares, requested, _TERMS, parents)


def _groups(
    pairs: Sequence[tuple[Generation, Regions]],
) -> list[list[tuple[Generation, Regions]]]:
    """Pictures that are measured together, in their order."""
    groups: list[list[tuple[Generation, Regions]]] = []
    room = 0
    for pair in pairs:
        size = pair[1].background.size
        if not groups or size > room:
            groups.append([])
            room = TOGETHER
        groups[-1].append(pair)
        room -= size
    return groups


@lru_cache(maxsize=4096)
def _requested_terms(bindings: tuple[Binding, ...]) -> tuple[str, ...]:
    names = [binding.colour for binding in bindings if binding.colour]
    return tuple(dict.fromkeys(name for name in names if basic_term(name) is None))


def asked_colours(cell: Cell) -> tuple[str, ...]:
    """List the colours that a cell asks for beside the basic terms."""
    return _requested_terms(cell.bindings)
