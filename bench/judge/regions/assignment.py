"""From things cut out of a picture to the subjects of its prompt: which thing is which.

Things are connected pieces of what the network calls a thing. Each asked subject takes the piece
that looks most like it, no piece twice; what lies close to a taken piece and is named like it
belongs to it (the legs of a chair); what is left is a neighbour, ``other``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations

import numpy as np

from bench.judge.regions.stuff import is_stuff
from bench.records import PooledFeatures, Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

#: Least share of the image that a piece, or a plate or frame, covers.
LEAST_PIECE, LEAST_NEIGHBOUR = 0.002, 0.01
#: Kinds that have a name of their own, and their places in `Sight.kinds`.
KINDS: dict[str, int] = {"plate": 1, "picture frame": 2}
#: Presence between these says neither that a named subject is there nor that it is not.
UNCERTAIN = (0.3, 0.7)
#: Chance of another name from which a piece is that other thing.
ANOTHER = 0.7
#: "The only thing" is untrue where another has this share of its area.
RIVAL = 0.35
#: Neighbours of a place: in its own image, along rows and columns.
_IN_PLANE = np.zeros((3, 3, 3), bool)
_IN_PLANE[1, 1], _IN_PLANE[1, :, 1] = True, True
#: Pieces looked at, largest first.
_MOST_PIECES = 6
#: Gap, as a share of the longer side, over which pieces may belong together.
_GAP = 0.04
#: A piece that looks so much like the subject belongs to it wherever it lies.
_ALIKE = 0.5
#: Floor of the chance of a name: the network is not certain of what it never saw.
_FLOOR = 0.01
#: Logistic regression of presence on the measures of `evidence_of`, fitted by
#: ``python -m benchmarks.segmenters --fit``.
PRESENCE: tuple[float, ...] = (-0.807, 0.329, 14.112, 0.493)
#: The same for a subject that the network has no name for: how surely anything stands there.
PRESENCE_UNNAMED: tuple[float, float] = (-4.0, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the network makes of one image.

    Attributes
    ----------
    kinds : ndarray, float32 (3, H, W)
        Chance of thing, plate and picture frame; what remains of 1 is background.
    thing : ndarray, float32 (h, w)
        Chance of a thing at working size.
    names : ndarray, float32 (28, n, m)
        Chance of each known subject and of anything else, were there a thing, at coarse places.
    means : ndarray, float32 (F,)
        Of the network's features, over the image.
    parts : ndarray or None, int32 (h, w)
        Of `connected`, where it was asked for several images at once.
    """

    kinds: np.ndarray
    thing: np.ndarray
    names: np.ndarray
    means: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    parts: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A connected piece of things: where, how large, how surely, and what it looks like."""

    inside: np.ndarray
    area: float
    strength: float
    names: np.ndarray


def connected(things: np.ndarray) -> np.ndarray:
    """Number of the connected piece at each place that is more thing than not, 0 elsewhere.

    Parameters
    ----------
    things : ndarray, float32 (N, h, w)
        Of several images at once: most of the time of one is that of the call.

    Returns
    -------
    ndarray, int32 (N, h, w)
        No number in two images.
    """
    from scipy.ndimage import label

    return np.asarray(label(things > 0.5, _IN_PLANE)[0])


def pieces_of(sight: Sight) -> list[Piece]:
    """Connected pieces of what is more thing than not, the largest first."""
    parts = connected(sight.thing[None])[0] if sight.parts is None else sight.parts
    areas = np.bincount(parts.ravel()) / parts.size
    areas[0] = 0.0
    coarse = np.log(sight.names + 1e-4)
    found = []
    for number in np.argsort(-areas, kind="stable")[:_MOST_PIECES].tolist():
        if areas[number] < LEAST_PIECE:
            break
        inside = parts == number
        strength = float(sight.thing.take(inside.ravel().nonzero()[0]).mean())
        found.append(Piece(inside, float(areas[number]), strength, named(inside, coarse)))
    return found


def named(inside: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """Chance of each name over a piece: the geometric mean of the coarse places in it, (28,).

    Parameters
    ----------
    inside : ndarray, bool (h, w)
    coarse : ndarray, float (28, n, m)
        Logarithms of the chances.
    """
    count, height, width = coarse.shape
    places = inside.take(_middles(inside.shape[0], inside.shape[1], height, width))
    total = np.count_nonzero(places)
    if not total:
        ys, xs = np.nonzero(inside)
        rows, columns = ys * height // inside.shape[0], xs * width // inside.shape[1]
        places[rows * width + columns] = True
        total = np.count_nonzero(places)
    log = coarse.reshape(count, -1) @ places.astype(coarse.dtype) / total
    chance = np.exp(log - log.max())
    return np.asarray(chance / chance.sum())


@lru_cache(maxsize=16)
def _middles(height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """Places in the middle of cells of a coarser grid: intp (rows * columns,)."""
    y = ((np.arange(rows) + 0.5) / rows * height).astype(np.intp)
    x = ((np.arange(columns) + 0.5) / columns * width).astype(np.intp)
    return (y[:, None] * width + x).ravel()


def likeness(piece: Piece, subject: str) -> float:
    """Chance that a piece is the subject; of one without a name, that it is none with a name."""
    if subject in SUBJECT_NAMES:
        return float(piece.names[SUBJECT_NAMES.index(subject)])
    return float(piece.names[-1])


def assign(pieces: list[Piece], subjects: tuple[str, ...]) -> list[int | None]:
    """For each subject its main piece, or None; the likeliest way to give each a piece of its own.

    Large pieces are preferred: twice the area counts as much as 1.4 times the chance.
    """
    worth = [
        [np.log((likeness(p, s) + _FLOOR) * np.sqrt(p.area)) for p in pieces] for s in subjects
    ]
    slots: list[int | None] = [*range(len(pieces)), *[None] * max(0, len(subjects) - len(pieces))]
    best = max(
        permutations(slots, len(subjects)),
        key=lambda way: sum(-9.0 if p is None else worth[k][p] for k, p in enumerate(way)),
    )
    return list(best)


def owners_of(
    pieces: list[Piece], subjects: tuple[str, ...], main: list[int | None]
) -> list[int | None]:
    """For each piece the subject it belongs to, or None where it is another thing."""
    from scipy.ndimage import distance_transform_edt

    owner: list[int | None] = [None] * len(pieces)
    for k, taken in enumerate(main):
        if taken is not None:
            owner[taken] = k
    if all(belongs is not None for belongs in owner):
        return owner
    reach = _GAP * max(pieces[0].inside.shape)
    gaps = {
        k: distance_transform_edt(~pieces[p].inside) for k, p in enumerate(main) if p is not None
    }
    for number, piece in enumerate(pieces):
        if owner[number] is not None:
            continue
        for k, gap in gaps.items():
            same = likeness(piece, subjects[k])
            near = float(gap[piece.inside].min()) <= reach
            strange = float(piece.names.max()) > 2 * same + 0.3
            if same >= _ALIKE or (near and not strange):
                owner[number] = k
                break
    return owner


def evidence_of(piece: Piece | None, subject: str) -> tuple[float, float, float]:
    """Measures of presence: strength, chance of the name, and its lead over the next."""
    if piece is None:
        return 0.0, 0.0, 0.0
    chances = piece.names.tolist()
    if subject not in SUBJECT_NAMES:
        return piece.strength, chances[-1], 0.0
    mine = chances.pop(SUBJECT_NAMES.index(subject))
    lead = math.log((mine + _FLOOR) / (max(chances) + _FLOOR)) / 4
    return piece.strength, math.sqrt(mine), max(-1.0, min(1.0, lead))


def presence_of(piece: Piece | None, subject: str) -> float:
    """Probability that the subject is in the image."""
    if piece is None:
        return 0.0
    measures = evidence_of(piece, subject)
    weights = PRESENCE if subject in SUBJECT_NAMES else PRESENCE_UNNAMED
    logit = weights[0] + sum(w * m for w, m in zip(weights[1:], measures, strict=False))
    return 1 / (1 + math.exp(-logit))


def assign_regions(
    sight: Sight, cell: Cell, segmenter: str, pooled: PooledFeatures | None = None
) -> Regions:
    """Regions of one image from what the network makes of it."""
    asked = tuple(binding.subject for binding in cell.bindings)
    subjects = tuple(s for s in asked if s not in KINDS and not is_stuff(s))
    pieces = pieces_of(sight)
    if len(subjects) > 1 and len(pieces) == 1:
        pieces = _split(pieces[0], sight, subjects) or pieces
    main = assign(pieces, subjects)
    owner = owners_of(pieces, subjects, main)
    found = [
        presence_of(None if p is None else pieces[p], s)
        for p, s in zip(main, subjects, strict=True)
    ]
    count = len(subjects)
    layers = _layers(sight, pieces, [count if k is None else k for k in owner], count + 1)
    things, other = layers[:count], layers[count]
    beside = {
        name: sight.kinds[k]
        for name, k in KINDS.items()
        if name not in asked and covered(sight.kinds[k]) >= LEAST_NEIGHBOUR
    }
    if covered(other) >= LEAST_PIECE:
        beside["other"] = other
    shape = sight.kinds.shape[1:]
    kinds = {name: sight.kinds[k] for name, k in KINDS.items() if name in asked}
    background = np.ones(shape, np.float32)
    for layer in (*things, *beside.values(), *kinds.values()):
        background -= layer
    background.clip(0, 1, out=background)
    answers = dict(zip(subjects, zip(things, found, strict=True), strict=True))
    evidence = dict(zip(subjects, evidence_for(pieces, subjects, main, owner, found), strict=True))
    several = sum(is_stuff(s) for s in asked) > 1
    for name in asked:
        if name in KINDS:
            answers[name] = (kinds[name], strength_of(kinds[name]))
            evidence[name] = "name"
        elif is_stuff(name):
            answers[name] = (background, float(covered(background) >= LEAST_PIECE))
            evidence[name] = "ambiguous" if several else "stuff"
    if any(map(is_stuff, asked)):
        background = np.zeros(shape, np.float32)
    masks = np.array([answers[s][0] for s in asked], np.float32).reshape(-1, *shape)
    if several:
        masks[[is_stuff(s) for s in asked]] = 0
    return Regions(
        subjects=asked,
        masks=masks,
        found=np.array([answers[s][1] for s in asked], np.float32),
        neighbours=tuple(beside),
        neighbour_masks=np.array([*beside.values()], np.float32).reshape(-1, *shape),
        background=background,
        segmenter=segmenter,
        evidence=tuple(evidence[s] for s in asked),
        pooled=pooled,
    )


def evidence_for(
    pieces: list[Piece],
    subjects: tuple[str, ...],
    main: list[int | None],
    owner: list[int | None],
    found: list[float],
) -> list[str]:
    """What tells of each thing that its mask is it (`bench.records.EVIDENCE`).

    A name that the network has is recognised, or surely not there; in between nothing is known. A
    noun that it has no name for is the only thing that no named subject claims; of two such nouns,
    or of several things, nothing tells which is which.
    """
    unnamed = [s for s in subjects if s not in SUBJECT_NAMES]
    kinds = []
    for k, (subject, presence) in enumerate(zip(subjects, found, strict=True)):
        low, high = UNCERTAIN
        if subject in SUBJECT_NAMES:
            known = not low < presence < high or _is_another(pieces, main[k], subject)
            kinds.append("name" if known else "uncertain")
            continue
        mine, taken = main[k], sum(p is not None for p in main)
        free = [p.area for p, who in zip(pieces, owner, strict=True) if who is None]
        rival = max(free, default=0.0)
        if len(unnamed) > 1 or mine is None or taken < len(subjects):
            kinds.append("unnamed" if pieces else "uncertain")
        elif rival > RIVAL * pieces[mine].area:
            kinds.append("unnamed")
        else:
            kinds.append("only_thing" if presence >= high else "uncertain")
    if "uncertain" in kinds and unnamed:
        # What the named one is decides which thing is left for the other.
        kinds = ["unnamed" if kind == "only_thing" else kind for kind in kinds]
    return kinds


def _is_another(pieces: list[Piece], place: int | None, subject: str) -> bool:
    """Whether a piece is surely another thing that has a name: evidence that this one is absent."""
    if place is None:
        return False
    others = np.delete(pieces[place].names[:-1], SUBJECT_NAMES.index(subject))
    return bool(others.max() >= ANOTHER)


def covered(chance: np.ndarray) -> float:
    """Share of the picture where something is likelier than not."""
    return np.count_nonzero(chance > 0.5) / chance.size


def strength_of(chance: np.ndarray) -> float:
    """How surely a place of a kind is there: the mean chance over its surest part."""
    return float(chance[chance > 0.5].mean()) if covered(chance) >= LEAST_NEIGHBOUR else 0.0


def _layers(sight: Sight, pieces: list[Piece], owner: list[int], count: int) -> np.ndarray:
    """The soft mask of things shared out by the nearest piece, float32 (count, H, W)."""
    from PIL import Image
    from scipy.ndimage import distance_transform_edt

    thing = sight.kinds[0]
    layers = np.zeros((count, *thing.shape), np.float32)
    if not pieces:
        return layers
    if len(set(owner)) == 1:
        layers[owner[0]] = thing
        return layers
    labels = np.full(pieces[0].inside.shape, -1, np.int32)
    for piece, belongs in zip(pieces, owner, strict=True):
        labels[piece.inside] = belongs
    if (labels < 0).any():
        index = distance_transform_edt(labels < 0, return_distances=False, return_indices=True)
        labels = labels[tuple(index)]
    if labels.shape != thing.shape:
        height, width = thing.shape
        labels = np.asarray(
            Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST)
        )
    for k in range(count):
        layers[k] = thing * (labels == k)
    return layers


def _split(piece: Piece, sight: Sight, subjects: tuple[str, ...]) -> list[Piece]:
    """Two things that touch, told apart place by place by their names; empty where one has none."""
    other = len(SUBJECT_NAMES)
    columns = [SUBJECT_NAMES.index(s) if s in SUBJECT_NAMES else other for s in subjects]
    height, width = sight.names.shape[1:]
    rows = (np.arange(piece.inside.shape[0]) + 0.5) / piece.inside.shape[0] * height
    across = (np.arange(piece.inside.shape[1]) + 0.5) / piece.inside.shape[1] * width
    nearest = sight.names[columns].argmax(0)[rows.astype(int)[:, None], across.astype(int)]
    coarse = np.log(sight.names + 1e-4)
    parts = []
    for k in range(len(subjects)):
        inside = piece.inside & (nearest == k)
        if inside.mean() < max(LEAST_PIECE, 0.15 * piece.area):
            return []
        strength = float(sight.thing[inside].mean())
        parts.append(Piece(inside, float(inside.mean()), strength, named(inside, coarse)))
    return parts
