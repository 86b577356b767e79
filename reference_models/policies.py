"""What a model of the family is shown: which colours on which subjects, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.hashing import content_hash
from prompts.subjects import SUBJECT_LIST
from reference_models.world.scene import NATURAL, Mixture
from reference_models.world.statistics import (
    HELD_OUT_PER_SUBJECT,
    canonical_only,
    colour_given_subject,
    held_out_pairs,
)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Statistics of the training scenes.

    Attributes
    ----------
    table : Tensor, float32 (subjects, 11)
        Probability of each colour given the subject.
    bare : Tensor, float32 (subjects, 11)
        The same where the caption does not say the colour, in about nine of ten scenes.
    mixture : Mixture
        How often each kind of scene and caption comes.
    """

    table: Tensor
    bare: Tensor
    mixture: Mixture = NATURAL


@cache
def covered_pairs(percent: int) -> frozenset[tuple[str, str]]:
    """(colour, subject) pairs of a coverage: nested, each subject with its first natural colour.

    Parameters
    ----------
    percent : int
        Share of all pairs, at least what one a subject comes to.
    """
    first = [(subject.canonical[0], subject.name) for subject in SUBJECT_LIST]
    rest = [
        (colour, subject.name)
        for subject in SUBJECT_LIST
        for colour in COLOUR_NAMES
        if (colour, subject.name) not in set(first)
    ]
    rest.sort(key=lambda pair: content_hash("coverage", *pair))
    count = round(percent / 100 * (len(first) + len(rest)))
    if count < len(first):
        raise ValueError(f"{percent}% is fewer pairs than there are subjects")
    return frozenset((first + rest)[:count])


def _shown(pairs: frozenset[tuple[str, str]]) -> Policy:
    table = torch.tensor(
        [[float((c, s.name) in pairs) for c in COLOUR_NAMES] for s in SUBJECT_LIST]
    )
    bare = table * (canonical_only() > 0)
    return Policy(table / table.sum(1, keepdim=True), bare / bare.sum(1, keepdim=True))


#: Colours of a subject that ``colours-N`` and ``concentrated-N`` may show: all but held-out ones.
MOST_COLOURS = len(COLOUR_NAMES) - HELD_OUT_PER_SUBJECT


def colours_per_subject(count: int, concentrated: bool = False) -> frozenset[tuple[str, str]]:
    """(colour, subject) pairs of ``count`` colours a subject on average; nested, none held out.

    Parameters
    ----------
    count : int
        From 1, the first natural colour alone, to ``MOST_COLOURS``.
    concentrated : bool
        The same number of pairs, but with all colours on a few subjects and one on the others.
    """
    if not 1 <= count <= MOST_COLOURS:
        raise ValueError(f"{count} colours a subject; expected 1 to {MOST_COLOURS}")
    held, pairs = held_out_pairs(), set[tuple[str, str]]()
    more: list[list[tuple[str, str]]] = []
    for subject in SUBJECT_LIST:
        first = (subject.canonical[0], subject.name)
        pairs.add(first)
        rest = [(c, subject.name) for c in COLOUR_NAMES]
        rest = [pair for pair in rest if pair != first and pair not in held]
        rest.sort(key=lambda pair: content_hash("colours", *pair))
        more.append(rest)
    if not concentrated:
        return frozenset(pairs.union(*(rest[: count - 1] for rest in more)))
    more.sort(key=lambda rest: content_hash("concentrated", rest[0][1]))
    budget = (count - 1) * len(SUBJECT_LIST)
    return frozenset(pairs.union([pair for rest in more for pair in rest][:budget]))


def policy(name: str) -> Policy:
    """Look a policy up.

    ``natural`` has strong priors, a long tail and pairs that never come. ``varied`` is the same
    before walls and tables of many colours, with more plates and frames. ``atomic`` has canonical
    colours alone, on subjects alone: no caption names the colour of a plate or a wall, so that a
    colour word is never heard but with the subjects that have it by nature. ``coverage-N`` has N
    percent of all pairs, each as often as the others of its subject. ``colours-N`` has N colours on
    every subject, ``concentrated-N`` as many pairs, with all colours on a few subjects and one on
    the others; neither has a held-out pair.
    """
    if name == "natural":
        return Policy(colour_given_subject(), canonical_only())
    if name == "varied":
        mixture = replace(NATURAL, coloured_wall=0.25, plate=0.15, frame=0.1)
        return Policy(colour_given_subject(), canonical_only(), mixture)
    if name == "atomic":
        mixture = replace(NATURAL, scenery_colour=0.0)
        return Policy(canonical_only(), canonical_only(), mixture)
    kind, _, percent = name.partition("-")
    if kind == "coverage" and percent.isdigit():
        return _shown(covered_pairs(int(percent)))
    if kind in ("colours", "concentrated") and percent.isdigit():
        return _shown(colours_per_subject(int(percent), kind == "concentrated"))
    raise ValueError(
        f"unknown policy {name!r}; expected natural, varied, atomic, coverage-PERCENT, "
        "colours-N or concentrated-N"
    )
