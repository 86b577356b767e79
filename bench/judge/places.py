"""Places beside the subject: a neighbour, the wall, or the support that things stand on.

A band around every outline belongs to no place: masks are soft there, and a halo of the subject's
own colour is no leak (`bench.judge.excess`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.judge.colour.spaces import to_lab
from bench.judge.lattice import lattice, within_squares
from bench.records import Regions

# ``python -m bench.cli.fit places`` fits `BAND`, `LEAST_LEFT`, `PARTED` and `LEAST_PART`:
# docs/metrics.md has the ranges, in which any value is as good by this fit.

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


def numbers_in(labels: np.ndarray) -> list[int]:
    """Labels that are there, uint8 (h, w), rising: `numpy.unique` without sorting."""
    found: list[int] = np.bincount(labels.ravel(), minlength=1).nonzero()[0].tolist()
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


def grown(inside: np.ndarray) -> np.ndarray:
    """A region, bool (h, w), and twice the band around it: neighbours begin within that."""
    side = 4 * max(1, round(BAND * max(inside.shape))) + 1
    wider: np.ndarray = within_squares(inside, side, np.maximum)
    return wider


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
    for number in numbers_in(labels):
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
    total = np.count_nonzero(ground)
    if total < 16 or (picture.labels == SUPPORT).any():
        return picture
    # Channel by channel in memory, as `to_lab` makes it.
    lab = np.moveaxis(to_lab(picture.byte), -1, 0) * ground
    best, where = 0.0, None
    for axis in (0, 1):
        count = np.cumsum(ground.sum(axis=1 - axis))[:-1].astype(float)
        rest = total - count
        fits = (count >= LEAST_PART * total) & (rest >= LEAST_PART * total)
        if not fits.any():
            continue
        sums = np.cumsum(lab.sum(axis=2 - axis), axis=1)
        one = sums[:, :-1] / np.maximum(count, 1)
        two = (sums[:, -1:] - sums[:, :-1]) / np.maximum(rest, 1)
        apart = np.linalg.norm(one - two, axis=0)
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
