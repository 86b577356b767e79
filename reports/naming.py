"""A table of colour names that the page can look a pixel up in."""

from __future__ import annotations

import numpy as np

from reports.lent import Naming
from reports.thumbnails import encode_labels

#: Steps of red, green and blue in the table; a power of two.
LEVELS = 32


def name_table(naming: Naming) -> str:
    """Names of the colours in the middle of a 32 x 32 x 32 division of the sRGB cube.

    Run lengths as in `reports.thumbnails.encode_labels`, red slowest, blue fastest.
    """
    step = 256 // LEVELS
    middles = np.arange(LEVELS) * step + step // 2
    red, green, blue = np.meshgrid(middles, middles, middles, indexing="ij")
    pixels = np.stack([red, green, blue], axis=-1).reshape(-1, 3).astype(np.uint8)
    names = np.asarray(naming(pixels))
    if names.shape != (len(pixels),):
        raise ValueError(f"naming returned shape {names.shape}, expected ({len(pixels)},)")
    return encode_labels(names.astype(np.uint8).reshape(LEVELS, -1))
