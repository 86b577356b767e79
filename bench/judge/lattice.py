"""Large pictures seen smaller: evenly over both axes, so that no row or column speaks for all.

A picture and its mirror image, its transpose and its turns give the same values, up to the pixel
that an odd remainder moves.
"""

from __future__ import annotations

import numpy as np


def lattice(height: int, width: int, side: int) -> tuple[slice, slice]:
    """Rows and columns of a square lattice of at most about ``side`` points along the longer side.

    Parameters
    ----------
    height, width : int
    side : int
        No step is left out where the longer side is below twice this.
    """
    step = max(1, max(height, width) // side)
    return _centred(height, step), _centred(width, step)


def _centred(length: int, step: int) -> slice:
    return slice((length - 1) % step // 2, None, step)


def area_mean(layers: np.ndarray, side: int) -> np.ndarray:
    """Mean over equal blocks, the longer side becoming at most ``side``.

    Parameters
    ----------
    layers : ndarray, (H, W) or (N, H, W)
        uint8 or float32.
    side : int

    Returns
    -------
    ndarray, float32, (h, w) or (N, h, w)
        ``layers`` themselves where they are no larger.
    """
    from PIL import Image

    height, width = layers.shape[-2:]
    scale = side / max(height, width)
    if scale >= 1.0:
        return layers.astype(np.float32, copy=False)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.empty((*layers.shape[:-2], size[1], size[0]), np.float32)
    flat = small.reshape(-1, size[1], size[0])
    for row, layer in enumerate(layers.reshape(-1, height, width)):
        flat[row] = Image.fromarray(layer).resize(size, Image.Resampling.BOX)
    return small
