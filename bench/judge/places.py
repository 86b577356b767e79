"""Where the asked colour went beside its subject: place by place, beyond the control.

A place is a neighbour, the wall, or the support that things stand on. A band around every outline
belongs to no place: masks are soft there, and a halo of the subject's own colour is no leak. Where
the control is known (the same prompt without its colours, from the same noise), what counts is the
colour that the control does not have at the same pixels, in a colour that differs to the eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.judge.colour.difference import membership_table
from bench.judge.colour.model import table
from bench.judge.colour.named import basic_term
from bench.judge.colour.spaces import cube_index, to_lab
from bench.judge.lattice import lattice, within_squares
from bench.records import Regions

# ``python -m bench.cli.fit places`` fits the constants below, from `BAND` on, and prints which
# values are as good: docs/metrics.md has the ranges, in which any value is as good by this fit.

#: Longer side of the lattice that places are measured on, pixels.
SIDE = 128
#: Half the width of the band around outlines, as a share of the longer side. Masks of the bundled
#: network are of 96 pixels: the band is three of them.
BAND = 0.03
#: A place of which the band leaves less than this share is measured with the band.
LEAST_LEFT = 0.25
#: Labels of what is no subject; neighbours count on from the last.
WALL, SUPPORT, FIRST_NEIGHBOUR = 0, 100, 101
#: What places are called in metrics. Neighbours of any other name are ``other``.
PLACES: tuple[str, ...] = ("wall", "support", "plate", "picture_frame", "other")
#: CIELAB distance below which a pixel and the control's are one colour, whatever their names: the
#: boundary of white and gray runs through many a wall. Half the distance at which people give two
#: patches two names (`bench.judge.colour.difference.TOLERANCE` and its source).
SAME = 10.0
#: Colours that light and shade make of one another, and the same distance for them.
NEUTRAL = ("white", "gray")
SAME_NEUTRAL = 20.0
#: A neighbour of which more than this share lies on the control's subject, or within the outline
#: of the picture's own, is the subject.
ON_SUBJECT = 0.6
#: So is one that touches the subject and has, the band left out, less than this share of its area:
#: a handle, a foot. The fit would have 0.18 or less, by few pictures of 1,200; its scenes have no
#: brims, and one of a fifth of the thing is a part of it.
PART = 0.25
#: But a neighbour that has the asked colour over more than `WHOLE` of it, where the subject has it
#: over less than `UNTOUCHED`, is no part of the subject. Looked at in pictures of a model that
#: leaks: plates under houses and elephants of another colour. The fit would have `WHOLE` from 0.3
#: to 0.6, by 2 pictures of 1,200; 0.7 is the value that was looked at.
UNTOUCHED, WHOLE = 0.1, 0.7
#: Nor is one that is longer than the subject is along it, where the control has the colours of
#: its own subject over less than `ALIKE` of the same pixels: a brim has them there too, a plate has
#: not. The subject's colours are the basic terms that cover `SUBJECT_TERM` of it. Looked at in the
#: same pictures: from 0.2 to 0.5 the same plates are told.
ALIKE, SUBJECT_TERM = 0.3, 0.1
#: A connected patch of the colour counts beside its share of the place from this share of the
#: picture on; it is then held against the area of the subject. Not for white and gray, of which
#: shadows and lights are made.
LEAST_PATCH = 0.02
#: A background falls into wall and support where the halves of its best straight cut differ by so
#: much in CIELAB, each of them at least this share of it.
PARTED, LEAST_PART = 10.0, 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture and its regions on a lattice.

    Attributes
    ----------
    byte : ndarray, uint8, (h, w, 3)
        sRGB, the light removed.
    labels : ndarray, uint8, (h, w)
        `WALL`, `SUPPORT`, subjects from 1, neighbours from `FIRST_NEIGHBOUR`.
    neighbours : tuple of str
    """

    byte: np.ndarray
    labels: np.ndarray
    neighbours: tuple[str, ...]


def labels_of(
    regions: Regions, rows: slice = slice(None), columns: slice = slice(None)
) -> np.ndarray:
    """For each pixel the region with the greatest share, of equals the first: uint8 (H, W).

    Parameters
    ----------
    regions : Regions
    rows, columns : slice
        Of the pixels that are meant (`bench.judge.lattice.lattice`).
    """
    layers, numbers = [regions.background, *regions.masks], [WALL]
    numbers += range(1, len(layers))
    if regions.support is not None:
        layers.append(regions.support)
        numbers.append(SUPPORT)
    layers.extend(regions.neighbour_masks)
    numbers += range(FIRST_NEIGHBOUR, FIRST_NEIGHBOUR + len(regions.neighbours))
    shares = [np.ascontiguousarray(layer[rows, columns]) for layer in layers]
    if regions.support is not None:
        shares[0] = np.clip(shares[0] - shares[numbers.index(SUPPORT)], 0.0, 1.0)
    return greatest(shares, numbers)


def greatest(
    layers: Sequence[np.ndarray] | np.ndarray, numbers: Sequence[int] | None = None
) -> np.ndarray:
    """Number of the greatest of some layers, of equals the first: uint8, of a layer's shape.

    Parameters
    ----------
    layers : sequence of ndarray, float, or ndarray with one axis more
    numbers : sequence of int, optional
        Of the layers, below 256 and rising; from 0 on by default.
    """
    numbers = range(len(layers)) if numbers is None else numbers
    most, found = layers[0], np.full(layers[0].shape, numbers[0], np.uint8)
    for number, layer in zip(numbers[1:], layers[1:], strict=True):
        # A later layer that is greater has the greater number.
        np.maximum(found, (layer > most).view(np.uint8) * np.uint8(number), out=found)
        most = np.maximum(most, layer)
    return found


def on_lattice(image: np.ndarray) -> np.ndarray:
    """Pixels of a picture, or labels, on the lattice: (h, w, ...)."""
    rows, columns = lattice(image.shape[0], image.shape[1], SIDE)
    return image[rows, columns]


def clear_of(labels: np.ndarray) -> np.ndarray:
    """Pixels off the band around outlines: bool (..., h, w), of labels of one picture or more."""
    side = 2 * max(1, round(BAND * max(labels.shape[-2:]))) + 1
    clear: np.ndarray = within_squares(labels, side, np.maximum) == within_squares(
        labels, side, np.minimum
    )
    return clear


def inner(inside: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """A region without the band around outlines, unless next to nothing of it is left."""
    kept: np.ndarray = inside & clear
    left = np.count_nonzero(kept) >= LEAST_LEFT * np.count_nonzero(inside)
    return kept if left else inside


def places_of(
    labels: np.ndarray, neighbours: tuple[str, ...], clear: np.ndarray | None = None
) -> dict[str, list[np.ndarray]]:
    """Pixels of each place that is there, the band around outlines left out.

    Parameters
    ----------
    labels : ndarray, uint8, (h, w)
    neighbours : tuple of str
    clear : ndarray, bool, (h, w), optional
        Of `clear_of` by default.

    Returns
    -------
    dict of str to list of ndarray, bool, (h, w)
        By the names of `PLACES`; one mask, or one for each neighbour of the name.
    """
    clear = clear_of(labels) if clear is None else clear
    found: dict[str, list[np.ndarray]] = {}
    for number in np.unique(labels).tolist():
        if 0 < number < SUPPORT:
            continue
        kept = inner(labels == number, clear)
        name = ("wall", "support")[number == SUPPORT]
        if number >= FIRST_NEIGHBOUR:
            name = place_name(neighbours[number - FIRST_NEIGHBOUR], True)
        found.setdefault(name, []).append(kept)
    return found


#: Scenery of prompts that is judged as the wall, and as the support.
_WALLS = frozenset({"wall", "background", "sky"})
_SUPPORTS = frozenset({"table", "floor", "ground"})


def place_name(noun: str, is_neighbour: bool = False) -> str:
    """Name in `PLACES` of a piece of scenery, or of a neighbour of a segmenter."""
    if not is_neighbour and noun in _WALLS | _SUPPORTS:
        return "wall" if noun in _WALLS else "support"
    name = noun.replace(" ", "_")
    return name if name in PLACES[2:] else "other"


def part_support(picture: Picture) -> Picture:
    """Tell the support from the wall where the segmenter did not: the best straight cut.

    Notes
    -----
    Of all cuts along rows and columns, that with the greatest variance between the means of the
    two parts in CIELAB (Otsu 1979). The lower part is the support; of a cut along columns, the
    smaller one.
    """
    ground = picture.labels == WALL
    total = int(ground.sum())
    if (picture.labels == SUPPORT).any() or total < 16:
        return picture
    lab = to_lab(picture.byte) * ground[..., None]
    best, where = 0.0, None
    for axis in (0, 1):
        count = np.cumsum(ground.sum(axis=1 - axis))[:-1].astype(float)
        sums = np.cumsum(lab.sum(axis=1 - axis), axis=0)
        rest = total - count
        fits = (count >= LEAST_PART * total) & (rest >= LEAST_PART * total)
        if not fits.any():
            continue
        one = sums[:-1] / np.maximum(count, 1)[:, None]
        two = (sums[-1] - sums[:-1]) / np.maximum(rest, 1)[:, None]
        apart = np.linalg.norm(one - two, axis=1)
        between = np.where(fits & (apart >= PARTED), count * rest * apart**2, 0.0)
        place = int(between.argmax())
        if between[place] > best:
            best, where = float(between[place]), (axis, place + 1, count[place] < rest[place])
    if where is None:
        return picture
    axis, cut, first_is_smaller = where
    labels = picture.labels.copy()
    lower = np.zeros_like(ground)
    side = slice(None, cut) if axis == 1 and first_is_smaller else slice(cut, None)
    lower[(side,) if axis == 0 else (slice(None), side)] = True
    labels[ground & lower] = SUPPORT
    return Picture(picture.byte, labels, picture.neighbours)


def excess(
    picture: Picture, control: Picture, colour: str, code: str | None = None
) -> dict[str, float]:
    """Leak of a colour into each place beyond the control at the same pixels.

    Parameters
    ----------
    picture, control : Picture
        Of one shape, from the same noise.
    colour : str
        The asked one.
    code : str, optional
        What it means, where the name alone does not say.

    Returns
    -------
    dict of str to float
        By the names of `PLACES`, in [-1, 1]; places that are not there are left out. The share of
        the place that has the colour and, at the same pixels of the control, has it not, less the
        share the other way; or the largest connected patch of it over the area of the subject,
        where that is more. Of several neighbours of one name the greatest; of a neighbour that lies
        on the control's subject, or is a small one that touches the picture's, 0: it is the
        subject, unless it alone has the colour, or is longer than the subject where the control has
        other colours than its own subject's (`ALIKE`).

    Raises
    ------
    ValueError
        The pictures are of different shape.
    """
    if picture.labels.shape != control.labels.shape:
        raise ValueError(f"pictures of {picture.labels.shape} and {control.labels.shape}")
    asked = membership_table((code or colour,))[:, 0]
    has = asked[cube_index(picture.byte)]
    gain = has - asked[cube_index(control.byte)]
    neutral = basic_term(colour) in NEUTRAL
    same = SAME_NEUTRAL if neutral else SAME
    gain[np.linalg.norm(_lab(picture) - _lab(control), axis=-1) < same] = 0.0
    own = _subjects(picture)
    area = max(int(own.sum()), 1)
    places = places_of(picture.labels, picture.neighbours)
    if not places.keys() <= {"wall", "support"}:
        subject = _subjects(control) | _within(own)
        near = _grown(own)
        # A foot or a brim has the colour of the thing: one that alone has the asked colour is none.
        untouched = bool(own.any()) and float(has[own].mean()) < UNTOUCHED
        alike = _like_subject(control, SUBJECT_TERM)
    ground = (control.labels == WALL) | (control.labels == SUPPORT)
    found: dict[str, float] = {}
    for name, masks in places.items():
        values = []
        for mask in masks:
            if not mask.any():
                continue
            if name not in ("wall", "support"):
                small = mask.sum() < PART * area and bool((mask & near).any())
                is_subject = small or subject[mask].mean() > ON_SUBJECT
                other = untouched or (
                    float(alike[mask].mean()) < ALIKE
                    and _reaches_beyond(picture.labels == picture.labels[mask][0], own)
                )
                beside = other and float(has[mask].mean()) > WHOLE
                values.append(0.0 if is_subject and not beside else float(gain[mask].mean()))
                continue
            # Ground that comes to light where the control has a thing says nothing.
            mask = mask & ground
            if not mask.any():
                continue
            patch = _largest((gain > 0.5) & mask)
            large = patch >= LEAST_PATCH * mask.size and not neutral
            counted = min(1.0, patch / area) if large else 0.0
            values.append(max(float(gain[mask].mean()), counted))
        if values:
            found[name] = max(values)
    return found


@lru_cache(maxsize=64)
def _like_subject(picture: Picture, least: float) -> np.ndarray:
    """How far each pixel has a colour that covers ``least`` of the subject: float32 (h, w)."""
    named = table().take(cube_index(picture.byte), axis=0)
    own = _subjects(picture)
    if not own.any():
        return np.ones(own.shape, np.float32)
    terms = named[own].mean(axis=0) >= least
    shares: np.ndarray = named[..., terms].sum(axis=-1)
    return shares


@lru_cache(maxsize=64)
def _lab(picture: Picture) -> np.ndarray:
    """CIELAB of a picture: a control is compared with many."""
    return to_lab(picture.byte)


def _subjects(picture: Picture) -> np.ndarray:
    return (picture.labels > WALL) & (picture.labels < SUPPORT)


def _within(inside: np.ndarray) -> np.ndarray:
    """The convex hull of a region."""
    from skimage.morphology import convex_hull_image

    return convex_hull_image(inside) if inside.sum() > 3 else inside


def _grown(inside: np.ndarray) -> np.ndarray:
    """A region and twice the band around it, so far as neighbours begin beside it."""
    return within_squares(inside, 4 * max(1, round(BAND * max(inside.shape))) + 1, np.maximum)


def _reaches_beyond(neighbour: np.ndarray, own: np.ndarray) -> bool:
    """Whether a neighbour is longer, along its longer side, than the subjects' region."""
    if not own.any():
        return False
    lengths = [_lengths(neighbour), _lengths(own)]
    along = int(lengths[0][1] > lengths[0][0])
    return bool(lengths[0][along] > lengths[1][along])


def _lengths(region: np.ndarray) -> tuple[int, int]:
    """From the first row to the last, and the same of columns."""
    rows, columns = np.nonzero(region)
    return int(np.ptp(rows)), int(np.ptp(columns))


def _largest(inside: np.ndarray) -> int:
    """Pixels of the largest connected patch."""
    from scipy.ndimage import label

    parts, count = label(inside)
    return int(np.bincount(parts.ravel())[1:].max()) if count else 0
