"""A colour cast over the whole picture: found in its regions, and taken out of them.

A white cup in a blue-lit room is not blue. It cannot be told from a blue cup by the cup alone, only
by its surroundings: a light tints everything, and everything alike. So a cast is assumed only
where every region of the picture, the subjects among them, has the same tint, and where that tint
could be a light's. A blue cup before a white wall, a tan potato on a beige cloth, and a saturated
blue wall are left as they are.
"""

from __future__ import annotations

import numpy as np

from bench.colour.spaces import from_linear, linear_of_byte, to_lab

#: Regions smaller than this share of the picture have no say.
MIN_REGION = 0.02
#: Tints are alike where the strongest is no more than this many times the weakest (in logarithms
#: of the ratios of linear channels).
ALIKE = 1.7
#: Least tint that is corrected, in CIELAB chroma of a white of that tint, and the greatest that is
#: believed to be light and not paint: cool, and warm. Unlit nature is warm, so warm tints are less
#: readily taken for light.
LEAST_CHROMA = 6.0
MOST_CHROMA_COOL = 45.0
MOST_CHROMA_WARM = 22.0


def find_cast(byte: np.ndarray, masks: np.ndarray) -> np.ndarray | None:
    """Colour of the light over the whole picture.

    Parameters
    ----------
    byte : ndarray, uint8, (P, 3)
    masks : ndarray, float32, (M, P)
        Subjects, neighbours and background.

    Returns
    -------
    ndarray, float64, (3,), or None
        Linear RGB of a white surface under the light, brightest channel 1; None where there is no
        cast, or none that is certain.
    """
    tints = []
    for mask in masks:
        inside = np.flatnonzero(mask > 0.5)
        if inside.size < MIN_REGION * mask.size:
            continue
        pixels = byte[inside[:: max(1, inside.size // 256)]]
        place = int(0.95 * (len(pixels) - 1))
        patch = linear_of_byte()[np.partition(pixels, place, axis=0)[place]]
        if patch.max() < 0.1:
            return None
        log = np.log(np.maximum(patch, 1e-3))
        tints.append((log[0] - log[1], log[2] - log[1]))
    if len(tints) < 2:
        return None
    table = np.array(tints)
    weakest = table[np.abs(table).sum(axis=1).argmin()]
    if np.abs(weakest).sum() < 0.05:
        return None
    along = table @ weakest / float(weakest @ weakest)
    across = np.abs(table - along[:, None] * weakest).max(axis=1)
    if along.max() > ALIKE or across.max() > 0.5 * np.abs(weakest).max() + 0.03:
        return None
    light = np.exp([weakest[0], 0.0, weakest[1]])
    light /= light.max()
    white = to_lab(from_linear(light))
    chroma = float(np.hypot(white[1], white[2]))
    most = MOST_CHROMA_COOL if white[2] < 0 else MOST_CHROMA_WARM
    return light if LEAST_CHROMA <= chroma <= most else None


def remove_cast(byte: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Divide a light out, channel by channel (von Kries): uint8 like ``byte``.

    The brightest channel is kept, so that a white surface becomes white and not gray.
    """
    gains = 1.0 / np.maximum(light, 1e-3)
    curve = from_linear(linear_of_byte()[:, None].astype(np.float64) * gains)
    table = np.round(curve * 255.0).astype(np.uint8)
    return np.stack([table[byte[..., channel], channel] for channel in range(3)], axis=-1)
