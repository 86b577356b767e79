"""Which of the things in a photograph is which asked noun, and how surely: a conditional logit.

The candidates of a noun are the things that stand apart, and that it is not there. Each noun and
thing have log odds of being the same against the noun's absence, by what is read in the thing; the
chance of a way to match all nouns at once is the product over them, divided by that of all ways
(McFadden 1974, "Conditional logit analysis of qualitative choice behavior"). So a thing that is
surely another asked noun, or that is surely something else, leaves the next thing to its noun; of
two things that could be it, or two nouns that could be one, neither is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.judge.regions.imagenet_nouns import classes_of
from bench.judge.regions.photo_evidence import (
    BY_CLASSES,
    THING,
    PhotoSight,
    logit_of,
    peak,
    resized,
)
from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.everyday import EVERYDAY

#: Nouns that the network over photographs can name, in the order of its rows.
NAMES: tuple[str, ...] = (*SUBJECT_NAMES, *EVERYDAY)

#: Log odds that a thing is a noun, against the noun's absence, by ``python -m bench.cli.fit
#: presence``: intercept and slopes on the scores of a name of the suite by both networks; of
#: another everyday name, by the network over photographs alone; and of a noun without a name, on
#: the score of all that is none of the suite.
BY_NAMES: tuple[float, float, float] = (5.23, 1.3, 0.87)
BY_EVERYDAY: tuple[float, float] = (0.75, 1.34)
BY_REST: tuple[float, float] = (2.06, 1.85)
#: Least log odds of nouns that are not the suite's: of a single thing 0.73 sure.
LEAST = 1.0
#: What the logarithm of a thing's area beside the largest one's adds to the odds.
_AREA = 0.5
#: Least share of the picture that a thing covers, and how many are looked at, the largest first.
LEAST_THING, _MOST_THINGS = 0.0025, 6
#: Nouns that are matched with all things; of more, each is matched with its likeliest two.
_NOUNS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A thing that stands apart in a picture.

    Attributes
    ----------
    inside : ndarray, bool (h, w)
    scores : tuple of ndarray, float (R,)
        For each network that knows names, the score of each row of `PhotoSight.suite`.
    weight : ndarray, float32 (h/8, w/8)
        Share of the thing in each place of `PhotoSight.classes`.
    """

    inside: np.ndarray
    scores: tuple[np.ndarray, ...]
    weight: np.ndarray


def things_of(sight: PhotoSight) -> list[Candidate]:
    """What stands apart: connected parts that are more thing than not, the largest first."""
    from scipy.ndimage import label

    parts, count = label(sight.kinds[THING] > 0.5)
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:] / parts.size
    order = np.argsort(-areas, kind="stable")[:_MOST_THINGS]
    return [look_at(sight, parts == k + 1) for k in order if areas[k] >= LEAST_THING]


def look_at(sight: PhotoSight, inside: np.ndarray) -> Candidate:
    """A thing, with what both networks call it."""
    whole = inside.astype(np.float32)
    scores = tuple(name_scores(n, t * resized(whole, t.shape)) for n, t in sight.suite)
    return Candidate(inside, scores, resized(whole, sight.classes.shape[1:]))


def row_of(noun: str) -> int:
    """Row of a noun in `PhotoSight.suite`; of one without a name, the last."""
    return NAMES.index(noun) if noun in NAMES else -1


def name_scores(names: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """How surely a thing is each of the names, float (R,): the best mean over near places.

    Parameters
    ----------
    names : ndarray, float32 (R, n, m)
        Chance of each name, were there a thing.
    thing : ndarray, float32 (n, m)
        Chance of the thing.
    """
    # Sums over three places each way, with none beyond the edge; quicker than a filter of so few.
    layers = np.zeros((len(names) + 1, *(side + 2 for side in thing.shape)), np.float32)
    np.multiply(names, thing, out=layers[:-1, 1:-1, 1:-1])
    layers[-1, 1:-1, 1:-1] = thing
    layers = layers[:, :-2] + layers[:, 1:-1] + layers[:, 2:]
    means = (layers[..., :-2] + layers[..., 1:-1] + layers[..., 2:]) / 9
    return np.asarray((means[:-1] / (means[-1] + 0.03)).reshape(len(names), -1).max(1))


def class_score(sight: PhotoSight, noun: str, weight: np.ndarray) -> float:
    """How surely ImageNet's classes of a noun are seen in some places; 0 where it has none."""
    classes = classes_of(noun)
    if not classes:
        return 0.0
    return peak(sight.classes[list(classes)].sum(0) * np.minimum(1, 3 * weight))


def measures_of(noun: str, thing: Candidate) -> list[float]:
    """Logits of the scores that tell whether a thing is a noun: (2,) of the suite's, else (1,)."""
    networks = thing.scores if noun in SUBJECT_NAMES else thing.scores[:1]
    return [logit_of(scores[row_of(noun)]) for scores in networks]


def log_odds(sight: PhotoSight, noun: str, thing: Candidate) -> float:
    """Log odds that a thing is a noun, by the evidence that speaks most for it."""
    weights = weights_of(noun)
    by_names = weights[0] + float(np.dot(weights[1:], measures_of(noun, thing)))
    by_classes = BY_CLASSES[0] + BY_CLASSES[1] * logit_of(class_score(sight, noun, thing.weight))
    return max(by_names, by_classes, least_odds(noun, thing))


def least_odds(noun: str, thing: Candidate) -> float:
    """Least log odds that a thing is a noun, whatever is read in it; none for the suite's nouns.

    What has a name may well be what a noun without one means; and what is no subject of the suite
    may be an everyday thing in a form that the network never saw.
    """
    if noun in SUBJECT_NAMES:
        return -np.inf
    if noun not in EVERYDAY:
        return LEAST
    return LEAST + BY_REST[1] * min(0.0, logit_of(thing.scores[0][-1]))


def weights_of(noun: str) -> tuple[float, ...]:
    """Weights of the measures of a noun, intercept first."""
    return BY_NAMES if noun in SUBJECT_NAMES else BY_EVERYDAY if noun in EVERYDAY else BY_REST


def odds_of(sight: PhotoSight, nouns: Sequence[str], things: Sequence[Candidate]) -> np.ndarray:
    """Log odds of all nouns and things, float (K, C)."""
    odds = np.array([[log_odds(sight, noun, thing) for thing in things] for noun in nouns])
    return odds.reshape(len(nouns), len(things)) + area_odds(things)


def area_odds(things: Sequence[Candidate]) -> np.ndarray:
    """What the areas of things add to their log odds, float (C,): larger ones are likelier."""
    areas = np.array([thing.inside.sum() for thing in things], dtype=float)
    return np.asarray(_AREA * np.log(areas / areas.max(initial=1)))


def matched(odds: np.ndarray) -> np.ndarray:
    """Chance that each noun is each thing, or none: marginals over all ways to match them.

    Parameters
    ----------
    odds : ndarray, float (K, C)
        Log odds of each noun and thing; -inf where they cannot be the same.

    Returns
    -------
    ndarray, float (K, C + 1)
        The last column is that a noun is not there; rows sum to 1.
    """
    nouns, things = odds.shape
    most = things if nouns <= _NOUNS else 2
    options = [[*np.argsort(-row, kind="stable")[:most].tolist(), things] for row in odds]
    table = np.concatenate([odds, np.zeros((nouns, 1))], 1)
    ways = [w for w in product(*options) if _apart(w, things)]
    weight = np.array([sum(table[k, c] for k, c in enumerate(way)) for way in ways])
    weight = np.exp(weight - weight.max())
    chance = np.zeros_like(table)
    for way, one in zip(ways, weight / weight.sum(), strict=True):
        chance[np.arange(nouns), list(way)] += one
    return chance


def _apart(way: Sequence[int], none: int) -> bool:
    taken = [c for c in way if c != none]
    return len(set(taken)) == len(taken)
