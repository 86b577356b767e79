"""Augmentation for judges: what a generative model, a scaler or a codec does to a picture.

Everything is batched; a share of the images gets each treatment, the rest stay as they were.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


def _some(n: int, p: float, g: torch.Generator) -> Tensor:
    return (torch.rand(n, generator=g) < p).nonzero()[:, 0]


def _uniform(low: float, high: float, n: int, g: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=g)


def zoom(image: Tensor, masks: Tensor, g: torch.Generator, p: float = 0.6) -> tuple[Tensor, Tensor]:
    """Crop, scale and shift a share of the images together with their masks (N, C, H, W)."""
    rows = _some(len(image), p, g)
    if not len(rows):
        return image, masks
    n = len(rows)
    scale = torch.exp(_uniform(-0.35, 0.3, n, g))
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = scale
    theta[:, 1, 1] = scale * torch.exp(_uniform(-0.15, 0.15, n, g))
    theta[:, :, 2] = torch.stack([_uniform(-0.22, 0.22, n, g) for _ in range(2)], 1)
    joined = torch.cat([image[rows], masks[rows]], 1)
    grid = F.affine_grid(theta, list(joined.shape), align_corners=False)
    moved = F.grid_sample(joined, grid, padding_mode="reflection", align_corners=False)
    image, masks = image.clone(), masks.clone()
    image[rows], masks[rows] = moved[:, :3].clamp(0, 1), moved[:, 3:]
    return image, masks


def rebackground(image: Tensor, background: Tensor, g: torch.Generator, p: float = 0.2) -> Tensor:
    """Replace the background (a mask, (N, H, W)) of a share of the images by a coloured texture.

    The texture is noise at three scales between two colours: walls in the world are plain, and a
    judge should not need that.
    """
    rows = _some(len(image), p, g)
    if not len(rows):
        return image
    n, size = len(rows), image.shape[-1]
    field = torch.zeros(n, 1, size, size)
    for cells in (2, 6, 20):
        noise = torch.randn(n, 1, cells, cells, generator=g)
        field += F.interpolate(noise, (size, size), mode="bicubic") / 3
    weight = torch.sigmoid(field * _uniform(0.5, 4, n, g).view(n, 1, 1, 1))
    ends = torch.rand(2, n, 3, 1, 1, generator=g)
    texture = torch.lerp(ends[0], ends[1], weight)
    mask = background[rows][:, None]
    image = image.clone()
    image[rows] = image[rows] * (1 - mask) + texture * mask
    return image


def degrade(image: Tensor, g: torch.Generator) -> Tensor:
    """Blur, downscale, light, noise and JPEG, each on a share of the images (N, 3, H, W)."""
    image = image.clone()
    n, size = len(image), image.shape[-1]
    rows = _some(n, 0.3, g)
    if len(rows):
        image[rows] = blur(image[rows], float(_uniform(0.4, 1.3, 1, g)))
    rows = _some(n, 0.2, g)
    if len(rows):
        small = int(torch.randint(28, 52, (1,), generator=g))
        shrunk = F.interpolate(image[rows], (small, small), mode="bilinear", antialias=True)
        image[rows] = F.interpolate(shrunk, (size, size), mode="bicubic").clamp(0, 1)
    rows = _some(n, 0.35, g)
    if len(rows):
        gain = _uniform(0.85, 1.12, len(rows), g)[:, None] * (
            1 + 0.03 * torch.randn(len(rows), 3, generator=g)
        )
        image[rows] = image[rows] * gain[:, :, None, None]
    rows = _some(n, 0.3, g)
    if len(rows):
        deviation = _uniform(0.0, 0.05, len(rows), g).view(-1, 1, 1, 1)
        image[rows] += torch.randn(image[rows].shape, generator=g) * deviation
    image = image.clamp_(0, 1)
    for row in _some(n, 0.12, g).tolist():
        quality = int(torch.randint(35, 92, (1,), generator=g))
        image[row] = jpeg(image[row], quality)
    return image


def blur(image: Tensor, deviation: float) -> Tensor:
    """Gaussian blur with reflected borders; ``deviation`` in pixels."""
    reach = max(1, round(2.5 * deviation))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-(offsets**2) / (2 * deviation**2))
    weights = (weights / weights.sum()).expand(image.shape[1], 1, -1)
    padded = F.pad(image, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, weights[:, :, None, :], groups=image.shape[1])
    return F.conv2d(across, weights[:, :, :, None], groups=image.shape[1])


def jpeg(image: Tensor, quality: int) -> Tensor:
    """One image (3, H, W) in [0, 1] through a JPEG codec."""
    pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    decoded = np.array(Image.open(buffer))
    return torch.from_numpy(decoded).permute(2, 0, 1).to(image.device).float() / 255
