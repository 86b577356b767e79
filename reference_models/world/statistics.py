"""Natural statistics: which colour is seen on which subject, how often, and which never.

Real captions have strong priors and a long tail. Here a subject wears its canonical colours in
about half of all scenes, the other colours follow Zipf's law in an order of the subject's own, and
some pairs are never shown at all: those are the novel cells on which composition is tested.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.hashing import content_hash
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES

#: Share of scenes in a canonical colour, where the prior is strong and where it is not.
STRONG_PRIOR, WEAK_PRIOR = 0.58, 0.42
#: Colours a subject is never shown in.
HELD_OUT_PER_SUBJECT = 2
ZIPF_EXPONENT = 0.8
#: The pair that this project is named after in conversation; it must be a novel one.
_ALWAYS_HELD_OUT = {"potato": "blue"}


@cache
def held_out_pairs() -> frozenset[tuple[str, str]]:
    """(colour, subject) pairs that no training scene shows, balanced over the colours."""
    used = dict.fromkeys(COLOUR_NAMES, 0)
    pairs: set[tuple[str, str]] = set()
    for subject in SUBJECT_LIST:
        free = [c for c in COLOUR_NAMES if c not in subject.canonical]
        name = subject.name
        free.sort(key=lambda c: (used[c], content_hash("held out", c, name)))
        if (always := _ALWAYS_HELD_OUT.get(subject.name)) is not None:
            free.remove(always)
            free.insert(0, always)
        for colour in free[:HELD_OUT_PER_SUBJECT]:
            used[colour] += 1
            pairs.add((colour, subject.name))
    return frozenset(pairs)


@cache
def colour_given_subject() -> Tensor:
    """Probability of each colour on each subject in natural scenes, float32 (subjects, 11)."""
    table = torch.zeros(len(SUBJECT_NAMES), len(COLOUR_NAMES))
    held = held_out_pairs()
    for row, subject in enumerate(SUBJECT_LIST):
        share = STRONG_PRIOR if subject.strong else WEAK_PRIOR
        for rank, colour in enumerate(subject.canonical):
            table[row, COLOUR_NAMES.index(colour)] = share * (0.65 if rank == 0 else 0.35)
        if len(subject.canonical) == 1:
            table[row, COLOUR_NAMES.index(subject.canonical[0])] = share
        tail = [
            c for c in COLOUR_NAMES if c not in subject.canonical and (c, subject.name) not in held
        ]
        name = subject.name
        tail.sort(key=lambda c: content_hash("tail", c, name))
        weights = torch.arange(1, len(tail) + 1, dtype=torch.float32) ** -ZIPF_EXPONENT
        weights *= (1 - share) / weights.sum()
        for colour, weight in zip(tail, weights, strict=True):
            table[row, COLOUR_NAMES.index(colour)] = weight
    return table


@cache
def balanced() -> Tensor:
    """Every colour equally often on every subject: what a judge should be trained on."""
    return torch.full((len(SUBJECT_NAMES), len(COLOUR_NAMES)), 1 / len(COLOUR_NAMES))


@cache
def canonical_only() -> Tensor:
    """Canonical colours alone: the world in which "red apple" is an atom."""
    table = torch.zeros(len(SUBJECT_NAMES), len(COLOUR_NAMES))
    for row, subject in enumerate(SUBJECT_LIST):
        for colour in subject.canonical:
            table[row, COLOUR_NAMES.index(colour)] = 1 / len(subject.canonical)
    return table
