"""The constants of places, fitted on leaks that are known beside their controls.

Every pair of `bench.certificate.leak_pairs` is measured once with exact masks and once with the
segmenter's own. Then the leak beyond the control and the verdict are worked out anew for each value
of each constant of `bench.judge.places` and `bench.judge.excess`, one at a time. A verdict of a
leak where nothing leaked, or of the other kind of place, is false; a leak without a verdict of its
kind is missed. The best value is that of the fewest false and missed ones. All values that differ
from it by no more than one standard error are as good by this fit: ``python -m bench.cli.fit
places`` prints them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from bench.certificate.conditions import SET_SEED
from bench.certificate.leak_pairs import LeakPair, leak_pairs
from bench.certificate.report import measure_known
from bench.certificate.scenes import Answer, Conditions
from bench.judge import excess as beyond
from bench.judge import places
from bench.judge.excess import excess
from bench.judge.placed import picture_of
from bench.judge.places import Picture, labels_of
from bench.judge.readings import Metrics, kind_of
from bench.judge.resolution import sampled_regions
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import judge
from bench.protocols import Scorer, Segmenter
from bench.records import LEAKS

#: Values that are tried of each constant.
PLACE_GRID: dict[str, tuple[float, ...]] = {
    "BAND": (0.0, 0.015, 0.03, 0.045, 0.06, 0.09),
    "LEAST_LEFT": (0.1, 0.25, 0.4, 0.6),
    "ON_SUBJECT": (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    "PART": (0.0, 0.04, 0.08, 0.12, 0.18, 0.25, 0.4),
    "UNTOUCHED": (0.0, 0.05, 0.1, 0.2, 0.4),
    "WHOLE": (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "ALIKE": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.01),
    "SUBJECT_TERM": (0.02, 0.05, 0.1, 0.2, 0.3),
    "LEAST_PATCH": (0.0, 0.01, 0.02, 0.04, 0.06, 0.1),
    "SAME": (0.0, 5.0, 10.0, 15.0, 25.0),
    "SAME_NEUTRAL": (0.0, 10.0, 15.0, 20.0, 25.0, 35.0),
    "PARTED": (2.5, 5.0, 10.0, 20.0, 30.0),
    "LEAST_PART": (0.05, 0.1, 0.15, 0.2, 0.3),
}
#: What pairs are drawn under: as large as small models make them, and as JPEG leaves them, whose
#: halved chroma makes halos.
CONDITIONS = (
    Conditions(scale=(0.6, 1.0)),
    Conditions(jpeg=75, scale=(0.6, 1.0)),
    Conditions(size=128, jpeg=75, scale=(0.6, 1.0)),
)
#: What may be said of each leak. A patch of the ground is a thing to a segmenter that sees one.
_RIGHT: dict[str, tuple[str, ...]] = {
    "": ("",),
    **dict.fromkeys(("wall", "table"), ("background",)),
    **dict.fromkeys(("plate", "frame", "other"), ("neighbour",)),
    "patch": ("background", "neighbour"),
}


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPair:
    """A pair as the judge sees it, before any constant of places.

    Attributes
    ----------
    answer : Answer
        Of the picture.
    right : tuple of str
        What `leak_verdict` may say.
    metrics, control_metrics : tuple of mapping
    picture, control : Picture
        Wall and support not yet parted.
    """

    answer: Answer
    right: tuple[str, ...]
    metrics: tuple[Metrics, ...]
    control_metrics: tuple[Metrics, ...]
    picture: Picture
    control: Picture


@contextmanager
def constants(**values: float) -> Iterator[None]:
    """Constants of `PLACE_GRID` with other values, within the block; no two at once."""
    before = {name: constant(name) for name in values}
    try:
        for name, value in values.items():
            setattr(_module_of(name), name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(_module_of(name), name, value)


def constant(name: str) -> float:
    """Return the value of a constant of `PLACE_GRID` as it is now."""
    return float(getattr(_module_of(name), name))


def _module_of(name: str) -> ModuleType:
    return places if hasattr(places, name) else beyond


def measure_pairs(
    pairs: Sequence[LeakPair], segmenter: Segmenter | None, scorer: Scorer | None = None
) -> list[MeasuredPair]:
    """Measure pairs with the masks of a segmenter, or the exact ones."""
    scorer = scorer or SegmentationScorer()
    sides = []
    for answers in ([one.picture for one in pairs], [one.control for one in pairs]):
        if segmenter is not None:
            images = [one.generation.image for one in answers]
            cells = [one.generation.sample.cell for one in answers]
            found = segmenter.segment(images, cells)
            answers = [replace(a, regions=r) for a, r in zip(answers, found, strict=True)]
        sides.append((answers, measure_known(answers, None, scorer)))
    (answers, measured), (controls, control_measured) = sides
    return [
        MeasuredPair(
            answer,
            _RIGHT[pair.leak],
            one.metrics,
            other.metrics,
            _picture(answer),
            _picture(control),
        )
        for pair, answer, control, one, other in zip(
            pairs, answers, controls, measured, control_measured, strict=True
        )
    ]


def _picture(answer: Answer) -> Picture:
    labels = labels_of(sampled_regions(answer.regions))
    with constants(PARTED=math.inf):
        return picture_of(answer.generation.image, labels, tuple(answer.regions.neighbours))


@lru_cache(maxsize=4096)
def _parted(picture: Picture, parted: float, least_part: float) -> Picture:
    """`part_support` with the constants given, which are those of the module now."""
    return places.part_support(picture)


def leak_verdict(pair: MeasuredPair) -> str:
    """``background`` or ``neighbour`` where the judge says that the colour leaked; else empty."""
    sample = pair.answer.generation.sample
    binding = sample.cell.bindings[0]
    cuts = places.PARTED, places.LEAST_PART
    picture, control = (_parted(one, *cuts) for one in (pair.picture, pair.control))
    found = excess(picture, control, binding.colour or "")
    metrics = {**pair.metrics[0], **{f"excess_{place}": value for place, value in found.items()}}
    verdict = judge(sample.cell, sample.id, [metrics], pair.control_metrics)[0]
    return kind_of(verdict.rule.rpartition("leak_")[2]) if verdict.verdict in LEAKS else ""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """False and missed leaks of each pair, bool (N,), and whether there is one."""

    false: np.ndarray
    missed: np.ndarray
    true: np.ndarray

    def row(self) -> dict[str, Any]:
        """Precision and recall of leak verdicts, and the counts."""
        hit = int((self.true & ~self.missed).sum())
        false, missed = int(self.false.sum()), int(self.missed.sum())
        precision, recall = hit / max(1, hit + false), hit / max(1, hit + missed)
        return {
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "false": false,
            "missed": missed,
        }

    @property
    def errors(self) -> np.ndarray:
        """False and missed ones together, of each pair."""
        return self.false.astype(int) + self.missed


def tally(pairs: Sequence[MeasuredPair]) -> Tally:
    """Hold the verdicts of pairs against what is known, with the constants as they are now."""
    said = [leak_verdict(pair) for pair in pairs]
    wrong = np.array([it not in pair.right for it, pair in zip(said, pairs, strict=True)])
    true = np.array(["" not in pair.right for pair in pairs])
    return Tally(wrong & (np.array(said) != ""), wrong & true, true)


def flat_range(errors: Mapping[float, np.ndarray]) -> tuple[float, list[float]]:
    """The value of the fewest errors, and all whose errors are within one standard error of its.

    Parameters
    ----------
    errors : mapping of float to ndarray, (N,)
        Of each pair, by value of the constant.

    Returns
    -------
    float
    list of float
        In order; the standard error is that of the paired difference if both erred alike
        (McNemar 1947).
    """
    best = min(errors, key=lambda value: errors[value].sum())
    flat = []
    for value, row in errors.items():
        apart = row - errors[best]
        if apart.sum() <= math.sqrt((apart**2).sum()):
            flat.append(value)
    return best, flat


def fit_places(
    kinds: Mapping[str, Sequence[MeasuredPair]],
    only: Sequence[str] = (),
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, Any]:
    """For each constant what every value costs, the best one and the flat range.

    Parameters
    ----------
    kinds : mapping of str to sequence of MeasuredPair
        By the masks that they were measured with: ``exact``, ``own``. All count alike.
    only : sequence of str
        Constants; all by default.
    report : callable
        Given the row of each constant as it is found.
    """
    found: dict[str, Any] = {}
    now = {kind: tally(pairs) for kind, pairs in kinds.items()}
    found["now"] = {kind: one.row() for kind, one in now.items()}
    for name in only or PLACE_GRID:
        value = constant(name)
        tried: dict[float, dict[str, Tally]] = {value: now}
        for other in PLACE_GRID[name]:
            if other != value:
                with constants(**{name: other}):
                    tried[other] = {kind: tally(pairs) for kind, pairs in kinds.items()}
        tried = dict(sorted(tried.items()))
        errors = {
            key: np.concatenate([one.errors for one in tallies.values()])
            for key, tallies in tried.items()
        }
        best, flat = flat_range(errors)
        row = {
            "value": value, "best": best, "flat": flat, "kept": value in flat,
            "tried": {
                str(key): {kind: one.row() for kind, one in tallies.items()}
                for key, tallies in tried.items()
            },
        }  # fmt: skip
        found[name] = row
        report({name: row})
    return found


def place_pairs(
    n: int, segmenter: Segmenter, seed: int = SET_SEED
) -> dict[str, list[MeasuredPair]]:
    """``n`` pairs under each of `CONDITIONS`, measured with exact masks and with own ones."""
    kinds: dict[str, list[MeasuredPair]] = {"exact": [], "own": []}
    for number, conditions in enumerate(CONDITIONS):
        pairs = leak_pairs(n, seed + number, conditions)
        kinds["exact"] += measure_pairs(pairs, None)
        kinds["own"] += measure_pairs(pairs, segmenter)
    return kinds
