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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.judge.colour.palette import colours_of
from bench.judge.colour.spaces import (
    cell_axis,
    from_lab,
    lab_of_linear,
    levels_of,
    to_linear,
)
from bench.judge.places import greatest


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
    most_taken: float = 20.0
    pale: tuple[float, float] = (16.0, 24.0)
    neutral: tuple[float, float] = (8.0, 14.0)
    black: float = 0.4
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


def as_seen(
    pictures: Sequence[np.ndarray], masks: Sequence[np.ndarray], light: LocalLight = DEFAULT
) -> list[np.ndarray]:
    """Pale pixels as a person sees them beside what is around them.

    Parameters
    ----------
    pictures : sequence of ndarray, uint8, (P, 3)
        sRGB, the light over the whole picture removed.
    masks : sequence of ndarray, float32, (M, P)
        Of each picture the regions that share its pixels out; the last is the background.
    light : LocalLight

    Returns
    -------
    list of ndarray, uint8, (P, 3)
    """
    colours = colours_of(pictures)
    counts = np.array([len(own) for own in masks])
    picture = np.repeat(np.arange(len(masks)), counts)
    last = np.cumsum(counts) - 1
    # Room for every colour of the picture in every region.
    sizes = np.diff(colours.first)[picture]
    offset = np.cumsum(sizes) - sizes - colours.first[picture]
    slots = []
    for number, (own, of_pixel) in enumerate(zip(masks, colours.of_pixel, strict=True)):
        offsets = offset[last[number] + 1 - len(own) : last[number] + 1]
        slot = offsets.take(greatest(own))
        slot += of_pixel
        slots.append(slot)
    pixels = np.bincount(np.concatenate(slots), minlength=int(sizes.sum()))
    there = pixels.nonzero()[0]
    pixels = pixels[there]
    region = np.repeat(np.arange(len(picture)), sizes)[there]
    cells = colours.cells[there - offset[region]]
    linear = to_linear(cell_axis()).take(levels_of(cells))
    lab = lab_of_linear(linear.T).astype(np.float32)
    area = np.bincount(region, pixels, len(picture))
    pale = np.hypot(lab[:, 1], lab[:, 2]) < light.pale[1]
    few, many = _SURFACE
    share = np.bincount(region, pixels * pale, len(picture)) / np.maximum(area, 1.0)
    whole = np.clip((share - few) / (many - few), 0.0, 1.0)
    sums = [np.bincount(region, pixels * of, len(picture)) for of in linear]
    parts = np.stack([area, *sums])
    # What is around the background is the whole picture: things stand before it.
    around = np.add.reduceat(parts, last + 1 - counts, axis=1)[:, picture]
    inner = np.ones(len(picture), bool)
    inner[last] = False
    around[:, inner] -= parts[:, inner]
    tint = lab_of_linear((around[1:] / np.maximum(around[0], 1.0)).T)[:, 1:]
    white = np.maximum(_lightest(lab[:, 0], pixels, picture[region]), LEAST_WHITE)
    moving = (pale & (whole > 0.0)[region]).nonzero()[0]
    region, cells = region[moving], cells[moving]
    seen = from_lab(_seen(lab[moving], tint[region], white[picture[region]], light)) * 255.0
    # From the very centre of the cell: a colour that is not to move has a difference of zero.
    byte = (cell_axis() * 255.0).take(levels_of(cells))
    moved = np.zeros((3, int(sizes.sum())), np.int16)
    moved[:, there[moving]] = np.round(whole[region] * (seen.T - byte))
    return [_moved(byte, moved, slot) for byte, slot in zip(pictures, slots, strict=True)]


def _moved(byte: np.ndarray, moved: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Bytes (P, 3) with what their slots (P,) are moved by."""
    out = np.empty(byte.shape[::-1], np.uint8)
    for channel, by in enumerate(moved):
        value = by.take(slot)
        value += byte[:, channel]
        out[channel] = np.clip(value, 0, 255, out=value)
    return out.T


def _lightest(lightness: np.ndarray, pixels: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Lightness that `_LIGHTEST` of each picture's pixels do not exceed: (B,), of colours (N,)."""
    # Of one key to sort by, and a tenth as quick with two: lightness is at most 100.
    order = (lightness + 1000.0 * picture).argsort()
    below = np.cumsum(pixels[order])
    ends = below[np.searchsorted(picture[order], np.arange(picture.max() + 1), side="right") - 1]
    starts = np.concatenate([[0], ends[:-1]])
    wanted = starts + (_LIGHTEST * (ends - starts - 1)).astype(np.intp)
    return lightness[order[np.searchsorted(below, wanted, side="right")]]


def _seen(lab: np.ndarray, tint: np.ndarray, white: np.ndarray, light: LocalLight) -> np.ndarray:
    """CIELAB (N, 3) of colours as they are seen, beside tints (N, 2) and lightest surfaces (N,)."""
    seen = lab.astype(np.float64)
    strong = np.hypot(tint[:, 0], tint[:, 1])
    along = tint / np.maximum(strong, 1e-9)[:, None]
    soft, none = light.pale
    fade = np.clip((none - np.hypot(lab[:, 1], lab[:, 2])) / (none - soft), 0.0, 1.0)
    most = np.minimum(light.taken * strong, light.most_taken)
    part = np.clip((seen[:, 1:] * along).sum(axis=1), 0.0, most)
    seen[:, 1:] -= (part * fade)[:, None] * along
    left = np.hypot(seen[:, 1], seen[:, 2])
    left *= np.maximum(1.0, _DARK / np.maximum(seen[:, 0], 1.0))
    soft, none = light.neutral
    neutral = np.clip((none - left) / (none - soft), 0.0, 1.0)
    knots = [0.0, *(100 * light.black + _AROUND), *(100 * light.white + _AROUND), 100.0]
    heights = [0.0, *(_BLACK_PATCH + _AROUND), *(_WHITE_PATCH + _AROUND), 100.0]
    anchored = np.interp(seen[:, 0] * (100 / white), knots, heights)
    seen[:, 0] += neutral * (anchored - seen[:, 0])
    return seen
