"""Things of a photograph that touch, parted where two names are read in what seems one thing."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.matching import (
    NAMES,
    Candidate,
    log_odds,
    look_at,
    row_of,
)
from bench.judge.regions.photo_evidence import PhotoSight, resized

if TYPE_CHECKING:
    from bench.judge.regions.photo_evidence import Steps

#: Chance of a name at a place from which it is read there, and least share of what seems one thing
#: that another has.
_READ, _PART = 0.5, 0.15
#: Pairs of names that are tried in one thing.
_PAIRS = 3
#: What the log odds of both parts are to gain over the whole, and by how much more where one of the
#: names was not asked for: what stands there unasked is rarer.
_GAIN, _UNASKED = 1.0, 3.0


def set_apart(
    sight: PhotoSight, nouns: tuple[str, ...], things: list[Candidate]
) -> Steps[list[Candidate]]:
    """Things that touch, parted where two names are read in one: each grows from its own.

    They stay parted where the names fit the parts better than one of them fits the whole.
    """
    pairs = [(k, pair) for k, thing in enumerate(things) for pair in pairs_in(sight, nouns, thing)]
    if not pairs:
        return things
    seeds = np.concatenate([seeds_of(sight, things[k], pair) for k, pair in pairs])
    grown = yield "grow", seeds
    parted: dict[int, tuple[float, list[Candidate]]] = {}
    for number, (k, pair) in enumerate(pairs):
        first, second = grown[2 * number : 2 * number + 2]
        inside = [things[k].inside & (first >= second), things[k].inside & (first < second)]
        if min(part.sum() for part in inside) < _PART * things[k].inside.sum():
            continue
        parts = [look_at(sight, part) for part in inside]
        odds = [[log_odds(sight, name, one) for one in (*parts, things[k])] for name in pair]
        gain = odds[0][0] + odds[1][1] - max(odds[0][2], odds[1][2], odds[0][1] + odds[1][0])
        gain -= sum(name not in nouns for name in pair) * _UNASKED
        if gain > max(_GAIN, parted.get(k, (0.0,))[0]):
            parted[k] = gain, parts
    return [part for k, one in enumerate(things) for part in parted.get(k, (0.0, [one]))[1]]


def pairs_in(sight: PhotoSight, nouns: tuple[str, ...], thing: Candidate) -> list[tuple[str, str]]:
    """Pairs of names that may be read in different places of one thing."""
    names, chance = sight.suite[0]
    inside = resized(thing.inside.astype(np.float32), chance.shape) > 0.4
    least = max(2, _PART * inside.sum())
    places = names[:, inside]
    read = [
        (*NAMES, "")[k]
        for k in np.argsort(-places[: len(NAMES) + 1].sum(1), kind="stable")
        if (places[k] >= _READ).sum() >= least
    ]
    out = []
    for first, second in combinations(dict.fromkeys([*nouns, *read]), 2):
        if first not in nouns:
            continue
        lead = places[row_of(first)] > places[row_of(second)]
        if row_of(first) != row_of(second) and least <= lead.sum() <= len(lead) - least:
            out.append((first, second))
    return out[:_PAIRS]


def seeds_of(sight: PhotoSight, thing: Candidate, pair: tuple[str, str]) -> np.ndarray:
    """Seeds of two names in one thing, each where it is likelier, float32 (2, h/8, w/8)."""
    names, chance = sight.suite[0]
    maps = names[[row_of(name) for name in pair]]
    maps = maps * resized(thing.inside.astype(np.float32), chance.shape)
    maps = np.where(maps >= maps[::-1], maps, 0)
    maps = np.stack([resized(one, sight.classes.shape[1:]) for one in maps])
    return (maps / np.maximum(maps.max((1, 2), keepdims=True), 1e-6)).astype(np.float32)
