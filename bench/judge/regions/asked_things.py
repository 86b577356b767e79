"""From what the network sees in a photograph to the subjects of its prompt.

Each noun that has a name (one of the suite's subjects, or classes of ImageNet) says where it is
about; the network grows that to the thing. A noun without a name is the only thing that no other
noun explains; where several things are left, nothing tells, and the evidence says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bench.judge.regions.assignment import LEAST_NEIGHBOUR, RIVAL, UNCERTAIN, covered, strength_of
from bench.judge.regions.imagenet_nouns import classes_of
from bench.judge.regions.photo_evidence import (
    FRAME,
    PLATE,
    SUPPORT,
    THING,
    WALL,
    PhotoSight,
    name_map,
    resized,
)
from bench.judge.regions.stuff import is_stuff
from bench.records import Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

Result = TypeVar("Result")

if TYPE_CHECKING:
    from collections.abc import Generator

    #: Asks for masks (K, h, w) that are grown from seeds (K, h', w'), each beside the others as
    #: rivals (``grow``), and for layers (C, h, w) at the size of the picture, their edges drawn to
    #: those of its colours (``sharpen``).
    Steps = Generator[tuple[str, np.ndarray], np.ndarray, Result]

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
#: A thing that is something else with this chance is not what was asked for.
_ELSE = 0.85


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
    """

    evidence: str
    seed: np.ndarray | None
    strength: float
    place: tuple[int, ...] = ()


def first_look(sight: PhotoSight, subjects: tuple[str, ...]) -> list[Asked | None]:
    """Nouns that have a name, or are places; None for those that only what is left can show."""
    stuff = [kind for noun in subjects for kind in stuff_kinds(noun)]
    out: list[Asked | None] = []
    for noun in subjects:
        if noun in PLACES:
            kind = PLACES[noun]
            out.append(Asked("name", None, strength_of(sight.kinds[kind]), (kind,)))
            continue
        if is_stuff(noun):
            # Of two that are the same place nothing tells which is which.
            places = stuff_kinds(noun)
            alone = all(stuff.count(kind) == 1 for kind in places)
            strength = strength_of(sight.kinds[list(places)].sum(0))
            out.append(Asked("stuff", None, strength, places) if alone
                       else Asked("ambiguous", None, strength))  # fmt: skip
            continue
        found = name_map(sight, noun)
        low, high = UNCERTAIN
        if found is None or (found[1] < high and noun not in SUBJECT_NAMES):
            out.append(None)
        else:
            kind_of = "uncertain" if low < found[1] < high else "name"
            out.append(Asked(kind_of, found[0], found[1]))
    return out


def stuff_kinds(noun: str) -> tuple[int, ...]:
    """Kinds of place that a noun of stuff is; none for a thing."""
    if not is_stuff(noun):
        return ()
    return (WALL,) if noun in _BEHIND else (SUPPORT,) if noun in _BELOW else (WALL, SUPPORT)


def what_is_left(left: np.ndarray) -> tuple[np.ndarray | None, float, bool]:
    """The thing that no named noun explains.

    Parameters
    ----------
    left : ndarray, float32 (h, w)
        Chance of a thing that is no named one.

    Returns
    -------
    tuple
        Its mask or None, how surely it is a thing, and whether it is the only one.
    """
    from scipy.ndimage import binary_dilation, label

    inside = left > 0.5
    # Parts that all but touch are one thing.
    parts, count = label(binary_dilation(inside, iterations=2))
    parts = parts * inside
    if not count:
        return None, 0.0, False
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:] / parts.size
    order = np.argsort(-areas, kind="stable")
    if areas[order[0]] < LEAST_THING:
        return None, 0.0, False
    only = len(order) == 1 or areas[order[1]] < RIVAL * areas[order[0]]
    first = parts == order[0] + 1
    return np.where(first, left, 0).astype(np.float32), float(left[first].mean()), bool(only)


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
    asked = first_look(sight, subjects)
    masks = np.zeros((len(subjects), *sight.kinds.shape[1:]), np.float32)
    seeded = [k for k, one in enumerate(asked) if one is not None and one.seed is not None]
    yield from _grow(masks, asked, seeded)
    unknown = [k for k, one in enumerate(asked) if one is None]
    if unknown:
        left = np.clip(sight.kinds[THING] - masks.sum(0), 0, 1)
        where, surely, only = what_is_left(left)
        kinds = [one.evidence for one in asked if one is not None]
        for k in unknown:
            if where is None:
                asked[k] = Asked("only_thing", None, 0.0)
            elif len(unknown) > 1 or not only or "uncertain" in kinds:
                asked[k] = Asked("unnamed", None, surely)
            elif _something_else(sight, where, subjects[k]):
                asked[k] = Asked("name", None, 0.1)
            else:
                asked[k] = Asked("only_thing", resized(where, sight.classes.shape[1:]), surely)
        if len(unknown) == 1 and asked[unknown[0]].seed is not None:  # type: ignore[union-attr]
            seeded = sorted([*seeded, *unknown])
            yield from _grow(masks, asked, seeded)
    for k, one in enumerate(asked):
        if one is not None and one.place:
            masks[k] = sight.kinds[list(one.place)].sum(0)
    requested = [a for a in asked if a is not None]
    return (yield from _assembled(sight, subjects, requested, masks, segmenter))


def _something_else(sight: PhotoSight, where: np.ndarray, noun: str) -> bool:
    """Whether the only thing is surely what another noun of the table means."""
    known = classes_of(noun)
    if not known:
        return False
    weight = resized(where, sight.classes.shape[1:])
    chance = (sight.classes * weight).sum((1, 2)) / max(float(weight.sum()), 1e-6)
    chance[list(known)] = 0
    return float(chance.max()) > _ELSE


def _grow(masks: np.ndarray, requested: list[Asked | None], seeded: list[int]) -> Steps[None]:
    """Grow the masks of what has a seed, and share out where two of them lie."""
    seeds = [one.seed for one in (requested[k] for k in seeded) if one is not None]
    if not seeds:
        return
    out = yield "grow", np.stack([s for s in seeds if s is not None])
    total = out.sum(0)
    # Where masks overlap, the surer takes more than its share.
    share = out**2 / np.maximum((out**2).sum(0), 1e-6)
    masks[seeded] = np.where(total > 1, share, out)


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
