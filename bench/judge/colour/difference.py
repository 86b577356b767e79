"""Distance between colours by CIEDE2000, and how far a colour answers to an asked one.

References
----------
G. Sharma, W. Wu and E. N. Dalal. The CIEDE2000 color-difference formula: implementation notes,
supplementary test data, and mathematical observations. Color Research and Application 30 (2005)
21-30.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bench.judge.colour.model import table
from bench.judge.colour.named import basic_term, resolve
from bench.judge.colour.spaces import as_byte, cube, cube_index, to_lab
from prompts.colours import COLOUR_NAMES

#: CIEDE2000 at which a colour answers to the asked one by one half. In the survey of Heer and
#: Stone, where some 150 names compete, a name is given half as often as at its best at a distance
#: of 9 (median of 136 names; 7 to 11 for eight in ten). One who is asked whether a car is teal has
#: no other names at hand, so half as much again is allowed.
TOLERANCE = 14.0
#: Width of the transition: the membership falls from 0.88 to 0.12 over four of these.
SOFTNESS = 2.5
#: Weight 1 / 2 for a difference of lightness (the 2:1 of textile practice), since shading changes
#: the lightness of a surface and not its colour.
LIGHTNESS_FACTOR = 2.0


def delta_e(rgb: np.ndarray, target: str, lightness_factor: float = LIGHTNESS_FACTOR) -> np.ndarray:
    """CIEDE2000 of colours from a named one.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1].
    target : str
        A basic term (its prototype), a CSS or XKCD name, or a hexadecimal code.
    lightness_factor : float
        ``kL``: 1 for the plain formula, 2 to halve the weight of lightness.

    Returns
    -------
    ndarray, float64, (...)
    """
    from skimage.color import deltaE_ciede2000

    wanted = to_lab(np.array(resolve(target), dtype=np.uint8))
    lab = to_lab(rgb)
    return deltaE_ciede2000(lab, np.broadcast_to(wanted, lab.shape), kL=lightness_factor)


def _soften(distance: np.ndarray, tolerance: float) -> np.ndarray:
    steps = np.clip((distance - tolerance) / SOFTNESS, -60, 60)
    return 1.0 / (1.0 + np.exp(steps))


def match_table(target: str, tolerance: float = TOLERANCE) -> np.ndarray:
    """`match` at the cells of `bench.judge.colour.spaces.cube`: float32 (262144,)."""
    return _match_table(resolve(target), float(tolerance))


@lru_cache(maxsize=64)
def _match_table(target: tuple[int, int, int], tolerance: float) -> np.ndarray:
    code = "#{:02x}{:02x}{:02x}".format(*target)
    return _soften(delta_e(cube(), code), tolerance).astype(np.float32)


def match(rgb: np.ndarray, target: str, tolerance: float = TOLERANCE) -> np.ndarray:
    """How far colours answer to an asked one, by distance alone.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1].
    target : str
        A CSS or XKCD name, a hexadecimal code, or a basic term (its prototype).
    tolerance : float
        CIEDE2000, lightness at half weight, at which the membership is 0.5.

    Returns
    -------
    ndarray, float32, (...)
        In [0, 1]: ``1 / (1 + exp((dE - tolerance) / 2.5))``, 0.998 for the colour itself; from a
        table of 64 cells a channel.
    """
    byte = as_byte(rgb)
    return np.take(match_table(target, tolerance), cube_index(byte))


#: A colour is a kind of every basic term that so large a share of people would call it by.
LEAST_KIND = 0.25


@lru_cache(maxsize=4096)
def parents_of(colour: str) -> frozenset[int]:
    """Places in `COLOUR_NAMES` of the basic terms that a colour is a kind of: crimson is red."""
    byte = np.array(resolve(colour), dtype=np.uint8)
    shares = np.take(table(), cube_index(byte), axis=0)
    return frozenset(np.flatnonzero(shares >= LEAST_KIND).tolist())


@lru_cache(maxsize=32)
def membership_table(colours: tuple[str, ...]) -> np.ndarray:
    """Make the table behind `memberships_of`: float32 (262144, C), by `spaces.cube_index`."""
    if colours == COLOUR_NAMES:
        return table()
    columns = []
    for colour in colours:
        term = basic_term(colour)
        if term is None:
            columns.append(match_table(colour))
        else:
            columns.append(table()[:, COLOUR_NAMES.index(term)])
    return np.stack(columns, axis=-1)


def memberships_of(rgb: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """Memberships in asked colours: by name for a basic term, by distance for any other.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1].
    colours : sequence of str, C
        Basic terms, CSS or XKCD names, hexadecimal codes.

    Returns
    -------
    ndarray, float32, (..., C)
        Each in [0, 1]. They need not sum to 1: ``teal`` and ``blue`` overlap.
    """
    return np.take(membership_table(tuple(colours)), cube_index(as_byte(rgb)), axis=0)
