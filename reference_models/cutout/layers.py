"""Layers of composed pictures: backgrounds, plates, frames, and things in other colours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import BASIC


def uniform(low: float, high: float, n: int, g: torch.Generator) -> Tensor:
    """Numbers (n,) between two ends."""
    return low + (high - low) * torch.rand(n, generator=g)


def paints(n: int, g: torch.Generator) -> Tensor:
    """Colours (n, 3) in [0, 1]: near a basic term, or any."""
    basic = torch.tensor([colour.srgb for colour in BASIC]) / 255
    near = basic[torch.randint(len(basic), (n,), generator=g)]
    near = (near + 0.08 * torch.randn(n, 3, generator=g)).clamp(0, 1)
    anything = torch.rand(n, 3, generator=g)
    return torch.where((torch.rand(n, 1, generator=g) < 0.75), near, anything)


def affine(theta: Tensor, source: Tensor, size: int, padding: str = "zeros") -> Tensor:
    """Layers (n, C, S, S) seen through affine maps (n, 2, 3) of output to source."""
    grid = F.affine_grid(theta, [len(theta), source.shape[1], size, size], align_corners=False)
    return F.grid_sample(source, grid, padding_mode=padding, align_corners=False)


def placed(
    cx: Tensor, cy: Tensor, scale: Tensor, angle: Tensor, flip: Tensor, aspect: Tensor
) -> Tensor:
    """Output to source: a layer of half width ``scale`` at (cx, cy) of [-1, 1]."""
    c, s = torch.cos(angle), torch.sin(angle)
    sx, sy = flip / (scale * aspect), 1 / scale
    rows = torch.stack(
        [
            torch.stack([c * sx, s * sx, -(cx * c + cy * s) * sx], 1),
            torch.stack([-s * sy, c * sy, -(cy * c - cx * s) * sy], 1),
        ],
        1,
    )
    return rows


def thing_layer(
    icons: Tensor,
    cx: Tensor,
    cy: Tensor,
    scale: Tensor,
    tilt: float,
    size: int,
    g: torch.Generator,
) -> Tensor:
    """Things cut out, by chance turned, flipped and stretched, each on a layer of its own.

    Parameters
    ----------
    icons : Tensor, uint8 (m, 4, s, s)
        Red, green, blue and opacity.
    cx, cy, scale : Tensor, float32 (m,)
        Middle and half width, as of `placed`.
    tilt : float
        Standard deviation of the angle, radians.
    size : int
    g : torch.Generator

    Returns
    -------
    Tensor, float32 (m, 4, size, size)
        In [0, 1].
    """
    m = len(icons)
    source = icons.float() / 255
    source = torch.cat([source[:, :3] * source[:, 3:], source[:, 3:]], 1)
    flip = 1 - 2 * (torch.rand(m, generator=g) < 0.5).float()
    angle = tilt * torch.randn(m, generator=g)
    stretch = torch.exp(0.12 * torch.randn(m, generator=g))
    layer = affine(placed(cx, cy, scale, angle, flip, stretch), source, size)
    alpha = layer[:, 3:]
    return torch.cat([layer[:, :3] / alpha.clamp(min=1e-3), alpha], 1).clamp(0, 1)


def backgrounds(n: int, photos: Tensor, shared: Tensor, size: int, g: torch.Generator) -> Tensor:
    """Photographs, dyed ones, textures of noise and walls, (n, 3, size, size)."""
    pick = torch.randint(len(photos), (n,), generator=g)
    reach = uniform(0.3, 1.0, n, g)
    shift = torch.stack([uniform(-1, 1, n, g) * (1 - reach) for _ in range(2)], 1)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = reach * (1 - 2 * (torch.rand(n, generator=g) < 0.5).float())
    theta[:, 1, 1] = reach
    theta[:, :, 2] = shift
    photo = affine(theta, photos[pick].float() / 255, size, "reflection")
    field = torch.zeros(n, 1, size, size)
    for cells, most in ((2, 0.5), (5, 0.3), (14, 0.3), (40, 0.2)):
        noise = torch.randn(n, 1, cells, cells, generator=g)
        amount = most * torch.rand(n, 1, 1, 1, generator=g)
        field += amount * F.interpolate(noise, (size, size), mode="bicubic")
    weight = torch.sigmoid(field * uniform(0.5, 5, n, g).view(n, 1, 1, 1))
    ends = torch.stack([paints(n, g), paints(n, g)])[..., None, None]
    texture = torch.lerp(ends[0], ends[1], weight)
    light = 0.25 * uniform(0, 1, n, g).view(n, 1, 1, 1) * field
    wall = shared[:, :, None, None] * (1 + light) + 0.05 * light
    gray = photo.mean(1, keepdim=True)
    gray = (gray - gray.mean((2, 3), keepdim=True)) * uniform(0.2, 0.9, n, g).view(n, 1, 1, 1)
    dyed = shared[:, :, None, None] * (1 + gray) + 0.15 * gray
    tables = (torch.arange(size).view(1, 1, size, 1) / size) > uniform(0.4, 1.2, n, g).view(
        n, 1, 1, 1
    )
    wall = torch.where(tables, ends[0] * (1 + light), wall)
    choice = torch.rand(n, 1, 1, 1, generator=g)
    out = torch.where(choice < 0.45, photo, texture)
    out = torch.where((choice >= 0.6) & (choice < 0.8), wall, out)
    return torch.where(choice >= 0.8, dyed, out).clamp(0, 1)


def recoloured(layer: Tensor, paint: Tensor, second: Tensor, g: torch.Generator) -> Tensor:
    """Things (n, 4, S, S) in paints of their own: luminance times paint, some in two."""
    n, size = len(layer), layer.shape[-1]
    rgb, alpha = layer[:, :3], layer[:, 3:]
    light = rgb.amax(1, keepdim=True)
    mean = (light * alpha).sum((2, 3), keepdim=True) / alpha.sum((2, 3), keepdim=True).clamp(min=1)
    depth = uniform(0, 1.1, n, g).view(n, 1, 1, 1)
    tone = 1 + depth * (light / mean.clamp(min=0.05) - 1)
    axis = torch.linspace(-1, 1, size)
    angle = uniform(0, 3.14, n, g)
    along = torch.cos(angle).view(n, 1, 1, 1) * axis.view(1, 1, 1, size) + torch.sin(angle).view(
        n, 1, 1, 1
    ) * axis.view(1, 1, size, 1)
    stripes = torch.sin(along * uniform(5, 20, n, g).view(n, 1, 1, 1)) > 0
    halves = along > uniform(-0.4, 0.4, n, g).view(n, 1, 1, 1)
    two = torch.rand(n, 1, 1, 1, generator=g)
    split = torch.where(two < 0.12, stripes, halves) & (two < 0.25)
    colour = torch.where(split, second[:, :, None, None], paint[:, :, None, None])
    shade = 1 - 0.2 * torch.rand(n, 1, 1, 1, generator=g) * (axis.view(1, 1, 1, size) + along)
    painted = (colour * tone * shade + 0.04 * (tone - 1)).clamp(0, 1)
    # Parts that keep their own colour: where the icon's hue is far from its mean.
    chroma = rgb - rgb.mean(1, keepdim=True)
    centre = (chroma * alpha).sum((2, 3), keepdim=True) / alpha.sum((2, 3), keepdim=True).clamp(1)
    far = ((chroma - centre).square().sum(1, keepdim=True) > 0.06).float()
    keeps = (torch.rand(n, 1, 1, 1, generator=g) < 0.6).float() * far
    painted = painted * (1 - keeps) + rgb * keeps
    own = (torch.rand(n, 1, 1, 1, generator=g) < 0.3).float()
    return torch.cat([painted * (1 - own) + rgb * own, alpha], 1)


def plates(
    n: int, paint: Tensor, cx: Tensor, cy: Tensor, reach: Tensor, size: int, g: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Plates (n, 3, S, S) and their masks (n, 1, S, S)."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    squash = torch.where(torch.rand(n, generator=g) < 0.5, torch.ones(n), uniform(0.35, 1, n, g))
    x = (axis.view(1, 1, size) - cx.view(n, 1, 1)) / reach.view(n, 1, 1)
    y = (axis.view(1, size, 1) - cy.view(n, 1, 1)) / (reach * squash).view(n, 1, 1)
    far = (x * x + y * y).sqrt()[:, None]
    edge = (2.0 / size / reach).view(n, 1, 1, 1)
    mask = ((1 - far) / edge + 0.5).clamp(0, 1)
    inner = uniform(0.5, 0.85, n, g).view(n, 1, 1, 1)
    depth = 0.25 * torch.randn(n, 1, 1, 1, generator=g)
    ring = torch.exp(-(((far - inner) / 0.04) ** 2)) * depth
    rim = (far > inner).float() * 0.1 * torch.randn(n, 1, 1, 1, generator=g)
    slope = 0.12 * (x[:, None] * torch.randn(n, 1, 1, 1, generator=g))
    light = 1 + ring + rim + slope
    return (paint[:, :, None, None] * light + 0.04 * (light - 1)).clamp(0, 1), mask


def frames(n: int, paint: Tensor, size: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Picture frames (n, 3, S, S) and their masks: a ring between two rectangles."""
    axis = ((torch.arange(size) + 0.5) / size * 2 - 1).abs()
    w, h = uniform(0.5, 0.95, n, g), uniform(0.5, 0.95, n, g)
    thick = uniform(0.06, 0.2, n, g)

    def box(cut: Tensor | float) -> Tensor:
        return (
            (axis.view(1, 1, size) < (w - cut).view(n, 1, 1))
            & (axis.view(1, size, 1) < (h - cut).view(n, 1, 1))
        ).float()[:, None]

    light = 1 + 0.2 * torch.randn(n, 1, 1, 1, generator=g) * (box(thick / 2) - 0.5)
    colour = (paint[:, :, None, None] * light).clamp(0, 1).expand(n, 3, size, size)
    return colour, box(0.0) - box(thick)
