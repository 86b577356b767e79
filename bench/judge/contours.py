"""Outlines: the thin black lines of a drawing, which are neither paint nor a part.

A yellow fish with black contours is a yellow fish, though the lines may cover a third of a small
one. Black is taken for outline only where the subject's edge is black nearly all round, and only
where it is thin: what an opening of the black pixels removes. Spots, tyres and stripes stay.
"""

from __future__ import annotations

import numpy as np

#: A black stroke is a line while it is narrower than this share of the square root of the area.
LINE_WIDTH = 0.12
#: Least share of the subject's edge that is black where it has an outline.
CONTOUR = 0.6
#: Less black than this is not worth a look.
LEAST_BLACK = 0.04
#: Where lines cover more than this share of a region, they are what it is made of.
MOST_LINES = 0.6


def without_outline(mask: np.ndarray, black: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Mask of a region without its black outline and the other thin black lines in it.

    Parameters
    ----------
    mask : ndarray, float32, (P,)
        Of one region, in [0, 1].
    black : ndarray, bool, (P,)
        Whether a pixel is more black than not.
    shape : (int, int)
        Height and width; their product is P.

    Returns
    -------
    ndarray, float32, (P,)
        ``mask`` itself where it has no outline.

    Notes
    -----
    The opening is by a square, ``2 r + 1`` pixels a side with ``2 r`` the width of `LINE_WIDTH`
    rounded to even, at least 2. What lies outside the mask is not black, so that a contour is
    thin whatever it borders on.
    """
    area = float(mask.sum())
    covered = mask.take(black.nonzero()[0])
    share = float(covered[covered > 0.1].sum()) / area if area > 0.0 else 0.0
    if share < LEAST_BLACK:
        return mask
    dark = black & (mask > 0.1)
    from scipy.ndimage import maximum_filter, minimum_filter

    solid = (mask > 0.75).reshape(shape)
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not rows.size:
        return mask
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = solid[box].astype(np.uint8)
    edge = (inside > 0) & (minimum_filter(inside, 3, mode="constant", cval=0) == 0)
    ink = dark.reshape(shape)[box]
    if float(ink[edge].mean()) < CONTOUR:
        return mask
    side = 2 * max(1, round(LINE_WIDTH * area**0.5 / 2)) + 1
    eroded = minimum_filter(ink.astype(np.uint8), side, mode="constant", cval=0)
    wide = maximum_filter(eroded, side, mode="constant", cval=0)
    thin = ink & (wide == 0)
    if np.count_nonzero(thin) < np.count_nonzero(wide):
        return mask  # The body itself is black.
    lines = np.zeros(shape, dtype=bool)
    lines[box] = thin
    flat = lines.ravel()
    if not LEAST_BLACK < float(mask[flat].sum()) / area <= MOST_LINES:
        return mask
    return np.where(flat, np.float32(0.0), mask)
