"""The colours of some pictures: pixels of one cell of the naming table are one colour.

Names are read from a table of 64 cells a channel, so that pixels of one cell have one name; in a
region they have one colour too, their mean in linear light. A region is then a histogram over some
hundred or thousand colours, and no longer so many pixels. Pictures are taken several at a time: of
small ones the arithmetic costs less than the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.judge.colour.difference import match_table
from bench.judge.colour.model import table
from bench.judge.colour.spaces import CELLS, cube_index, linear_of_byte
from prompts.colours import COLOUR_NAMES


@dataclass(frozen=True, eq=False)
class Colours:
    """The colours of some pictures, and which of them each pixel has.

    Attributes
    ----------
    cells : ndarray, intp, (N,)
        Rows of `bench.judge.colour.spaces.cube`: one picture after the other, rising in each.
    first : ndarray, intp, (B + 1,)
        Number of each picture's first colour, and N.
    of_pixel : tuple of ndarray, intp, (P,), B
        For each picture the numbers of its pixels' colours.
    """

    cells: np.ndarray
    first: np.ndarray
    of_pixel: tuple[np.ndarray, ...]

    @cached_property
    def picture(self) -> np.ndarray:
        """Of each colour: intp (N,)."""
        return np.repeat(np.arange(len(self.of_pixel)), np.diff(self.first))


def colours_of(pictures: Sequence[np.ndarray]) -> Colours:
    """List the colours of pictures, uint8 (P, 3) of any sizes."""
    cells, of_pixel, first = [], [], [0]
    there, place = np.zeros(CELLS, bool), np.empty(CELLS, np.int32)
    for byte in pictures:
        of_cell = cube_index(byte)
        there[of_cell] = True
        # Few are there: eight are looked at together, as one word.
        eight = (there.view(np.uint64) != 0).nonzero()[0]
        word, byte_of_it = there.reshape(-1, 8)[eight].nonzero()
        found = eight[word] * 8 + byte_of_it
        there[found] = False
        first.append(first[-1] + len(found))
        place[found] = np.arange(first[-2], first[-1])
        cells.append(found)
        of_pixel.append(place.take(of_cell).astype(np.intp))
    return Colours(np.concatenate(cells), np.array(first), tuple(of_pixel))


@dataclass(frozen=True, eq=False)
class Palette:
    """The colours of some pictures with their names.

    Attributes
    ----------
    pictures : tuple of ndarray, uint8, (P, 3), B
        sRGB.
    colours : Colours
    codes : tuple of tuple of str, B
        Names or codes of what each picture is asked about beside the basic terms.
    named : ndarray, float32, (N, C)
        Memberships of each colour: in the basic terms, then in those asked of its picture; 0 in
        columns that only other pictures have.
    """

    pictures: tuple[np.ndarray, ...]
    colours: Colours
    codes: tuple[tuple[str, ...], ...]
    named: np.ndarray

    @cached_property
    def linear(self) -> np.ndarray:
        """Mean linear light of each colour's pixels, float64 (3, N)."""
        of_pixel = np.concatenate(self.colours.of_pixel)
        light = linear_of_byte()
        channels = np.concatenate([byte.T for byte in self.pictures], axis=1)
        sums = [np.bincount(of_pixel, light.take(channel)) for channel in channels]
        return np.array(sums) / np.bincount(of_pixel)

    def names_of(self, cells: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """Memberships, as in ``named``, of rows of `cube` (K,) for pictures (K,)."""
        return _names(cells, pictures, self.codes)


def palette_of(
    pictures: Sequence[np.ndarray], codes: Sequence[tuple[str, ...]] | None = None
) -> Palette:
    """Make the palette of some pictures.

    Parameters
    ----------
    pictures : sequence of ndarray, uint8, (P, 3)
    codes : sequence of tuple of str, optional
        For each picture names or codes of colours that are no basic terms.
    """
    colours, of_each = colours_of(pictures), tuple(codes or ((),) * len(pictures))
    named = _names(colours.cells, colours.picture, of_each)
    return Palette(tuple(pictures), colours, of_each, named)


def _names(
    cells: np.ndarray, pictures: np.ndarray, codes: tuple[tuple[str, ...], ...]
) -> np.ndarray:
    basic = table().take(cells, axis=0)
    more = max(map(len, codes), default=0)
    if not more:
        return basic
    named = np.concatenate([basic, np.zeros((len(cells), more), np.float32)], axis=1)
    for picture, own_codes in enumerate(codes):
        own = (pictures == picture).nonzero()[0]
        for column, code in enumerate(own_codes, len(COLOUR_NAMES)):
            named[own, column] = match_table(code).take(cells[own])
    return named


@dataclass(frozen=True, eq=False)
class Histograms:
    """Regions as their colours: an entry for each colour that a region has.

    Attributes
    ----------
    picture : ndarray, intp, (R,)
        Of each region.
    area : ndarray, float64, (R,)
        Sum of each region's mask, as far as it counts.
    first : ndarray, intp, (R + 1,)
        Each region's first entry, and E.
    colour : ndarray, intp, (E,)
        Number of the colour in the palette, rising in each region.
    pixels : ndarray, intp, (E,)
        How many there are.
    solid : ndarray, intp, (E,)
        How many of them the mask has by more than half.
    weight : ndarray, float64, (E,)
        Sum of the mask over those, as a share of the region's.
    linear : ndarray, float64, (3, E)
        Their mean linear light.
    """

    picture: np.ndarray
    area: np.ndarray
    first: np.ndarray
    colour: np.ndarray
    pixels: np.ndarray
    solid: np.ndarray
    weight: np.ndarray
    linear: np.ndarray


def histograms_of(
    palette: Palette, masks: Sequence[Sequence[np.ndarray]], least: float = 0.0
) -> Histograms:
    """Histograms of regions over the colours of their pictures.

    Parameters
    ----------
    palette : Palette
    masks : sequence of sequence of ndarray, float32, (P,)
        The regions of each picture.
    least : float
        Pixels of which the mask has no more than this do not count.
    """
    colours = palette.colours
    picture = np.repeat(np.arange(len(masks)), [len(own) for own in masks])
    # Room for every colour of the picture in every region.
    room = np.cumsum(np.concatenate([[0], np.diff(colours.first)[picture]]))
    slots, shares = [np.zeros(0, np.intp)], [np.zeros(0, np.float32)]
    pairs = [(of, mask) for of, own in enumerate(masks) for mask in own]
    for number, (of, mask) in enumerate(pairs):
        inside = (mask > least).nonzero()[0]
        slots.append(colours.of_pixel[of].take(inside) + (room[number] - colours.first[of]))
        shares.append(mask.take(inside))
    slot, size, share = np.concatenate(slots), int(room[-1]), np.concatenate(shares)
    pixels = np.bincount(slot, minlength=size)
    there = pixels.nonzero()[0]
    pixels = pixels[there]
    solid = np.bincount(slot[share > 0.5], minlength=size)[there]
    sums = np.bincount(slot, share, size)[there]
    first = there.searchsorted(room)
    region = np.repeat(np.arange(len(picture)), np.diff(first))
    area = np.bincount(region, sums, len(picture))
    weight = sums / area[region]
    colour = there + (colours.first[picture] - room[:-1])[region]
    return Histograms(
        picture, area, first, colour, pixels, solid, weight, palette.linear.take(colour, axis=1)
    )
