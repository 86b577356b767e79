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


def block_means(image: np.ndarray, side: int) -> np.ndarray:
    """Means of a picture over equal blocks, the longer side becoming at most ``side``.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3)
    side : int

    Returns
    -------
    ndarray, uint8, (h, w, 3)
        ``image`` itself where it is no larger.
    """
    from PIL import Image

    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    step = max(height, width) // side
    if (step * size[0], step * size[1]) == (width, height):
        means = _means(_means(image.transpose(2, 0, 1), step).swapaxes(1, 2), step)
        return means.transpose(2, 1, 0)
    channels = (Image.fromarray(image[..., channel]) for channel in range(3))
    small = [np.asarray(channel.resize(size, Image.Resampling.BOX)) for channel in channels]
    return np.stack(small).transpose(1, 2, 0)


def _means(values: np.ndarray, step: int) -> np.ndarray:
    """Means over so many values of the last axis, to the nearest, as Pillow's: uint8."""
    total = values[..., ::step].astype(np.uint16)
    for place in range(1, step):
        total += values[..., place::step]
    return ((total + step // 2) // step).astype(np.uint8)


def within_squares(values: np.ndarray, side: int, extreme: np.ufunc) -> np.ndarray:
    """The greatest or the least value within a square about each pixel, as far as it is inside.

    What `scipy.ndimage.maximum_filter` gives, several times as quick on small pictures, and on many
    at once: a run of twice the length is the extreme of two runs.

    Parameters
    ----------
    values : ndarray, (..., h, w)
    side : int
        Odd.
    extreme : ufunc
        `numpy.maximum` or `numpy.minimum`.
    """
    for axis in (-2, -1):
        # Runs from each pixel on, and up to each pixel; in the middle both have it.
        ahead = np.moveaxis(values.copy(), axis, 0)
        behind = ahead[::-1].copy()
        for run in (ahead, behind):
            length, wanted = 1, side // 2 + 1
            while length < wanted:
                step = min(length, wanted - length)
                extreme(run[:-step], run[step:], out=run[:-step])
                length += step
        values = np.moveaxis(extreme(ahead, behind[::-1]), 0, axis)
    return values
