"""The resolution that the judge looks at pictures with: one for networks, colours and places.

A picture whose longer side is above `SIDE` is brought to it in two ways. Networks see means
(`reduced`). Colours are those of real pixels, one of every block (`sampled`): a mean of two paints
is the colour of neither. Where in its block the pixel lies changes from block to block, so that no
texture can fall in step with the blocks (stratified sampling: Cochran, Sampling Techniques, 1977,
chapter 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.records import Regions

if TYPE_CHECKING:
    import torch

#: Longest side, pixels: what the network over photographs sees, and four times what the rendered
#: world is drawn at.
SIDE = 256
#: Steps of the place within a block: multiples of the golden ratio fill [0, 1) evenly.
_GOLDEN = (5**0.5 - 1) / 2


def working_shape(height: int, width: int, side: int = SIDE) -> tuple[int, int]:
    """Height and width that a picture is judged at: its own where neither is above ``side``."""
    scale = min(1.0, side / max(height, width, 1))
    return max(1, round(height * scale)), max(1, round(width * scale))


def reduced(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture as networks see it.

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
    height, width = image.shape[:2]
    shape = working_shape(height, width, side)
    if (height, width) == shape or not image.size:
        return image
    small = resized_bytes(as_batch(image), shape)
    return np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())


def reduced_batch(images: Sequence[np.ndarray], device: str, side: int = SIDE) -> torch.Tensor:
    """Pictures uint8 (H, W, 3) of one shape as networks see them, uint8 (N, 3, h, w) on a device.

    A GPU makes them smaller itself: to a level of 255 it gives what `reduced` gives.
    """
    import torch

    height, width = images[0].shape[:2]
    shape = working_shape(height, width, side)
    return torch.cat([resized_bytes(as_batch(image).to(device), shape) for image in images])


def as_batch(image: np.ndarray) -> torch.Tensor:
    """A picture uint8 (H, W, 3) as uint8 (1, 3, H, W), where it lies."""
    import torch

    # Torch warns of memory that must not be written to, and a large picture is better not copied.
    whole = torch.from_numpy(image) if image.flags.writeable else torch.tensor(image)
    # A batch first: else torch does not see that colours lie side by side, and copies twice.
    return whole[None].permute(0, 3, 1, 2)


def resized_bytes(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pictures uint8 (N, 3, H, W) at another size, bytes too: bilinear, means where it shrinks."""
    import torch
    import torch.nn.functional as F

    height, width = picture.shape[-2:]
    if (height, width) == size:
        return picture
    shrinks = size[0] < height or size[1] < width
    # Only a CPU resizes bytes, and quicker than floats.
    given = picture if picture.device.type == "cpu" else picture.float()
    out = F.interpolate(given, size, mode="bilinear", align_corners=False, antialias=shrinks)
    return out if out.dtype == torch.uint8 else out.round_().to(torch.uint8)


def sampled(layers: np.ndarray) -> np.ndarray:
    """One pixel of every block, the same ones of everything that has one size.

    Parameters
    ----------
    layers : ndarray, uint8 (H, W, 3), or any (..., H, W)
        A picture; or masks or labels.

    Returns
    -------
    ndarray, (h, w, 3) or (..., h, w)
        Of `working_shape`; ``layers`` itself where it is no larger.
    """
    if layers.ndim == 3 and layers.shape[2] == 3 and layers.dtype == np.uint8:
        shape = layers.shape[:2]
        places = _places(*shape)
        if places is None:
            return layers
        flat = layers.reshape(-1)
        return np.stack([flat.take(3 * places + channel) for channel in range(3)]).transpose(
            1, 2, 0
        )
    height, width = layers.shape[-2:]
    places = _places(height, width)
    if places is None:
        return layers
    flat = layers.reshape(*layers.shape[:-2], height * width)
    return np.take(flat, places, axis=-1)


def sampled_regions(regions: Regions) -> Regions:
    """Regions at the pixels of `sampled`; themselves where they are no larger."""
    if _places(*regions.background.shape) is None:
        return regions
    return replace(
        regions,
        masks=sampled(regions.masks),
        neighbour_masks=sampled(regions.neighbour_masks),
        background=sampled(regions.background),
        support=None if regions.support is None else sampled(regions.support),
    )


@lru_cache(maxsize=8)
def _places(height: int, width: int) -> np.ndarray | None:
    """Places in the flat picture, intp (h, w); None where it is no larger than judged."""
    rows, columns = shape = working_shape(height, width)
    if shape == (height, width):
        return None
    y = (np.arange(rows)[:, None] + _within(columns)[None, :]) * (height / rows)
    x = (np.arange(columns)[None, :] + _within(rows)[:, None]) * (width / columns)
    return np.asarray(y.astype(np.intp) * width + x.astype(np.intp))


def _within(count: int) -> np.ndarray:
    """Places within blocks, in [0, 1): one for each row, or column, counted from the middle."""
    return np.abs(np.arange(count) - (count - 1) / 2) * _GOLDEN % 1.0
