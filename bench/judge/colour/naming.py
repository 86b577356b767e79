"""Names of colours: fuzzy memberships in the eleven basic terms of English."""

from __future__ import annotations

import numpy as np

from bench.judge.colour.model import shares_of_lab, table
from bench.judge.colour.spaces import as_byte, as_unit, cube_index, encoded, to_lab
from prompts.colours import COLOUR_NAMES


def memberships(rgb: np.ndarray, exact: bool = False, linear: bool = False) -> np.ndarray:
    """Memberships of colours in the basic terms.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1]. Gamma-encoded, as in an image file.
    exact : bool
        Compute the model for every colour. By default it is read from a table of 64 cells a
        channel, made once a process. Over random colours the membership that differs most is off
        by 0.013 on average and by 0.35 at worst, where a boundary runs through the cell; the
        first term is another one for 1.5% of them (tests/bench/judge/colour/test_naming.py).
    linear : bool
        The colours are linear light, float in [0, 1].

    Returns
    -------
    ndarray, float32, (..., 11)
        In the order of ``prompts.COLOUR_NAMES``; each in [0, 1], with a sum of 1.

    Notes
    -----
    The model is that of `bench.judge.colour.model`, fitted by `bench.judge.colour.fit`.
    """
    rgb = encoded(rgb, linear)
    if exact:
        return shares_of_lab(to_lab(as_unit(rgb))).astype(np.float32)
    byte = as_byte(rgb)
    return np.take(table(), cube_index(byte), axis=0)


def name(rgb: np.ndarray, linear: bool = False) -> str | np.ndarray:
    """Name colours by the basic term that fits best.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1].
    linear : bool
        The colours are linear light, float in [0, 1].

    Returns
    -------
    str, or ndarray of str (...)
        One term for one colour, an array of terms for more.
    """
    first = memberships(rgb, exact=True, linear=linear).argmax(axis=-1)
    if first.ndim == 0:
        return COLOUR_NAMES[int(first)]
    return np.array(COLOUR_NAMES)[first]
