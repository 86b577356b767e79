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
MOST_GAIN = 1.4

_LUMINANCE = np.array([0.2127, 0.7152, 0.0722], dtype=np.float32)


def find_light(image: np.ndarray, masks: np.ndarray, subjects: int) -> np.ndarray | None:
    """Colour and strength of the light over the whole picture.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3)
        sRGB. Read as means over blocks where it is larger than `SIDE`.
    masks : ndarray, float32, (M, H, W)
        The subjects first, the background last, neighbours between.
    subjects : int
        How many of the masks are subjects.

    Returns
    -------
    ndarray, float64, (3,), or None
        Linear RGB of a white surface under the light, at most 1; None for plain white light.
    """
    small = block_means(image, SIDE)
    byte = small.reshape(-1, 3)
    linear = linear_of_byte()[byte]
    inside = (_middles(masks, *small.shape[:2]) > 0.5).reshape(len(masks), -1)
    top = np.maximum(np.maximum(byte[:, 0], byte[:, 1]), byte[:, 2])
    place = int(0.95 * (len(top) - 1))
    patch = _median(linear[top >= np.partition(top, place)[place]])
    strength = min(1.0, max(float(patch.max()) / WHITE, 1.0 / MOST_GAIN))
    tint = _find_tint(linear, inside, subjects)
    if tint is None:
        return None if strength > 0.97 else np.full(3, strength)
    return tint * strength


def _find_tint(linear: np.ndarray, inside: np.ndarray, subjects: int) -> np.ndarray | None:
    tints: list[tuple[float, float]] = []
    owners: list[int] = []
    last = len(inside) - 1
    # Of a background that is not pale nothing is found, whatever the rest.
    for index in (last, *range(last)):
        region = linear[inside[index]]
        if len(region) >= MIN_REGION * len(linear):
            for patch in _patches(region, halves=index == last):
                tint = _pale_tint(patch)
                if tint is not None:
                    tints.append(tint)
                    owners.append(index)
        if not tints:
            return None
    if len(tints) < 2:
        return None
    # The background's brighter half is the last.
    own = owners.count(last)
    tints, owners = tints[own:] + tints[:own], owners[own:] + owners[:own]
    table = np.array(tints)
    sizes = np.linalg.norm(table, axis=1)
    ground = table[-1]
    if sizes[-1] < 0.02:
        return None
    along = table @ ground / float(ground @ ground)
    across = np.abs(table - along[:, None] * ground).max(axis=1)
    alike = (along < ALIKE) & (along > 1 / ALIKE) & (across < 0.35 * sizes[-1] + 0.08)
    if alike.sum() < 2 or sizes[~alike].min(initial=np.inf) < sizes[alike].min():
        return None
    subject_is_pale = any(owners[row] < subjects for row in np.flatnonzero(alike))
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


def _patches(linear: np.ndarray, halves: bool) -> list[np.ndarray]:
    """Take the bright surface of a region; of a background, the two that differ in luminance."""
    if not halves:
        place = int(0.9 * (len(linear) - 1))
        return [np.partition(linear, place, axis=0)[place]]
    luminance = linear @ _LUMINANCE
    middle = len(luminance) // 2
    if middle == 0:
        return [linear.mean(axis=0)]
    lighter = luminance >= np.partition(luminance, middle)[middle]
    if lighter.all():
        return [_median(linear)]
    low, high = _median(linear[~lighter]), _median(linear[lighter])
    return [low, high] if high[1] > CONTRAST * low[1] else [high]


def _middles(masks: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Masks (M, H, W) in the middle of each of so many blocks."""
    y, x = (
        ((np.arange(n) + 0.5) * (length / n)).astype(np.intp)
        for n, length in zip((rows, columns), masks.shape[1:], strict=True)
    )
    return masks[:, y[:, None], x]


def _median(values: np.ndarray) -> np.ndarray:
    """What `numpy.median` gives along the first axis, without its checks."""
    middle = len(values) // 2
    if len(values) % 2:
        return np.asarray(np.partition(values, middle, axis=0)[middle])
    both = np.partition(values, (middle - 1, middle), axis=0)
    return np.asarray((both[middle - 1] + both[middle]) / 2)


def _pale_tint(patch: np.ndarray) -> tuple[float, float] | None:
    """Logarithms of R/G and B/G of a pale surface; None for a strong colour or a dark surface."""
    red, green, blue = patch.tolist()
    top = max(red, green, blue)
    if top < 0.05:
        return None
    _, a, b = lab_of_linear(patch / top).tolist()
    if math.hypot(a, b) > PALE:
        return None
    middle = max(green, 1e-4)
    return math.log(max(red, 1e-4) / middle), math.log(max(blue, 1e-4) / middle)


def remove_light(byte: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Divide a light out, channel by channel (von Kries): uint8 like ``byte``."""
    curve = from_linear(linear_of_byte()[:, None] / np.maximum(light, 1e-2))
    table = np.round(curve * 255.0).astype(np.uint8)
    channels = [table[:, channel].take(byte[..., channel]) for channel in range(3)]
    return np.moveaxis(np.stack(channels), 0, -1)
