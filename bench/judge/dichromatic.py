"""The colour of a surface, not of its light: shading, gloss, and a cast over the whole picture.

A matte surface of one paint reflects the paint's colour times a shading factor; a glossy one adds
some of the light's own colour (the dichromatic reflection model of Shafer 1985). In linear light a
pixel of the paint ``p`` is then ``k p + h w`` with the light ``w``. Pixels of this form belong to
the paint, whatever the name of the dark or glossy tint alone would be.

References
----------
S. A. Shafer. Using color to separate reflection components. Color Research and Application 10
(1985) 210-218.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.judge.colour.palette import Histograms, Palette
from bench.judge.colour.spaces import cube_index, from_linear
from prompts.colours import COLOUR_NAMES

#: A pixel counts as shade of the paint where it has this share of the paint's light: not at all
#: at the first value, fully at the second. Below lies another paint: brown is orange at 0.2, gray
#: is white at 0.25.
SHADE = (0.40, 0.55)
#: Relative distance from the line of shades that is still taken for it, fully and at most.
SHADE_RESIDUAL = (0.07, 0.16)
#: Where the shades run on without a gap, they are followed down to this share of the light.
DEEPEST_SHADE = 0.12
#: Gloss is given to the paint while it covers no more than the first share of the region, and not
#: at all from the second on: that much white is paint.
GLOSS = (0.05, 0.10)
#: Pixels of which a region's mask has no more than this are not looked at.
LEAST = 0.02
#: A term can be the paint only where it covers this share of the region by its own name, or is
#: the commonest.
PAINT_SHARE = 0.35
#: A lesser paint may claim shade up to this much of what it covers by name, if that is enough.
LESSER_CLAIM = 1.0
LEAST_PAINT = 0.06
#: A region with so much of one term needs no correction.
CLEAR = 0.98

_LUMINANCE = np.array([0.2127, 0.7152, 0.0722], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Surface:
    """What covers a region.

    Attributes
    ----------
    shares : ndarray, float32, (C,)
        Share of the region in each of the colours asked about, by the names of pixels corrected
        for shade and gloss.
    area : float
        Sum of the region's mask, pixels.
    """

    shares: np.ndarray
    area: float


def plain_shares(palette: Palette, regions: Histograms) -> list[Surface]:
    """Mean memberships over each region, with no correction."""
    named = palette.named.take(regions.colour, axis=0)
    return _surfaces(palette, regions, _means(named, regions, regions.weight))


def surface_shares(palette: Palette, regions: Histograms, terms: int) -> list[Surface]:
    """Mean memberships over each region, with shade and gloss given to the paint they lie on.

    Parameters
    ----------
    palette : Palette
        Of the pictures; the first ``terms`` names are the basic terms and sum to 1.
    regions : Histograms
    terms : int
        Number of basic terms, 11.

    Notes
    -----
    Each basic term that could be the paint of the region is tried: its lit pixels give the paint
    ``p`` (the mean of the brighter ones, in linear light), and every other colour is given to ``p``
    by how well it is a shade ``k p`` or, while there are few such pixels, a gloss ``p + h w`` of
    it. The term that explains most of the region is taken. Only darker pixels are shade, so a lit
    orange explains its brown shadow and brown never explains orange. Then every lesser paint gets
    its own shade from what is left, up to as much again as it covers by name (`LESSER_CLAIM`).
    """
    named = palette.named.take(regions.colour, axis=0)
    shares = _means(named, regions, regions.weight)
    basic = shares[:, :terms]
    top = basic.max(axis=1, initial=0.0)
    region, term = np.nonzero((basic >= LEAST_PAINT) & (top <= CLEAR)[:, None])
    if not region.size:
        return _surfaces(palette, regions, shares)
    by_name = basic[region, term]
    claims = _Claims(named, regions, region, term)
    could_be = by_name >= np.minimum(PAINT_SHARE, top[region])
    explains = np.where(could_be, by_name + claims.extra, -1.0)
    is_main = np.zeros(len(region), bool)
    is_main[_first_of_each(region, np.lexsort((-explains, region)))] = True
    # The main paint of a region has the first turn, then the lesser ones, the larger first.
    order = np.lexsort((-by_name, ~is_main, region))
    turn = np.empty(len(region), np.intp)
    turn[order] = np.arange(len(region)) - np.searchsorted(region, region)
    left, given = regions.weight.copy(), np.zeros(len(region))
    for now in range(int(turn.max()) + 1):
        own = ((turn == now) & (claims.extra > 0.0))[claims.claim].nonzero()[0]
        entry, claim = claims.entry[own], claims.claim[own]
        part = left[entry] * claims.given[own]
        total = np.bincount(claim, part, len(region))
        if now:
            limit = np.minimum(total, LESSER_CLAIM * by_name)
            part *= (limit / np.maximum(total, 1e-12))[claim]
            total = limit
        left[entry] -= part
        given += total
    shares = _means(named, regions, left)
    paints = palette.names_of(cube_index(claims.paint), regions.picture[region])
    np.add.at(shares, region, given[:, None] * paints)
    return _surfaces(palette, regions, np.clip(shares, 0.0, 1.0))


def _means(named: np.ndarray, regions: Histograms, weight: np.ndarray) -> np.ndarray:
    """Sums of weighted memberships (E, C) over every region: float64 (R, C), 0 of an empty one."""
    shares = np.zeros((len(regions.area), named.shape[1]))
    there = regions.area > 0.0
    if there.any():
        weighted = named * weight[:, None]
        shares[there] = np.add.reduceat(weighted, regions.first[:-1][there], axis=0)
    return shares


def _surfaces(palette: Palette, regions: Histograms, shares: np.ndarray) -> list[Surface]:
    shares = np.where((regions.area > 0.0)[:, None], shares, np.nan).astype(np.float32)
    basic = len(COLOUR_NAMES)
    columns = [basic + len(palette.codes[picture]) for picture in regions.picture.tolist()]
    areas = regions.area.tolist()
    return [Surface(own[:n], area) for own, n, area in zip(shares, columns, areas, strict=True)]


def _first_of_each(group: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Those of ``order`` that come first of their group; groups rise along it."""
    rises = np.diff(group[order], prepend=-1) > 0
    return order[rises]


class _Claims:
    """How far the colours of regions are shade or gloss of paints, for many paints at once.

    Parameters
    ----------
    named : ndarray, float32, (E, C)
        Memberships of the entries' colours.
    regions : Histograms
    region, term : ndarray, intp, (K,)
        Of each claim: the region, and the term that names the lit pixels of the paint.

    Attributes
    ----------
    claim, entry : ndarray, intp, (F,)
        Every claim with every entry of its region.
    given : ndarray, float64, (F,)
        How far the entry is given to the claim.
    paint : ndarray, uint8, (K, 3)
    extra : ndarray, float64, (K,)
        How much of the region the paint covers beyond its name.
    """

    def __init__(
        self, named: np.ndarray, regions: Histograms, region: np.ndarray, term: np.ndarray
    ) -> None:
        sizes = np.diff(regions.first)[region]
        first = np.cumsum(sizes) - sizes
        self._first, self.claim = first, np.repeat(np.arange(len(region)), sizes)
        self.entry = np.arange(len(self.claim)) + (regions.first[region] - first)[self.claim]
        own = named[self.entry, term[self.claim]]
        linear, weight = regions.linear.take(self.entry, axis=1), regions.weight[self.entry]
        luminance = _LUMINANCE @ linear
        lit = np.where(own > 0.5, regions.pixels[self.entry], 0)
        count = self._sums(lit)
        mean = self._sums(lit * luminance) / np.maximum(count, 1)
        bright = np.where(luminance >= mean[self.claim] - 1e-6, lit, 0)
        paint = self._sums(linear * bright) / np.maximum(self._sums(bright), 1)
        given = self._shade(linear, weight, paint)
        lighter = (luminance > (_LUMINANCE @ paint)[self.claim]) & (given < 1.0) & (own <= 0.5)
        place = lighter.nonzero()[0]
        gloss = _gloss(linear.take(place, axis=1), paint.take(self.claim[place], axis=1))
        gloss *= 1.0 - given[place]
        few, many = GLOSS
        total = np.bincount(self.claim[place], weight[place] * gloss, len(region))
        glossy = np.clip((many - total) / (many - few), 0.0, 1.0)
        given[place] += gloss * glossy[self.claim[place]]
        given *= (count > 0)[self.claim]
        self.given = given
        self.paint = np.round(from_linear(paint.T) * 255.0).astype(np.uint8)
        self.extra = self._sums(weight * (given * (1.0 - own)))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the entries of each claim, of (F,) or (3, F)."""
        return np.add.reduceat(values, self._first, axis=-1)

    def _shade(self, linear: np.ndarray, weight: np.ndarray, paint: np.ndarray) -> np.ndarray:
        power = _dot(paint, paint) + 1e-9
        along = _dot(linear, (paint / power).take(self.claim, axis=1))
        scale = np.maximum(along, 1e-4)
        square = _dot(linear, linear)
        residual = np.sqrt(np.maximum(square / (scale * scale * power[self.claim]) - 1.0, 0.0))
        near, far = SHADE_RESIDUAL
        on_line = np.clip((far - residual) / (far - near), 0.0, 1.0)
        on_line[scale > 1.05] = 0.0
        begins, full = SHADE
        floor = self._end_of_shade(scale, on_line * weight)
        follows = floor < begins
        low = np.where(follows, floor, begins)[self.claim]
        high = np.where(follows, 1.2 * floor, full)[self.claim]
        return on_line * np.clip((scale - low) / (high - low), 0.0, 1.0)

    def _end_of_shade(self, scale: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Follow the shades down from each lit paint to the first gap: the share of light there.

        Shading runs through all its values; a second, darker paint stands apart. In steps of half
        an octave, a step with less than a quarter of what lies in any step below it is a gap.
        """
        steps = np.clip(-2.0 * np.log2(scale), 0, 11).astype(np.intp)
        claims = len(self._first)
        mass = np.bincount(12 * self.claim + steps, weight, 12 * claims).reshape(claims, 12)
        below = np.maximum.accumulate(mass[:, ::-1], axis=1)[:, ::-1][:, 1:]
        nothing = below < 1e-3
        ends = nothing | (mass[:, :11] < 0.25 * below)
        step = np.where(ends.any(axis=1), ends.argmax(axis=1), np.inf)
        step += np.take_along_axis(nothing, ends.argmax(axis=1)[:, None], axis=1)[:, 0] * 1.5
        return np.maximum(2.0 ** (-step / 2.0), DEEPEST_SHADE)


def _dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(first[0] * second[0] + first[1] * second[1] + first[2] * second[2])


def _gloss(linear: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Measure how far pixels (3, P) are their paint (3, P) with white light added, in [0, 1].

    The light ``h`` of ``pixel - paint = h (1, 1, 1)`` is the mean difference; what it leaves over
    must be small against it. A pixel clipped at white is taken for gloss by its brightness alone.
    """
    above = linear - paint
    light = above.mean(axis=0)
    left = np.abs(above - light).max(axis=0)
    near = np.clip(1.5 - left / (0.4 * light + 0.02), 0.0, 1.0)
    near[(linear.min(axis=0) > 0.8) & (light > 0.2)] = 1.0
    return np.where(light > 0.02, near, 0.0)
