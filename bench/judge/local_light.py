"""The light where a thing stands: what its surroundings throw on it, and what is white and black.

A white can on a red cloth is pink by its pixels, and a black hat in a bright room is dark gray; a
person calls them white and black. Two things that a lamp over the whole picture
(`bench.judge.white_balance`) does not have explain it:

- Mutual illumination: a surface is lit by the surfaces around it, and takes some of their tint
  (Funt, Drew and Ho 1991). From the pale pixels of a region, a part of the tint of everything else
  is taken off.
- Anchoring: the lightness of neutral colours is judged against the lightest there is (Gilchrist et
  al. 1999). Names of patches seen alone put white above 0.85 of it and black below 0.22; on things
  in a picture, whose shades and gloss are seen as such, the two begin earlier.

Strong colours keep theirs. The constants are fitted by ``python -m bench.cli.fit light``.

References
----------
Funt, Drew, Ho. Color constancy from mutual reflection. International Journal of Computer Vision 6
(1991) 5-24.
Gilchrist et al. An anchoring theory of lightness perception. Psychological Review 106 (1999)
795-834.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from bench.judge.colour.palette import distinct
from bench.judge.colour.spaces import (
    cube,
    cube_index,
    from_lab,
    lab_of_linear,
    to_lab,
    to_linear,
)


@dataclass(frozen=True, slots=True)
class LocalLight:
    """Constants of `as_seen`.

    Attributes
    ----------
    taken, most_taken : float
        Share of the surroundings' CIELAB chroma that a pale surface takes at most, and the most at
        all.
    pale : (float, float)
        CIELAB chroma up to which a colour is pale, and from which on it is no neutral in any light.
    neutral : (float, float)
        The same for what is called white, gray or black once the tint is off.
    black, white : float
        Share of the lightest surface's CIELAB lightness at which black ends and white begins.
    """

    taken: float = 0.4
    most_taken: float = 16.0
    pale: tuple[float, float] = (16.0, 24.0)
    neutral: tuple[float, float] = (8.0, 14.0)
    black: float = 0.36
    white: float = 0.78


DEFAULT = LocalLight()
#: CIELAB lightness of the lightest surface is at least this: a picture without white is no darker.
LEAST_WHITE = 85.0
#: CIELAB lightness of the same boundaries by the names of patches seen alone.
#: (`bench.judge.colour.naming`); about them, steps of lightness stay as large as they are.
_BLACK_PATCH, _WHITE_PATCH = 22.5, 85.5
_AROUND = np.array([-8.0, 0.0, 8.0])
#: CIELAB lightness below which chroma counts for more: of one paint in less light it falls with the
#: lightness.
_DARK = 50.0
#: Pale pixels of a smaller share of a region than the first are where two colours meet, not a
#: surface, and stay; from the second on all count.
_SURFACE = (0.05, 0.15)
#: Share of the pixels that are no lighter than the lightest surface.
_LIGHTEST = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class _Cube:
    """The colours of `cube`: 8-bit (262144, 3), linear light, CIELAB float32, and its chroma."""

    byte: np.ndarray
    linear: np.ndarray
    lab: np.ndarray
    chroma: np.ndarray


@cache
def _cube() -> _Cube:
    lab = to_lab(cube()).astype(np.float32)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return _Cube(np.round(cube() * 255.0), to_linear(cube()), lab, chroma)


def as_seen(byte: np.ndarray, masks: np.ndarray, light: LocalLight = DEFAULT) -> np.ndarray:
    """Pale pixels as a person sees them beside what is around them.

    Parameters
    ----------
    byte : ndarray, uint8, (P, 3)
        sRGB, the light over the whole picture removed.
    masks : ndarray, float32, (M, P)
        Regions that share the pixels out; the last is the background.
    light : LocalLight

    Returns
    -------
    ndarray, uint8, (P, 3)
    """
    table, (cells, of_pixel) = _cube(), distinct(cube_index(byte))
    pale = table.chroma[cells] < light.pale[1]
    if not pale.any():
        return byte
    owner, count = _greatest(masks), len(masks)
    which = owner * len(cells) + of_pixel
    pixels = np.bincount(which, minlength=count * len(cells)).reshape(count, len(cells))
    lab = table.lab[cells]
    white = max(_quantile(lab[:, 0], pixels.sum(axis=0)), LEAST_WHITE)
    area, sums = pixels.sum(axis=1), pixels @ table.linear[cells]
    few, many = _SURFACE
    moved = np.zeros((count, len(cells), 3), np.int16)
    for index in range(count):
        of_region = np.flatnonzero(pale & (pixels[index] > 0))
        share = pixels[index, of_region].sum() / max(area[index], 1)
        whole = min(1.0, max(0.0, (share - few) / (many - few)))
        if whole == 0.0:
            continue
        # What is around the background is the whole picture: things stand before it.
        around = sums.sum(axis=0), area.sum()
        if index < count - 1:
            around = around[0] - sums[index], around[1] - area[index]
        tint = np.zeros(2)
        if around[1]:
            tint = np.array(lab_of_linear(*(around[0] / around[1]).tolist())[1:])
        seen = from_lab(_seen(lab[of_region], tint, white, light)) * 255.0
        moved[index, of_region] = np.round(whole * (seen - table.byte[cells[of_region]]))
    return np.clip(byte + moved.reshape(-1, 3)[which], 0, 255).astype(np.uint8)


def _greatest(masks: np.ndarray) -> np.ndarray:
    """For each pixel the region with the greatest share, of equals the first: intp (P,)."""
    most, owner = masks[0], np.zeros(masks.shape[1], np.intp)
    for index in range(1, len(masks)):
        owner[masks[index] > most] = index
        most = np.maximum(most, masks[index])
    return owner


def _quantile(lightness: np.ndarray, pixels: np.ndarray) -> float:
    """Lightness (N,) of colours that `_LIGHTEST` of the pixels do not exceed."""
    order = np.argsort(lightness)
    below = np.cumsum(pixels[order])
    place = np.searchsorted(below, int(_LIGHTEST * (below[-1] - 1)), side="right")
    return float(lightness[order[place]])


def _seen(lab: np.ndarray, tint: np.ndarray, white: float, light: LocalLight) -> np.ndarray:
    """CIELAB (N, 3) of colours beside a tint (2,) and a lightest surface, as they are seen."""
    seen = lab.copy()
    strong = float(np.hypot(*tint))
    if strong > 0.0:
        along = tint / strong
        soft, none = light.pale
        fade = np.clip((none - np.hypot(lab[:, 1], lab[:, 2])) / (none - soft), 0.0, 1.0)
        most = min(light.taken * strong, light.most_taken)
        seen[:, 1:] -= (np.clip(lab[:, 1:] @ along, 0.0, most) * fade)[:, None] * along
    left = np.hypot(seen[:, 1], seen[:, 2])
    left *= np.maximum(1.0, _DARK / np.maximum(seen[:, 0], 1.0))
    soft, none = light.neutral
    neutral = np.clip((none - left) / (none - soft), 0.0, 1.0)
    knots = [0.0, *(100 * light.black + _AROUND), *(100 * light.white + _AROUND), 100.0]
    heights = [0.0, *(_BLACK_PATCH + _AROUND), *(_WHITE_PATCH + _AROUND), 100.0]
    anchored = np.interp(seen[:, 0] * (100 / white), knots, heights)
    seen[:, 0] += neutral * (anchored - seen[:, 0])
    return seen
