"""A subject cut out of its surroundings, for a CLIP to look at alone."""

from __future__ import annotations

import numpy as np

#: What fills the crop outside the mask: mid gray, 8-bit.
FILL = 127.5
#: Margin, as a share of the box's longer side.
MARGIN = 0.08


def masked_crop(image: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Square around a soft mask, gray outside it.

    Parameters
    ----------
    image : ndarray, uint8 (H, W, 3)
    mask : ndarray, float (H, W)
        In [0, 1]; the box is that of the values above one half. One of another size is brought
        to that of the image.

    Returns
    -------
    ndarray, uint8 (S, S, 3), or None
        None where no value of the mask exceeds one half.
    """
    if mask.shape != image.shape[:2]:
        from PIL import Image

        layer = Image.fromarray(mask.astype(np.float32, copy=False))
        mask = np.asarray(layer.resize(image.shape[1::-1], Image.Resampling.BILINEAR))
    inside = mask > 0.5
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(1, round(max(bottom - top, right - left) * (1 + 2 * MARGIN)))
    y0, x0 = (top + bottom - side) // 2, (left + right - side) // 2
    out = np.full((side, side, 3), FILL, np.float32)
    y1, x1 = max(y0, 0), max(x0, 0)
    y2, x2 = min(y0 + side, image.shape[0]), min(x0 + side, image.shape[1])
    soft = mask[y1:y2, x1:x2, None].astype(np.float32)
    seen = image[y1:y2, x1:x2] * soft + FILL * (1 - soft)
    out[y1 - y0 : y2 - y0, x1 - x0 : x2 - x0] = seen
    return (out + 0.5).clip(0, 255).astype(np.uint8)
