"""The light over the whole picture: found in its pale surfaces, and taken out of it.

A white cup in a blue-lit room is not blue, and in a dim one it is not gray. Neither can be told
from the cup alone, only from its surroundings: a light tints and dims everything, and everything
alike. So a cast is assumed only where the background and at least one more pale surface of the
picture have the same tint, and none is nearer to white than that; a pale subject is one of them. A
blue cup before a white wall, a tan potato on a beige cloth, and a picture of one pastel wall are
left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.judge.colour.spaces import from_linear, lab_of_linear, linear_of_byte
from bench.judge.lattice import block_means

#: Longer side that a picture is read at, pixels.
SIDE = 64
#: Regions smaller than this share of the picture have no say.
MIN_REGION = 0.02
#: A surface is pale, and could be a white one under a light, up to this CIELAB chroma at full
#: lightness; stronger colours say nothing about the light.
PALE = 48.0
#: Tints are alike where the strongest is no more than this many times the weakest (in logarithms
#: of the ratios of linear channels).
ALIKE = 2.2
#: The two halves of a background, by luminance, are two surfaces where they differ by this factor.
CONTRAST = 1.15
#: Least tint that is corrected, in CIELAB chroma of a white of that tint, and the most that is
#: believed to be light: cool, and any other, as unlit nature is warm. The lower pair holds where no
#: subject is among the pale surfaces.
LEAST_CHROMA = 4.0
#: Hues of cool light, degrees of CIELAB: sky and blue lamps lie about 275, pink paint at 340 to 10.
COOL_HUE = (220.0, 310.0)
MOST_COOL, MOST_WARM = 45.0, 22.0
MOST_COOL_WITHOUT, MOST_WARM_WITHOUT = 25.0, 18.0
#: Linear light that the brightest surface of a well-lit picture has at least, and the most that a
#: dim picture is brightened: nothing tells a white wall in little light from a gray one. Fitted by
#: ``python -m bench.cli.fit light --only most_gain``.
WHITE = 0.80
MOST_GAIN = 1.2

_LUMINANCE = np.array([0.2127, 0.7152, 0.0722], dtype=np.float32)


def find_light(image: np.ndarray, masks: np.ndarray, subjects: int) -> np.ndarray | None:
    """Colour and strength of the light over one picture: `find_lights`."""
    return find_lights([image], [masks], [subjects])[0]


def find_lights(
    images: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    subjects: Sequence[int],
    most_gain: float = MOST_GAIN,
) -> list[np.ndarray | None]:
    """Colour and strength of the light over each whole picture.

    Parameters
    ----------
    images : sequence of ndarray, uint8, (H, W, 3)
        sRGB. Read as means over blocks where they are larger than `SIDE`.
    masks : sequence of ndarray, float32, (M, H, W)
        Of each, the subjects first, the background last, neighbours between.
    subjects : sequence of int
        How many of the masks are subjects.
    most_gain : float

    Returns
    -------
    list of (ndarray, float64, (3,), or None)
        Linear RGB of a white surface under the light, at most 1; None for plain white light.
    """
    found = [_Patches(image, own) for image, own in zip(images, masks, strict=True)]
    patches = [patch for one in found for patch in one.patches]
    tints = iter(_pale_tints(np.array(patches).reshape(-1, 3)))
    lights: list[np.ndarray | None] = []
    for one, count in zip(found, subjects, strict=True):
        of_patches = [next(tints) for _ in one.patches]
        strength = min(1.0, max(float(one.brightest.max()) / WHITE, 1.0 / most_gain))
        tint = _find_tint(of_patches, one.owners, one.last, count)
        if tint is not None:
            lights.append(tint * strength)
        else:
            lights.append(None if strength > 0.97 else np.full(3, strength))
    return lights


class _Patches:
    """Surfaces of one picture, in linear light.

    Attributes
    ----------
    brightest : ndarray, float32, (3,)
        The brightest twentieth of the pixels.
    patches : list of ndarray, float32, (3,)
        The surfaces that may tell the light, those of the background first.
    owners : list of int
        The region of each.
    last : int
        The background among the regions.
    """

    def __init__(self, image: np.ndarray, masks: np.ndarray) -> None:
        small = block_means(image, SIDE)
        byte = np.ascontiguousarray(small.transpose(2, 0, 1)).reshape(3, -1)
        linear = linear_of_byte().take(byte)
        inside = _middles(masks, *small.shape[:2]).reshape(len(masks), -1) > 0.5
        top = byte.max(axis=0)
        place = int(0.95 * (len(top) - 1))
        self.brightest = _median(linear, top >= np.partition(top, place)[place])
        self.last = len(masks) - 1
        self.patches: list[np.ndarray] = []
        self.owners: list[int] = []
        for index in (self.last, *range(self.last)):
            region = linear.take(inside[index].nonzero()[0], axis=1)
            if region.shape[1] >= MIN_REGION * linear.shape[1]:
                found = _halves(region) if index == self.last else [_bright(region)]
                self.patches += found
                self.owners += [index] * len(found)


def _find_tint(
    patches: list[tuple[float, float] | None], owners: list[int], last: int, subjects: int
) -> np.ndarray | None:
    pale = [(owner, tint) for owner, tint in zip(owners, patches, strict=True) if tint is not None]
    # Of a background that is not pale nothing is found, whatever the rest; its brighter half is
    # the last.
    own = [pair for pair in pale if pair[0] == last]
    if not own or len(pale) < 2:
        return None
    pale = pale[len(own) :] + own
    table = np.array([tint for _, tint in pale])
    sizes = np.linalg.norm(table, axis=1)
    ground = table[-1]
    if sizes[-1] < 0.02:
        return None
    along = table @ ground / float(ground @ ground)
    across = np.abs(table - along[:, None] * ground).max(axis=1)
    alike = (along < ALIKE) & (along > 1 / ALIKE) & (across < 0.35 * sizes[-1] + 0.08)
    if alike.sum() < 2 or sizes[~alike].min(initial=np.inf) < sizes[alike].min():
        return None
    subject_is_pale = any(pale[row][0] < subjects for row in np.flatnonzero(alike))
    mean = np.median(table[alike], axis=0)
    light = np.exp([mean[0], 0.0, mean[1]])
    light /= light.max()
    _, a, b = lab_of_linear(light).tolist()
    chroma, hue = math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360.0
    cool = COOL_HUE[0] <= hue <= COOL_HUE[1]
    if subject_is_pale:
        most = MOST_COOL if cool else MOST_WARM
    else:
        most = MOST_COOL_WITHOUT if cool else MOST_WARM_WITHOUT
    return light if LEAST_CHROMA <= chroma <= most else None


def _bright(linear: np.ndarray) -> np.ndarray:
    """The bright surface of a region (3, N)."""
    place = int(0.9 * (linear.shape[1] - 1))
    return np.partition(linear, place, axis=1)[:, place]


def _halves(linear: np.ndarray) -> list[np.ndarray]:
    """The two surfaces of a background (3, N) that differ in luminance, the brighter one last."""
    luminance = _LUMINANCE @ linear
    middle = len(luminance) // 2
    if middle == 0:
        return [linear.mean(axis=1)]
    lighter = luminance >= np.partition(luminance, middle)[middle]
    if lighter.all():
        return [_median(linear, lighter)]
    low, high = _median(linear, ~lighter), _median(linear, lighter)
    return [low, high] if high[1] > CONTRAST * low[1] else [high]


def _middles(masks: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Masks (M, H, W) in the middle of each of so many blocks."""
    if masks.shape[1:] == (rows, columns):
        return masks
    y, x = (
        ((np.arange(n) + 0.5) * (length / n)).astype(np.intp)
        for n, length in zip((rows, columns), masks.shape[1:], strict=True)
    )
    return masks.take(y, axis=1).take(x, axis=2)


def _median(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """What `numpy.median` gives of those of (3, N) that are meant, bool (N,)."""
    ordered = np.sort(values.take(of.nonzero()[0], axis=1), axis=1)
    middle = ordered.shape[1] // 2
    return np.asarray((ordered[:, middle] + ordered[:, (ordered.shape[1] - 1) // 2]) / 2)


def _pale_tints(patches: np.ndarray) -> list[tuple[float, float] | None]:
    """Logarithms of R/G and B/G of pale surfaces (N, 3); None for strong colours and dark ones."""
    top = patches.max(axis=1)
    lab = lab_of_linear(patches / np.maximum(top, 1e-9)[:, None])
    pale = (top >= 0.05) & (np.hypot(lab[:, 1], lab[:, 2]) <= PALE)
    red, green, blue = np.log(np.maximum(patches, 1e-4)).T
    tints = zip(pale.tolist(), (red - green).tolist(), (blue - green).tolist(), strict=True)
    return [(first, second) if is_pale else None for is_pale, first, second in tints]


def remove_light(byte: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Divide a light out, channel by channel (von Kries): uint8 like ``byte``."""
    curve = from_linear(linear_of_byte()[:, None] / np.maximum(light, 1e-2))
    table = np.round(curve * 255.0).astype(np.uint8)
    channels = [table[:, channel].take(byte[..., channel]) for channel in range(3)]
    return np.moveaxis(np.stack(channels), 0, -1)
