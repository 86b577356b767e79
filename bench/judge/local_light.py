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

from bench.judge.colour.spaces import (
    cube,
    cube_index,
    from_lab,
    from_linear,
    linear_of_byte,
    to_lab,
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

    taken: float = 0.3
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
#: Percentile of lightness that is the lightest surface.
_LIGHTEST = 99.0


@cache
def _lab_of_cube() -> np.ndarray:
    return to_lab(cube()).astype(np.float32)


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
    lab = _lab_of_cube()[cube_index(byte)]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    white = max(float(np.percentile(lab[:, 0], _LIGHTEST)), LEAST_WHITE)
    pale = np.flatnonzero(chroma < light.pale[1])
    if not pale.size:
        return byte
    owner = masks.argmax(axis=0)
    linear = linear_of_byte()[byte]
    total = linear.sum(axis=0, dtype=np.float64)
    tint, surface = np.zeros((len(masks), 2)), np.zeros(len(masks))
    few, many = _SURFACE
    for index in range(len(masks)):
        inside = owner == index
        count = int(inside.sum())
        if not count:
            continue
        share = float((chroma[inside] < light.pale[1]).mean())
        surface[index] = min(1.0, max(0.0, (share - few) / (many - few)))
        if count == len(byte):
            continue
        last = index == len(masks) - 1
        rest = (
            total / len(byte)
            if last
            else (total - linear[inside].sum(axis=0, dtype=np.float64)) / (len(byte) - count)
        )
        tint[index] = to_lab(from_linear(rest))[1:]
    seen = to_lab(byte[pale])
    around = tint[owner[pale]]
    strong = np.hypot(around[:, 0], around[:, 1])
    along = around / np.maximum(strong, 1e-3)[:, None]
    fade = np.clip((light.pale[1] - chroma[pale]) / (light.pale[1] - light.pale[0]), 0.0, 1.0)
    own = np.einsum("pc,pc->p", seen[:, 1:], along)
    off = np.clip(own, 0.0, np.minimum(light.taken * strong, light.most_taken)) * fade
    seen[:, 1:] -= off[:, None] * along
    left = np.hypot(seen[:, 1], seen[:, 2])
    left *= np.maximum(1.0, _DARK / np.maximum(seen[:, 0], 1.0))
    neutral = np.clip((light.neutral[1] - left) / (light.neutral[1] - light.neutral[0]), 0.0, 1.0)
    knots = [0.0, *(100 * light.black + _AROUND), *(100 * light.white + _AROUND), 100.0]
    heights = [0.0, *(_BLACK_PATCH + _AROUND), *(_WHITE_PATCH + _AROUND), 100.0]
    anchored = np.interp(seen[:, 0] * (100 / white), knots, heights)
    seen[:, 0] += neutral * (anchored - seen[:, 0])
    whole = surface[owner[pale]][:, None]
    found = byte.copy()
    before = byte[pale]
    mixed = whole * from_lab(seen) * 255.0 + (1.0 - whole) * before
    found[pale] = np.round(mixed).astype(np.uint8)
    return found
