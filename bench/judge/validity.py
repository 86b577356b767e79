"""Which images say nothing about the model's binding: the one place that decides it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.judge.lattice import lattice
from bench.records import Generation

#: An image whose brightest value is at most this is black (a blanked or NaN image).
BLACK_LEVEL = 8
#: An image is constant where its channels each span no more than this between their 0.5 and 99.5
#: percentiles: a solid colour, with or without JPEG noise.
FLAT_SPAN = 6
#: Sides smaller than this hold no object that could be judged.
MIN_SIDE = 8


def why_invalid(image: np.ndarray, reported: str | None = None) -> str:
    """Why an image cannot be judged; the empty string where it can.

    Parameters
    ----------
    image : ndarray, uint8 (H, W, 3), or float (H, W, 3) in [0, 1]
    reported : str or None
        What the sampler itself says against the image (a safety filter).

    Returns
    -------
    str
        ``safety filter``, ``not finite``, ``too small``, ``black``, ``constant``, ... or ``""``.
    """
    if reported:
        return reported
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        return f"no picture (shape {image.shape})"
    if min(image.shape[:2]) < MIN_SIDE:
        return f"too small ({image.shape[1]} x {image.shape[0]})"
    if image.dtype != np.uint8:
        if not np.isfinite(image).all():
            return "not finite (NaN)"
        image = np.clip(image * 255.0, 0, 255)
    if image.max() <= BLACK_LEVEL:
        return "black"
    return "constant" if _is_flat(image) else ""


def _is_flat(image: np.ndarray) -> bool:
    rows, columns = lattice(image.shape[0], image.shape[1], 32)
    # Bytes are sorted slowly, a word each quickly; one channel after the other, in one piece.
    some = np.array(image[rows, columns].transpose(2, 0, 1), np.int16, order="C").reshape(3, -1)
    some.sort(axis=1)
    tenth = some.shape[1] // 10
    if (some[:, -1 - tenth] - some[:, tenth]).max() > FLAT_SPAN:
        return False
    low, high = np.percentile(image.reshape(-1, 3), (0.5, 99.5), axis=0)
    return bool(np.all(high - low <= FLAT_SPAN))


def examined(generation: Generation) -> Generation:
    """Return the image with the answer in ``invalid``; for images that come in, once each."""
    void = why_invalid(generation.image, generation.invalid) or None
    return generation if void == generation.invalid else replace(generation, invalid=void)
