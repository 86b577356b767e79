"""From what the network sees in a photograph to the subjects of its prompt.

Each noun that has a name (one of the suite's subjects, or classes of ImageNet) says where it is
about; the network grows that to the thing. A noun without a name is the only thing that no other
noun explains; where several things are left, nothing tells, and the evidence says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.assignment import LEAST_NEIGHBOUR, UNCERTAIN, covered, strength_of
from bench.judge.regions.matching import (
    Candidate,
    matched,
    odds_of,
    things_of,
)
from bench.judge.regions.photo_evidence import (
    FRAME,
    PLATE,
    SUPPORT,
    THING,
    WALL,
    PhotoSight,
    class_map,
)
from bench.judge.regions.stuff import is_stuff
from bench.judge.regions.touching import set_apart
from bench.records import Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

if TYPE_CHECKING:
    from bench.judge.regions.photo_evidence import Steps

#: Nouns that are a kind of place, and that kind.
PLACES: dict[str, int] = {"plate": PLATE, "picture frame": FRAME}
#: Stuff that is surely behind things, or below them; all other stuff may be either.
_BEHIND = frozenset({"wall", "sky", "ceiling", "backdrop", "clouds"})
_BELOW = frozenset(
    {"table", "floor", "road", "street", "carpet", "rug", "countertop", "counter", "desk", "shelf",
     "tablecloth", "pavement"}
)  # fmt: skip
#: Least share of the picture that a thing covers.
LEAST_THING = 0.004


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is known of one asked noun before its mask is grown.

    Attributes
    ----------
    evidence : str
        One of `bench.records.EVIDENCE`.
    seed : ndarray or None, float32 (h, w)
        Where it is about, highest 1; None where nothing tells.
    strength : float
        Of the evidence, in [0, 1].
    place : tuple of int
        Kinds that the noun is, where it is no thing.
    thing : int or None
        Which of the things it matches.
    whole : bool
        Whether it is all of that thing; else the thing is what it is where nothing grows.
    """

    evidence: str
    seed: np.ndarray | None
    strength: float
    place: tuple[int, ...] = ()
    thing: int | None = None
    whole: bool = False


def is_place(noun: str) -> bool:
    """Whether a noun is a kind of place, and no thing."""
    return noun in PLACES or is_stuff(noun)


def places_among(sight: PhotoSight, nouns: tuple[str, ...]) -> list[Asked]:
    """Nouns that are places: plates, frames, and what is behind or below."""
    stuff = [kind for noun in nouns for kind in stuff_kinds(noun)]
    out = []
    for noun in nouns:
        places = (PLACES[noun],) if noun in PLACES else stuff_kinds(noun)
        strength = strength_of(sight.kinds[list(places)].sum(0))
        if noun in PLACES:
            out.append(Asked("name", None, strength, places))
        elif all(stuff.count(kind) == 1 for kind in places):
            out.append(Asked("stuff", None, strength, places))
        else:
            # Of two that are the same place nothing tells which is which.
            out.append(Asked("ambiguous", None, strength))
    return out


def stuff_kinds(noun: str) -> tuple[int, ...]:
    """Kinds of place that a noun of stuff is; none for a thing."""
    if not is_stuff(noun):
        return ()
    return (WALL,) if noun in _BEHIND else (SUPPORT,) if noun in _BELOW else (WALL, SUPPORT)


def recognised(sight: PhotoSight, nouns: tuple[str, ...], things: list[Candidate]) -> list[Asked]:
    """What tells of each noun which thing it is.

    A noun of the suite is the thing that it matches, or else where its classes of ImageNet are; for
    any other noun the classes come first, and without them it is the one thing that is left.
    """
    low, high = UNCERTAIN
    out = []
    for noun, row in zip(nouns, matched(odds_of(sight, nouns, things)), strict=True):
        of_classes, by_classes = class_map(sight, noun)
        there, suite = 1 - float(row[-1]), noun in SUBJECT_NAMES
        place = int(row[:-1].argmax()) if row[:-1].max(initial=0) >= high else None
        if by_classes >= high and (place is None or not suite):
            out.append(Asked("name", of_classes, by_classes, thing=place))
        elif place is not None:
            kind = "name" if suite else "only_thing"
            out.append(Asked(kind, things[place].weight, there, thing=place, whole=True))
        elif there <= low:
            out.append(Asked("name" if suite else "only_thing", None, there))
        else:
            out.append(Asked("uncertain" if suite else "unnamed", None, there))
    return out


def steps_to_regions(sight: PhotoSight, cell: Cell, segmenter: str) -> Steps[Regions]:
    """Regions of one picture, step by step: what a network is needed for is asked of the caller.

    So pictures can go in step, and the network does what several ask for in one pass.

    Parameters
    ----------
    sight : PhotoSight
    cell : Cell
    segmenter : str
    """
    subjects = tuple(binding.subject for binding in cell.bindings)
    nouns = tuple(noun for noun in subjects if not is_place(noun))
    things: list[Candidate] = []
    if nouns:
        things = yield from set_apart(sight, nouns, things_of(sight))
    found = iter(recognised(sight, nouns, things))
    places = iter(places_among(sight, tuple(noun for noun in subjects if is_place(noun))))
    asked = [next(places if is_place(noun) else found) for noun in subjects]
    masks = yield from _grow(sight, asked)
    for k, one in enumerate(asked):
        rest = np.clip(1 - masks.sum(0) + masks[k], 0, 1)
        if one.thing is not None and (one.whole or covered(masks[k]) < LEAST_THING):
            masks[k] = np.minimum(np.maximum(masks[k], mask_of(sight, things, one.thing)), rest)
        elif one.place:
            masks[k] = sight.kinds[list(one.place)].sum(0)
    return (yield from _assembled(sight, subjects, asked, masks, segmenter))


def mask_of(sight: PhotoSight, things: list[Candidate], place: int) -> np.ndarray:
    """Chance of one thing, with its soft edge, float32 (h, w)."""
    inside = _wider(_wider(things[place].inside))
    for k, other in enumerate(things):
        if k != place:
            inside &= ~other.inside
    return np.where(inside, sight.kinds[THING], 0)


def _wider(inside: np.ndarray) -> np.ndarray:
    """A mask and the places beside it, bool (h, w)."""
    out = inside.copy()
    out[1:] |= inside[:-1]
    out[:-1] |= inside[1:]
    out[:, 1:] |= inside[:, :-1]
    out[:, :-1] |= inside[:, 1:]
    return out


def _grow(sight: PhotoSight, requested: list[Asked]) -> Steps[np.ndarray]:
    """Masks (K, h, w) of what has a seed, shared out where two of them lie."""
    masks = np.zeros((len(requested), *sight.kinds.shape[1:]), np.float32)
    seeds = {k: one.seed for k, one in enumerate(requested) if one.seed is not None}
    if seeds:
        out = yield "grow", np.stack(list(seeds.values()))
        # Where masks overlap, the surer takes more than its share.
        share = out**2 / np.maximum((out**2).sum(0), 1e-6)
        masks[list(seeds)] = np.where(out.sum(0) > 1, share, out)
    return masks


def _assembled(
    sight: PhotoSight,
    subjects: tuple[str, ...],
    requested: list[Asked],
    masks: np.ndarray,
    segmenter: str,
) -> Steps[Regions]:
    """All layers at the size of the image, their edges drawn to those of its colours."""
    rest = np.clip(1 - masks.sum(0), 0, 1)
    count = len(subjects)
    kinds = sight.kinds * rest
    # What is nowhere likelier than not need not be drawn, nor the wall: it is what remains.
    drawn = [k for k in range(len(kinds)) if k != WALL and kinds[k].max() > 0.5]
    layers = yield "sharpen", np.concatenate([masks, kinds[drawn]])
    own, places = layers[:count], dict(zip(drawn, layers[count:], strict=True))
    beside = {}
    for name, kind in (("plate", PLATE), ("picture frame", FRAME), ("other", THING)):
        least = LEAST_THING if kind == THING else LEAST_NEIGHBOUR
        if name not in subjects and kind in places and covered(places[kind]) >= least:
            beside[name] = places[kind]
    shape = layers.shape[1:]
    neighbours = np.stack(list(beside.values())) if beside else np.zeros((0, *shape), np.float32)
    background = np.clip(1 - own.sum(0) - neighbours.sum(0), 0, 1)
    support = np.minimum(places.get(SUPPORT, np.float32(0)), background)
    found = [presence(one, own[k]) for k, one in enumerate(requested)]
    return Regions(
        subjects=subjects,
        masks=own,
        found=np.array(found, np.float32),
        neighbours=tuple(beside),
        neighbour_masks=neighbours,
        background=background,
        segmenter=segmenter,
        evidence=tuple(one.evidence for one in requested),
        support=support,
    )


def presence(one: Asked, mask: np.ndarray) -> float:
    """Probability that an asked noun is in the picture."""
    if one.evidence == "unnamed":
        return float("nan")
    if covered(mask) < LEAST_THING / 4:
        return 0.02
    return one.strength
