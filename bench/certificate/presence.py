"""The constants of matching, fitted anew: which thing of a photograph an asked noun is, or none.

`bench.judge.regions.matching` has a conditional logit of a noun's thing among all that stand apart.
Its weights are fitted by maximum likelihood on composites and on photoreal scenes that no network
was trained on, every kind with the same weight: ``python -m bench.cli.fit presence``. Each picture
is asked for the nouns of its prompt, and for one of the suite's at random, which counts little:
prompts are mostly followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.certificate.reliability import reliability
from bench.certificate.scenes import Answer
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.regions.matching import LEAST_REST, area_odds, measures_of, things_of
from bench.judge.regions.photo_evidence import resized
from bench.judge.resolution import sampled
from prompts.subjects import SUBJECT_NAMES

#: Weight of a noun that nobody asked for.
_RANDOM = 0.3
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
    measures : ndarray, float (C, M)
        What is read in each thing, after a one.
    areas : ndarray, float (C,)
        What their areas add to the odds.
    thing : int
        Which thing it is; C where it is not there.
    """

    noun: str
    weight: float
    measures: np.ndarray
    areas: np.ndarray
    thing: int


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
        for noun in dict.fromkeys([*nouns, str(rng.choice(SUBJECT_NAMES))]):
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
            weight = 1.0 if noun in masks else _RANDOM
            rows = np.array([[1.0, *measures_of(noun, thing)] for thing in things])
            out.append(AskedNoun(noun, weight, rows, area_odds(things), place))
    return out


def chances(one: AskedNoun, weights: np.ndarray, least: float = -np.inf) -> np.ndarray:
    """Chance of each thing, and last of none, float (C + 1,)."""
    odds = np.append(one.areas, 0.0)
    if len(one.measures):
        odds[:-1] += np.maximum(one.measures @ weights, least)
    chance = np.exp(odds - odds.max())
    return np.asarray(chance / chance.sum())


def fit_presence(kinds: Sequence[Sequence[Answer]], seed: int = 0) -> dict[str, Any]:
    """Weights by maximum likelihood, and the reliability of presence that they give by kind."""
    tables = [questions_of(answers, seed + k) for k, answers in enumerate(kinds)]
    found: dict[str, Any] = {"questions": [len(table) for table in tables]}
    for name, suite, least in (("by_names", True, -np.inf), ("by_rest", False, LEAST_REST)):
        parts = [[one for one in t if (one.noun in SUBJECT_NAMES) == suite] for t in tables]
        weights = _most_likely([part for part in parts if part], least)
        found[name] = [round(float(value), 2) for value in weights]
        asked = [[one for one in part if one.weight == 1.0] for part in parts]
        found[f"{name}_reliability"] = [
            reliability(
                [1 - float(chances(one, weights, least)[-1]) for one in part],
                [one.thing < len(one.areas) for one in part],
            )
            for part in asked
        ]
    return found


def _most_likely(tables: Sequence[Sequence[AskedNoun]], least: float) -> np.ndarray:
    from scipy.optimize import minimize

    shares = [sum(one.weight for one in table) for table in tables]
    columns = next(one.measures.shape[1] for t in tables for one in t if len(one.measures))

    def loss(weights: np.ndarray) -> float:
        return sum(
            -one.weight / share * float(np.log(chances(one, weights, least)[one.thing] + 1e-12))
            for table, share in zip(tables, shares, strict=True)
            for one in table
        )

    start = np.array([4.0, *[1.0] * (columns - 1)])
    return np.asarray(minimize(loss, start, method="Nelder-Mead").x)
