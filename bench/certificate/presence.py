"""The constants of matching, fitted anew: which thing of a photograph an asked noun is, or none.

`bench.judge.regions.matching` has a conditional logit of a noun's thing among all that stand apart.
Its weights are fitted by maximum likelihood on composites and on photoreal scenes that no network
was trained on, every kind with the same weight: ``python -m bench.cli.fit presence``. Each picture
is asked for the nouns of its prompt, and for two others at random, which count little: prompts are
mostly followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.certificate.reliability import reliability
from bench.certificate.scenes import Answer
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.regions.matching import LEAST, Candidate, area_odds, measures_of, things_of
from bench.judge.regions.photo_evidence import resized
from bench.judge.resolution import sampled
from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.everyday import EVERYDAY

#: Weight of a noun that was not in the prompt: prompts are mostly followed.
_RANDOM = 0.3
#: Weight of the squared slopes in the loss: a few names are never mistaken.
_RIDGE = 0.01
#: Share of a noun's true mask that a thing has which is it, and share of that thing that is the
#: noun's: things that touch are left out.
_MOST, _ALONE = 0.3, 0.7


@dataclass(frozen=True, slots=True, eq=False)
class AskedNoun:
    """A noun asked of a picture.

    Attributes
    ----------
    noun : str
    weight : float
    things : sequence of Candidate
    place : int
        Which of the things it is; their number where it is not there.
    """

    noun: str
    weight: float
    things: Sequence[Candidate]
    place: int


def questions_of(answers: Sequence[Answer], seed: int) -> list[AskedNoun]:
    """Questions of pictures, those left out whose noun is no thing that stands apart."""
    segmenter, rng = CutoutSegmenter(), np.random.default_rng(seed)
    out = []
    for answer in answers:
        if "invalid" in answer.verdicts:
            continue
        nouns = [binding.subject for binding in answer.generation.sample.cell.bindings]
        sight = segmenter.photo_sight(answer.generation.image)
        height, width = sight.kinds.shape[1:]
        height, width = sight.kinds.shape[1:]
        things = things_of(sight)
        masks = dict(zip(nouns, answer.regions.masks, strict=True))
        others = (str(rng.choice(SUBJECT_NAMES)), str(rng.choice(list(EVERYDAY))))
        for noun in dict.fromkeys([*nouns, *others]):
            true = np.zeros((height, width), bool)
            if noun in masks:
                true = resized(sampled(masks[noun]), (height, width)) > 0.5
            both = [float((true & thing.inside).sum()) for thing in things]
            place = int(np.argmax(both)) if true.any() and things else len(things)
            if true.any() and (
                not things
                or both[place] < _MOST * true.sum()
                or both[place] < _ALONE * things[place].inside.sum()
            ):
                continue
            out.append(AskedNoun(noun, 1.0 if noun in masks else _RANDOM, things, place))
    return out


def fit_presence(kinds: Sequence[Sequence[Answer]], seed: int = 0) -> dict[str, Any]:
    """Weights by maximum likelihood, and the reliability of presence that they give by kind.

    What a noun without a name is matched by is fitted on everyday ones, as if they had none.
    """
    from scipy.optimize import minimize

    tables = [questions_of(answers, seed + k) for k, answers in enumerate(kinds)]
    found: dict[str, Any] = {"questions": [len(table) for table in tables]}
    for name, nouns, alias in (
        ("by_names", SUBJECT_NAMES, None),
        ("by_everyday", EVERYDAY, None),
        ("by_rest", EVERYDAY, ""),
    ):
        asked = [
            [one for one in table if one.noun in nouns and (alias is None or one.weight == 1.0)]
            for table in tables
        ]
        parts = [_NounTable.of(part, alias) for part in asked if part]
        start = np.ones(parts[0].measures.shape[-1])
        best = minimize(_loss, start, (parts,)).x
        found[name] = {
            "weights": [round(float(value), 2) for value in best],
            "reliability": [part.reliability(best) for part in parts],
        }
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _NounTable:
    """Asked nouns as the fit sees them, padded to C things: what is read in each, after a one."""

    weight: np.ndarray
    place: np.ndarray
    measures: np.ndarray
    areas: np.ndarray
    least: float

    @classmethod
    def of(cls, rows: Sequence[AskedNoun], alias: str | None) -> _NounTable:
        most = max(1, *(len(one.things) for one in rows))
        columns = len(measures_of(rows[0].noun if alias is None else alias, _some(rows)))
        measures = np.zeros((len(rows), most, columns + 1))
        areas = np.full((len(rows), most + 1), -np.inf)
        areas[:, -1] = 0
        for row, one in enumerate(rows):
            noun, count = one.noun if alias is None else alias, len(one.things)
            for column, thing in enumerate(one.things):
                measures[row, column] = [1.0, *measures_of(noun, thing)]
            areas[row, :count] = area_odds(one.things)
        place = [one.place if one.place < len(one.things) else most for one in rows]
        weight = np.array([one.weight for one in rows])
        return cls(weight, np.array(place), measures, areas, -np.inf if alias is None else LEAST)

    def chances(self, weights: np.ndarray) -> np.ndarray:
        """Chance of each thing, and last of none, float (N, C + 1)."""
        odds = self.areas.copy()
        odds[:, :-1] += np.maximum(self.measures @ weights, self.least)
        chance = np.exp(odds - odds.max(1, keepdims=True))
        return np.asarray(chance / chance.sum(1, keepdims=True))

    def loss(self, weights: np.ndarray) -> float:
        """Mean negative log-likelihood."""
        right = self.chances(weights)[np.arange(len(self.place)), self.place]
        return float(-(self.weight * np.log(right + 1e-12)).sum() / self.weight.sum())

    def reliability(self, weights: np.ndarray) -> dict[str, Any]:
        """Of presence, of nouns that were asked for."""
        rows = self.weight == 1.0
        there = 1 - self.chances(weights)[rows, -1]
        return reliability(there.tolist(), (self.place[rows] < self.areas.shape[1] - 1).tolist())


def _loss(weights: np.ndarray, parts: Sequence[_NounTable]) -> float:
    slopes = weights[1:]
    return sum(part.loss(weights) for part in parts) + _RIDGE * float(slopes @ slopes)


def _some(rows: Sequence[AskedNoun]) -> Candidate:
    return next(thing for one in rows for thing in one.things)
