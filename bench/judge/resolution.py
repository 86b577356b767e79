"""The resolution that the judge looks at pictures with: one for networks, colours and places.

A picture whose longer side is above `SIDE` is made smaller once, and everything is measured there.
What is larger than a few pixels of the small picture is not changed by that: colours are mixed
within two of its pixels of an edge, and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.judge.lattice import area_mean
from bench.records import Regions

#: Longest side, pixels: what the network over photographs sees, and four times what the rendered
#: world is drawn at.
SIDE = 256


def working_shape(height: int, width: int, side: int = SIDE) -> tuple[int, int]:
    """Height and width that a picture is judged at: its own where neither is above ``side``."""
    scale = min(1.0, side / max(height, width, 1))
    return max(1, round(height * scale)), max(1, round(width * scale))


def reduced(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture at the judge's resolution.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3)
    side : int
        Longest side.

    Returns
    -------
    ndarray, uint8, (h, w, 3)
        ``image`` itself where it is no larger. Else every pixel is the mean of those around it
        under a triangle of the width of two, in gamma-encoded sRGB.
    """
    shape = working_shape(*image.shape[:2], side)
    if image.shape[:2] == shape or not image.size:
        return image
    import torch
    import torch.nn.functional as F

    batch = torch.tensor(image).permute(2, 0, 1)[None]
    small = F.interpolate(batch, shape, mode="bilinear", align_corners=False, antialias=True)
    return np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())


def reduced_regions(regions: Regions) -> Regions:
    """Regions at the judge's resolution: means over blocks; themselves where they are no larger."""
    shape = regions.background.shape
    if working_shape(*shape) == shape:
        return regions
    return replace(
        regions,
        masks=area_mean(regions.masks, SIDE),
        neighbour_masks=area_mean(regions.neighbour_masks, SIDE),
        background=area_mean(regions.background, SIDE),
        support=None if regions.support is None else area_mean(regions.support, SIDE),
    )
