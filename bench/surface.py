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

from bench.colour.spaces import cube_index, linear_of_byte

#: A pixel counts as shade of the paint where it has this share of the paint's light: not at all
#: at the first value, fully at the second. Below lies another paint: brown is orange at 0.2, gray
#: is white at 0.25.
SHADE = (0.40, 0.55)
#: Relative distance from the line of shades that is still taken for it, fully and at most.
SHADE_RESIDUAL = (0.10, 0.22)
#: Gloss is given to the paint up to this share of the region; more white than that is paint.
GLOSS_CAP = 0.05
#: A term can be the paint only where it covers this share of the region by its own name, or is
#: the commonest.
PAINT_SHARE = 0.35

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


def plain_shares(memberships: np.ndarray, mask: np.ndarray) -> Surface:
    """Mean memberships over a region, with no correction.

    Parameters
    ----------
    memberships : ndarray, float32, (P, C)
        Of every pixel.
    mask : ndarray, float32, (P,)
    """
    area = float(mask.sum())
    if area <= 0.0:
        return Surface(np.full(memberships.shape[1], np.nan, dtype=np.float32), 0.0)
    return Surface(mask @ memberships / np.float32(area), area)


def surface_shares(
    byte: np.ndarray,
    memberships: np.ndarray,
    mask: np.ndarray,
    naming: np.ndarray,
    terms: int,
) -> Surface:
    """Mean memberships over a region, with shade and gloss given to the paint they lie on.

    Parameters
    ----------
    byte : ndarray, uint8, (P, 3)
        Pixels of the image.
    memberships : ndarray, float32, (P, C)
        Of every pixel; the first ``terms`` columns are the basic terms and sum to 1.
    mask : ndarray, float32, (P,)
    naming : ndarray, float32, (262144, C)
        Table from which the memberships were read, to name the paint itself.
    terms : int
        Number of basic terms, 11.

    Notes
    -----
    Each basic term that could be the paint of the region is tried: its lit pixels give the paint
    ``p`` (their mean in linear light, the brighter half), and every other pixel is given to ``p``
    by how well it is a shade ``k p`` or, up to `GLOSS_CAP` of the region, a gloss ``k p + h w`` of
    it. The term that explains most of the region is taken. Only darker pixels are shade, so a lit
    orange explains its brown shadow and brown never explains orange.
    """
    inside = np.flatnonzero(mask > 0.02)
    if inside.size == 0:
        return Surface(np.full(memberships.shape[1], np.nan, dtype=np.float32), 0.0)
    weight = mask[inside]
    area = float(weight.sum())
    weight = weight / np.float32(area)
    named = memberships[inside]
    shares = weight @ named
    basic = shares[:terms]
    candidates = np.flatnonzero(basic >= min(PAINT_SHARE, float(basic.max())))
    if float(basic.max()) > 0.98:
        return Surface(shares, area)
    linear = linear_of_byte()[byte[inside]]
    best, claimed = shares, -1.0
    for term in candidates:
        given, paint = _claim(linear, named[:, term], weight)
        if given is None:
            continue
        share = float(basic[term] + weight @ (given * (1.0 - named[:, term])))
        if share > claimed:
            claimed = share
            tint = naming[cube_index(paint)]
            kept = weight * (1.0 - given)
            best = kept @ named + float(weight @ given) * tint
    return Surface(best.astype(np.float32), area)


def _claim(
    linear: np.ndarray, own: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """How far each pixel is shade or gloss of the paint named by ``own``; and the paint, uint8."""
    lit = own > 0.5
    if not lit.any():
        return None, np.zeros(3, dtype=np.uint8)
    luminance = linear @ _LUMINANCE
    bright = lit & (luminance >= np.median(luminance[lit]))
    paint = np.average(linear[bright], axis=0, weights=weight[bright] + 1e-9).astype(np.float32)
    power = float(paint @ paint) + 1e-9
    scale = linear @ paint / power
    residual = np.linalg.norm(linear - scale[:, None] * paint, axis=1)
    residual /= np.maximum(scale, 1e-3) * np.float32(np.sqrt(power))
    low, high = SHADE
    shade = np.clip((scale - low) / (high - low), 0.0, 1.0) * (scale < 1.05)
    near, far = SHADE_RESIDUAL
    shade *= np.clip((far - residual) / (far - near), 0.0, 1.0)
    gloss = _gloss(linear, paint) * (1.0 - shade)
    given = np.where(lit, 0.0, shade)
    gloss = np.where(lit, 0.0, gloss)
    total = float(weight @ gloss)
    if total > GLOSS_CAP:
        gloss *= GLOSS_CAP / total
    return (given + gloss).astype(np.float32), _encode(paint)


def _gloss(linear: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """How far pixels are the paint with white light added: 1 where brighter on all channels.

    Solves ``pixel - paint = h (1, 1, 1)`` for ``h`` and accepts what is left over up to a tenth.
    """
    above = linear - paint
    light = above.mean(axis=1)
    left = np.abs(above - light[:, None]).max(axis=1)
    clipped = linear.max(axis=1) > 0.9
    near = np.clip(1.5 - left / np.maximum(0.4 * light + 0.02, 1e-3), 0.0, 1.0)
    return np.where(clipped, np.maximum(near, light > 0.25), near) * (light > 0.02)


def _encode(linear: np.ndarray) -> np.ndarray:
    from bench.colour.spaces import from_linear

    return np.round(from_linear(linear) * 255.0).astype(np.uint8)
