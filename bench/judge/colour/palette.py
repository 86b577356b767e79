"""The colours of one picture: pixels of one cell of the naming table are one colour.

Names are read from a table of 64 cells a channel, so that pixels of one cell have one name; here
they have one colour too, their mean in linear light. A region is then a histogram over some hundred
or thousand colours, and no longer so many pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.judge.colour.spaces import CELLS, cube_index, from_linear, linear_of_byte, to_lab


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours of a picture, and which of them each pixel has.

    Attributes
    ----------
    byte : ndarray, uint8, (P, 3)
        Pixels, sRGB.
    of_pixel : ndarray, int32, (P,)
        Place of each pixel's colour among the N of the picture.
    named : ndarray, float32, (N, C)
        Memberships of each colour in the names asked about.
    table : ndarray, float32, (262144, C)
        Where those come from (`difference.membership_table`).
    """

    byte: np.ndarray
    of_pixel: np.ndarray
    named: np.ndarray
    table: np.ndarray

    @cached_property
    def linear(self) -> np.ndarray:
        """Mean linear light of each colour's pixels, float32 (3, N)."""
        count = self.histogram(self.of_pixel)
        light = linear_of_byte()
        sums = [self.histogram(self.of_pixel, light[self.byte[:, k]]) for k in range(3)]
        return (np.stack(sums) / count).astype(np.float32)

    @cached_property
    def lab(self) -> np.ndarray:
        """CIELAB of those, float32 (N, 3)."""
        return to_lab(from_linear(self.linear.T)).astype(np.float32)

    def histogram(self, colours: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """How many pixels, or how much weight, of each colour: (N,)."""
        return np.bincount(colours, weights, len(self.named))


def palette_of(byte: np.ndarray, table: np.ndarray) -> Palette:
    """Make the palette of a picture.

    Parameters
    ----------
    byte : ndarray, uint8, (P, 3)
    table : ndarray, float32, (262144, C)
    """
    colours, of_pixel = distinct(cube_index(byte))
    return Palette(byte, of_pixel, table[colours], table)


def distinct(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those rows of `cube` that occur, in order: intp (N,); and which of them each is, int32 (P,).

    Parameters
    ----------
    cells : ndarray, int, (P,)
        As `cube_index` gives them.
    """
    there = np.zeros(CELLS, dtype=bool)
    there[cells] = True
    colours = np.flatnonzero(there)
    place = np.empty(CELLS, dtype=np.int32)
    place[colours] = np.arange(len(colours), dtype=np.int32)
    return colours, place[cells]
