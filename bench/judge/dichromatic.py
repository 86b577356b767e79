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

from bench.judge.colour.palette import Palette
from bench.judge.colour.spaces import cube_index, from_linear

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


def plain_shares(palette: Palette, mask: np.ndarray) -> Surface:
    """Mean memberships over a region, with no correction.

    Parameters
    ----------
    palette : Palette
    mask : ndarray, float32, (P,)
    """
    area = float(mask.sum())
    if area <= 0.0:
        return Surface(np.full(palette.named.shape[1], np.nan, dtype=np.float32), 0.0)
    weight = palette.histogram(palette.of_pixel, mask) / area
    return Surface((weight @ palette.named).astype(np.float32), area)


def surface_shares(palette: Palette, mask: np.ndarray, terms: int) -> Surface:
    """Mean memberships over a region, with shade and gloss given to the paint they lie on.

    Parameters
    ----------
    palette : Palette
        Of the picture; the first ``terms`` names are the basic terms and sum to 1.
    mask : ndarray, float32, (P,)
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
    inside = np.flatnonzero(mask > 0.02)
    if inside.size == 0:
        return Surface(np.full(palette.named.shape[1], np.nan, dtype=np.float32), 0.0)
    colours = palette.of_pixel[inside]
    counts = palette.histogram(colours)
    there = np.flatnonzero(counts)
    weight = palette.histogram(colours, mask[inside])[there]
    area = float(weight.sum())
    weight /= area
    named = palette.named[there]
    shares = weight @ named
    basic = shares[:terms].copy()
    top = float(basic.max())
    if top > CLEAR:
        return Surface(shares.astype(np.float32), area)
    light = _Light(palette.linear[:, there], weight, counts[there])
    claims: dict[int, _Claim] = {}
    for term in np.flatnonzero(basic >= min(PAINT_SHARE, top)).tolist():
        claims[term] = light.claim(named[:, term])
    main = max(claims, key=lambda term: basic[term] + claims[term].extra)
    left = weight.copy()
    lesser = [int(t) for t in np.argsort(-basic) if t != main and basic[t] >= LEAST_PAINT]
    for term in [main, *lesser]:
        claim = claims[term] if term in claims else light.claim(named[:, term])
        if claim.extra <= 0.0:
            continue
        given = left * claim.given
        total = float(given.sum())
        if term != main and total > LESSER_CLAIM * basic[term]:
            given *= LESSER_CLAIM * basic[term] / total
        paint = palette.table[cube_index(claim.paint)]
        shares = shares - given @ named + float(given.sum()) * paint
        left -= given
    return Surface(np.clip(shares, 0.0, 1.0).astype(np.float32), area)


@dataclass(frozen=True, slots=True)
class _Claim:
    """How far each colour is shade or gloss of a paint, and how much of the region that adds."""

    given: np.ndarray
    paint: np.ndarray
    extra: float


class _Light:
    """The colours of one region in linear light, with their weights and numbers of pixels."""

    def __init__(self, linear: np.ndarray, weight: np.ndarray, counts: np.ndarray) -> None:
        self.linear = linear
        self.weight = weight
        self.counts = counts
        self.luminance = _LUMINANCE @ self.linear
        self.square = np.einsum("cp,cp->p", self.linear, self.linear)

    def claim(self, own: np.ndarray) -> _Claim:
        """Give colours to the paint whose lit pixels are those that ``own`` names."""
        lit = np.flatnonzero(own > 0.5)
        nothing = np.zeros_like(self.weight)
        if lit.size == 0:
            return _Claim(nothing, np.zeros(3, dtype=np.uint8), 0.0)
        counts, luminance = self.counts[lit], self.luminance[lit]
        bright = luminance >= counts @ luminance / counts.sum() - 1e-6
        paint = self.linear[:, lit[bright]] @ counts[bright] / counts[bright].sum()
        given = self._shade(paint)
        lighter = np.flatnonzero((self.luminance > _LUMINANCE @ paint) & (given < 1.0))
        lighter = lighter[own[lighter] <= 0.5]
        if lighter.size:
            gloss = _gloss(self.linear[:, lighter], paint) * (1.0 - given[lighter])
            few, many = GLOSS
            total = float(self.weight[lighter] @ gloss)
            given[lighter] += gloss * min(1.0, max(0.0, (many - total) / (many - few)))
        encoded = np.round(from_linear(paint) * 255.0).astype(np.uint8)
        return _Claim(given, encoded, float(self.weight @ (given * (1.0 - own))))

    def _shade(self, paint: np.ndarray) -> np.ndarray:
        power = float(paint @ paint) + 1e-9
        scale = np.maximum(paint @ self.linear / power, 1e-4)
        residual = np.sqrt(np.maximum(self.square / (scale * scale * power) - 1.0, 0.0))
        near, far = SHADE_RESIDUAL
        on_line = np.clip((far - residual) / (far - near), 0.0, 1.0)
        on_line[scale > 1.05] = 0.0
        low, high = SHADE
        floor = _end_of_shade(scale, on_line * self.weight)
        if floor < low:
            low, high = floor, 1.2 * floor
        return on_line * np.clip((scale - low) / (high - low), 0.0, 1.0)


def _end_of_shade(scale: np.ndarray, weight: np.ndarray) -> float:
    """Follow the shades down from the lit paint to the first gap: the share of light there.

    Shading runs through all its values; a second, darker paint stands apart. In steps of half an
    octave, a step with less than a quarter of what lies in any step below it is a gap.
    """
    steps = np.clip(-2.0 * np.log2(scale), 0, 11).astype(np.intp)
    mass = np.bincount(steps, weights=weight, minlength=12)
    below = np.maximum.accumulate(mass[::-1])[::-1]
    for step in range(11):
        if below[step + 1] < 1e-3:
            return max(2.0 ** (-(step + 1.5) / 2.0), DEEPEST_SHADE)
        if mass[step] < 0.25 * below[step + 1]:
            return max(2.0 ** (-step / 2.0), DEEPEST_SHADE)
    return DEEPEST_SHADE


def _gloss(linear: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Measure how far pixels (3, P) are the paint with white light added, in [0, 1].

    The light ``h`` of ``pixel - paint = h (1, 1, 1)`` is the mean difference; what it leaves over
    must be small against it. A pixel clipped at white is taken for gloss by its brightness alone.
    """
    above = linear - paint[:, None]
    light = above.mean(axis=0)
    left = np.abs(above - light).max(axis=0)
    near = np.clip(1.5 - left / (0.4 * light + 0.02), 0.0, 1.0)
    near[(linear.min(axis=0) > 0.8) & (light > 0.2)] = 1.0
    return np.where(light > 0.02, near, 0.0)
