"""The ``segmentation`` scorer: colour names of pixels, averaged over the regions of an image.

Every metric is defined in docs/metrics.md. The scorer needs nothing but the image and its regions;
how the regions were found is the segmenter's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache, partial

import numpy as np

from bench.judge.colour.difference import membership_table, parents_of
from bench.judge.colour.model import SHARPNESS
from bench.judge.colour.named import basic_term
from bench.judge.colour.palette import palette_of
from bench.judge.contours import without_outline
from bench.judge.device import in_threads
from bench.judge.dichromatic import Surface, plain_shares, surface_shares
from bench.judge.local_light import DEFAULT as LOCAL_LIGHT
from bench.judge.local_light import LocalLight, as_seen
from bench.judge.paints import VALLEY, Paints
from bench.judge.resolution import SIDE, sampled, sampled_regions, working_shape
from bench.judge.scorers.measured import METRICS, MeasuredImage, ground_of
from bench.judge.white_balance import find_light, remove_light
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES

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
    valley : (float, float)
        Constants of `bench.judge.paints`, for their fit.
    """

    name = "segmentation"

    def __init__(
        self,
        correct_cast: bool = True,
        correct_surface: bool = True,
        colours: Mapping[str, str] | None = None,
        canonical: Mapping[str, Sequence[str]] | None = None,
        local_light: LocalLight = LOCAL_LIGHT,
        valley: tuple[float, float] = VALLEY,
    ) -> None:
        self.local_light, self.valley = local_light, valley
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
                "local_light": asdict(local_light),
                "valley": list(valley),
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
        pairs = list(zip(generations, regions, strict=True))
        return [score for scores in in_threads(self._score_one, pairs) for score in scores]

    def _score_one(self, pair: tuple[Generation, Regions]) -> list[Score]:
        generation, regions = pair
        sample_id = generation.sample.id
        cell = generation.sample.cell
        void = generation.invalid
        scores: list[Score] = []
        whole, shape = generation.image.shape[:2], regions.background.shape
        if not void and shape not in (whole, working_shape(*whole)):
            raise ValueError(f"regions of {shape} for an image of {whole}, sample {sample_id}")
        measured = None
        if not void:
            image = sampled(generation.image)
            measured = self._measure(image, cell, sampled_regions(regions))
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

    def _measure(self, image: np.ndarray, cell: Cell, regions: Regions) -> MeasuredImage:
        byte = image.reshape(-1, 3)
        subjects = regions.masks.reshape(len(regions.masks), len(byte))
        neighbours = regions.neighbour_masks.reshape(len(regions.neighbour_masks), len(byte))
        background = regions.background.reshape(1, len(byte))
        masks = np.concatenate([subjects, neighbours, background]).astype(np.float32, copy=False)
        if self.correct_cast:
            shape = (len(masks), *image.shape[:2])
            light = find_light(image, masks.reshape(shape), len(subjects))
            if light is not None:
                byte = remove_light(byte, light)
        if self.correct_surface:
            byte = as_seen(byte, masks, self.local_light)
        colours = asked_colours(cell)
        codes = tuple(self.colours.get(name, name) for name in colours)
        meanings = COLOUR_NAMES + codes
        palette = palette_of(byte, membership_table(meanings))
        black = (palette.named[:, _BLACK] > 0.5)[palette.of_pixel]
        shape = image.shape[:2]
        paints = Paints(palette, shape, self.valley)
        surfaces, rivals = [], []
        for index, mask in enumerate(masks[:-1]):
            if self.correct_surface:
                mask = without_outline(mask, black, shape)
                surfaces.append(surface_shares(palette, mask, _TERMS))
            else:
                surfaces.append(plain_shares(palette, mask))
            if index < len(subjects):
                rivals.append(partial(_rival, paints, mask, surfaces[-1], meanings))
        columns = COLOUR_NAMES + colours
        ground = ground_of(regions, palette)
        return MeasuredImage(cell, regions, surfaces, rivals, ground, columns, self.canonical)


def _rival(
    paints: Paints, mask: np.ndarray, surface: Surface, meanings: tuple[str, ...], requested: int
) -> tuple[float, float]:
    parents = parents_of(meanings[requested]) if requested >= _TERMS else frozenset()
    return paints.rival(mask, surface.shares, requested, _TERMS, parents)


@lru_cache(maxsize=4096)
def _requested_terms(bindings: tuple[Binding, ...]) -> tuple[str, ...]:
    names = [binding.colour for binding in bindings if binding.colour]
    return tuple(dict.fromkeys(name for name in names if basic_term(name) is None))


def asked_colours(cell: Cell) -> tuple[str, ...]:
    """List the colours that a cell asks for beside the basic terms."""
    return _requested_terms(cell.bindings)
