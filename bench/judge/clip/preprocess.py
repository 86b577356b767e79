"""Images of any size into the square that a CLIP was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.device import to_device

if TYPE_CHECKING:
    import torch


def to_square(
    images: Sequence[np.ndarray],
    size: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    device: str = "cpu",
) -> torch.Tensor:
    """The whole of each image, squashed to ``size x size`` and normalised.

    The picture is squashed rather than cropped, so that a subject at the edge is still seen.
    Images of one shape are resized together; each is resized by itself alone, so that the batch
    changes nothing.

    Parameters
    ----------
    images : sequence of ndarray, uint8, (H, W, 3)
    size : int
    mean, std : tuple of float
        Of the training set, per channel, for values in [0, 1].
    device : str
        Where it is computed, and is then.

    Returns
    -------
    Tensor, float32, (B, 3, size, size)
    """
    import torch

    out = torch.empty(len(images), 3, size, size, dtype=torch.uint8, device=device)
    shapes: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(images):
        shapes.setdefault(image.shape, []).append(index)
    for indices in shapes.values():
        out[indices] = resize(to_device([images[index] for index in indices], device), size)
    shift = torch.tensor(mean, device=device).view(3, 1, 1) * 255
    return (out - shift) / (torch.tensor(std, device=device).view(3, 1, 1) * 255)


def resize(batch: torch.Tensor, size: int) -> torch.Tensor:
    """Bicubic resize with anti-aliasing of uint8 pictures (B, 3, H, W); square, uint8.

    On a CPU in whole numbers throughout, as Pillow has it and with it open_clip's own transforms.
    """
    import torch.nn.functional as F

    if batch.shape[-2:] == (size, size):
        return batch
    if batch.device.type == "cpu":
        return F.interpolate(batch, (size, size), mode="bicubic", antialias=True)
    large = F.interpolate(batch.float(), (size, size), mode="bicubic", antialias=True)
    return large.round().clamp(0, 255).byte()
