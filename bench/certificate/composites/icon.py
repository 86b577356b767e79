"""An icon: one thing, cut out, and the part of it that is painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Side of an icon in pixels.
SIDE = 160


@dataclass(frozen=True, slots=True, eq=False)
class Icon:
    """One thing, cut out.

    Attributes
    ----------
    subject : str
        A name of `prompts.subjects`.
    colour : ndarray, uint8 (S, S, 3)
        Its own colours; where it is to be painted, shades of gray about 200.
    mask : ndarray, float32 (S, S)
        Where it is.
    body : ndarray, float32 (S, S)
        The part of the mask that is painted when the thing is given a colour; the rest (stem,
        wheels, windows) keeps its own.
    """

    subject: str
    colour: np.ndarray
    mask: np.ndarray
    body: np.ndarray
