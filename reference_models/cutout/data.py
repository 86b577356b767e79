"""Pictures to learn from: things of the rendered world and icons, over scenes and photographs.

A third of them are scenes of the rendered world. The rest are composed: any thing, in its own
colours or in one or two paints, on a photograph, a texture, a wall or a plate, beside up to two
others. What is learned is to cut out whatever stands before the rest, and to name it where it is
one of the subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import BASIC
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.augment import degrade, zoom
from reference_models.clip.data import JUDGE
from reference_models.cutout.net import KINDS, NAMES, SIDE
from reference_models.world.render import render
from reference_models.world.scene import sample_scenes
from reference_models.world.statistics import balanced

#: Side of the photographs kept in memory.
PHOTO = 192
OTHER = len(NAMES) - 1
_THING, _PLATE, _FRAME = (KINDS.index(k) for k in ("thing", "plate", "picture frame"))


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What pictures are composed of.

    Attributes
    ----------
    icons : Tensor, uint8 (I, 4, S, S)
        Cut-out things with transparency.
    names : Tensor, int64 (I,)
        Index into `NAMES` of each.
    photos : Tensor, uint8 (P, 3, PHOTO, PHOTO)
    """

    icons: Tensor
    names: Tensor
    photos: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures and what each pixel is.

    Attributes
    ----------
    image : Tensor, float32 (N, 3, S, S)
        In [0, 1].
    kinds : Tensor, float32 (N, 4, S, S)
        Share of each kind; sums to 1.
    names : Tensor, int64 (N, S/4, S/4)
        What thing is there; -1 where there is none.
    """

    image: Tensor
    kinds: Tensor
    names: Tensor


def read_photos(folders: Sequence[Path]) -> Tensor:
    """Every photograph below some folders, and its two halves where it is wide."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
                continue
            with Image.open(path) as image:
                image.thumbnail((900, 600))
                rgb = image.convert("RGB")
            short = min(rgb.size)
            for left in {0, rgb.width - short}:
                piece = rgb.crop((left, 0, left + short, short)).resize((PHOTO, PHOTO))
                found.append(torch.from_numpy(np.array(piece)).permute(2, 0, 1))
    return torch.stack(found)


def read_material(icons: Path, photos: Sequence[Path]) -> Material:
    """Icons from an npz of ``rgba`` (I, S, S, 4) and ``name`` (I,), photographs from folders."""
    with np.load(icons) as file:
        rgba = torch.from_numpy(file["rgba"]).permute(0, 3, 1, 2).contiguous()
        names = [NAMES.index(name) if name in NAMES else OTHER for name in file["name"].tolist()]
    return Material(rgba, torch.tensor(names), read_photos(photos))


def said_of(icons: Path) -> str:
    """What a file of icons says of itself; empty where it says nothing."""
    with np.load(icons) as file:
        return str(file["said"]) if "said" in file else ""


def _uniform(low: float, high: float, n: int, g: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=g)


def _paints(n: int, g: torch.Generator) -> Tensor:
    """Colours (n, 3) in [0, 1]: near a basic term, or any."""
    basic = torch.tensor([colour.srgb for colour in BASIC]) / 255
    near = basic[torch.randint(len(basic), (n,), generator=g)]
    near = (near + 0.08 * torch.randn(n, 3, generator=g)).clamp(0, 1)
    anything = torch.rand(n, 3, generator=g)
    return torch.where((torch.rand(n, 1, generator=g) < 0.75), near, anything)


def _affine(theta: Tensor, source: Tensor, size: int, padding: str = "zeros") -> Tensor:
    grid = F.affine_grid(theta, [len(theta), source.shape[1], size, size], align_corners=False)
    return F.grid_sample(source, grid, padding_mode=padding, align_corners=False)


def _theta(
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


def backgrounds(n: int, photos: Tensor, shared: Tensor, size: int, g: torch.Generator) -> Tensor:
    """Photographs, dyed ones, textures of noise and walls, (n, 3, size, size)."""
    pick = torch.randint(len(photos), (n,), generator=g)
    reach = _uniform(0.3, 1.0, n, g)
    shift = torch.stack([_uniform(-1, 1, n, g) * (1 - reach) for _ in range(2)], 1)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = reach * (1 - 2 * (torch.rand(n, generator=g) < 0.5).float())
    theta[:, 1, 1] = reach
    theta[:, :, 2] = shift
    photo = _affine(theta, photos[pick].float() / 255, size, "reflection")
    field = torch.zeros(n, 1, size, size)
    for cells, most in ((2, 0.5), (5, 0.3), (14, 0.3), (40, 0.2)):
        noise = torch.randn(n, 1, cells, cells, generator=g)
        amount = most * torch.rand(n, 1, 1, 1, generator=g)
        field += amount * F.interpolate(noise, (size, size), mode="bicubic")
    weight = torch.sigmoid(field * _uniform(0.5, 5, n, g).view(n, 1, 1, 1))
    ends = torch.stack([_paints(n, g), _paints(n, g)])[..., None, None]
    texture = torch.lerp(ends[0], ends[1], weight)
    light = 0.25 * _uniform(0, 1, n, g).view(n, 1, 1, 1) * field
    wall = shared[:, :, None, None] * (1 + light) + 0.05 * light
    gray = photo.mean(1, keepdim=True)
    gray = (gray - gray.mean((2, 3), keepdim=True)) * _uniform(0.2, 0.9, n, g).view(n, 1, 1, 1)
    dyed = shared[:, :, None, None] * (1 + gray) + 0.15 * gray
    tables = (torch.arange(size).view(1, 1, size, 1) / size) > _uniform(0.4, 1.2, n, g).view(
        n, 1, 1, 1
    )
    wall = torch.where(tables, ends[0] * (1 + light), wall)
    choice = torch.rand(n, 1, 1, 1, generator=g)
    out = torch.where(choice < 0.45, photo, texture)
    out = torch.where((choice >= 0.6) & (choice < 0.8), wall, out)
    return torch.where(choice >= 0.8, dyed, out).clamp(0, 1)


def _recoloured(layer: Tensor, paint: Tensor, second: Tensor, g: torch.Generator) -> Tensor:
    """Things (n, 4, S, S) in paints of their own: luminance times paint, some in two."""
    n, size = len(layer), layer.shape[-1]
    rgb, alpha = layer[:, :3], layer[:, 3:]
    light = rgb.amax(1, keepdim=True)
    mean = (light * alpha).sum((2, 3), keepdim=True) / alpha.sum((2, 3), keepdim=True).clamp(min=1)
    depth = _uniform(0, 1.1, n, g).view(n, 1, 1, 1)
    tone = 1 + depth * (light / mean.clamp(min=0.05) - 1)
    axis = torch.linspace(-1, 1, size)
    angle = _uniform(0, 3.14, n, g)
    along = torch.cos(angle).view(n, 1, 1, 1) * axis.view(1, 1, 1, size) + torch.sin(angle).view(
        n, 1, 1, 1
    ) * axis.view(1, 1, size, 1)
    stripes = torch.sin(along * _uniform(5, 20, n, g).view(n, 1, 1, 1)) > 0
    halves = along > _uniform(-0.4, 0.4, n, g).view(n, 1, 1, 1)
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


def _plates(
    n: int, paint: Tensor, cx: Tensor, cy: Tensor, reach: Tensor, size: int, g: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Plates (n, 3, S, S) and their masks (n, 1, S, S)."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    squash = torch.where(torch.rand(n, generator=g) < 0.5, torch.ones(n), _uniform(0.35, 1, n, g))
    x = (axis.view(1, 1, size) - cx.view(n, 1, 1)) / reach.view(n, 1, 1)
    y = (axis.view(1, size, 1) - cy.view(n, 1, 1)) / (reach * squash).view(n, 1, 1)
    far = (x * x + y * y).sqrt()[:, None]
    edge = (2.0 / size / reach).view(n, 1, 1, 1)
    mask = ((1 - far) / edge + 0.5).clamp(0, 1)
    inner = _uniform(0.5, 0.85, n, g).view(n, 1, 1, 1)
    depth = 0.25 * torch.randn(n, 1, 1, 1, generator=g)
    ring = torch.exp(-(((far - inner) / 0.04) ** 2)) * depth
    rim = (far > inner).float() * 0.1 * torch.randn(n, 1, 1, 1, generator=g)
    slope = 0.12 * (x[:, None] * torch.randn(n, 1, 1, 1, generator=g))
    light = 1 + ring + rim + slope
    return (paint[:, :, None, None] * light + 0.04 * (light - 1)).clamp(0, 1), mask


def _frames(n: int, paint: Tensor, size: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Picture frames (n, 3, S, S) and their masks: a ring between two rectangles."""
    axis = ((torch.arange(size) + 0.5) / size * 2 - 1).abs()
    w, h = _uniform(0.5, 0.95, n, g), _uniform(0.5, 0.95, n, g)
    thick = _uniform(0.06, 0.2, n, g)

    def box(cut: Tensor | float) -> Tensor:
        return (
            (axis.view(1, 1, size) < (w - cut).view(n, 1, 1))
            & (axis.view(1, size, 1) < (h - cut).view(n, 1, 1))
        ).float()[:, None]

    light = 1 + 0.2 * torch.randn(n, 1, 1, 1, generator=g) * (box(thick / 2) - 0.5)
    colour = (paint[:, :, None, None] * light).clamp(0, 1).expand(n, 3, size, size)
    return colour, box(0.0) - box(thick)


def composed(n: int, material: Material, g: torch.Generator, size: int = SIDE) -> Batch:
    """Compose ``n`` pictures."""
    palette = torch.stack([_paints(n, g) for _ in range(4)])
    image = backgrounds(n, material.photos, palette[0], size, g)
    kinds = torch.zeros(n, len(KINDS), size, size)
    kinds[:, 0] = 1
    names = torch.full((n, size, size), -1)
    there = torch.rand(3, n, generator=g) < torch.tensor([[0.88], [0.35], [0.08]])
    pair = there[1]
    scale = torch.where(pair, _uniform(0.25, 0.5, n, g), _uniform(0.3, 0.85, n, g))
    side = torch.where(torch.rand(n, generator=g) < 0.5, 1.0, -1.0)
    cx = torch.where(pair, -0.48 * side, _uniform(-0.6, 0.6, n, g) * (1 - scale))
    cy = _uniform(-0.9, 0.9, n, g) * (1 - scale)

    def lay(layer: Tensor, mask: Tensor, kind: int) -> None:
        nonlocal image, kinds
        image = image * (1 - mask) + layer * mask
        kinds = kinds * (1 - mask)
        kinds[:, kind] += mask[:, 0]

    def like(base: Tensor, p: float) -> Tensor:
        """Sometimes the colour of the background: leaks are such pictures."""
        return torch.where(torch.rand(n, 1, generator=g) < p, palette[0], base)

    framed = (torch.rand(n, 1, 1, 1, generator=g) < 0.12).float()
    layer, mask = _frames(n, like(palette[3], 0.1), size, g)
    lay(layer, mask * framed, _FRAME)
    plated = (torch.rand(n, generator=g) < 0.33) & ~pair
    reach = torch.minimum(scale * _uniform(1.1, 1.8, n, g), torch.tensor(0.98))
    layer, mask = _plates(n, like(palette[1], 0.1), cx, cy + 0.1 * scale, reach, size, g)
    scale = torch.where(plated, torch.minimum(scale, 0.8 * reach), scale)
    lay(layer, mask * plated.view(n, 1, 1, 1), _PLATE)

    known = (material.names < OTHER).nonzero()[:, 0]
    for slot in range(3):
        if slot == 1:
            scale = scale * _uniform(0.8, 1.2, n, g)
            cx, cy = 0.48 * side, (cy + _uniform(-0.2, 0.2, n, g)).clamp(-0.6, 0.6)
        elif slot == 2:
            scale = _uniform(0.12, 0.3, n, g)
            cx, cy = _uniform(-0.8, 0.8, n, g), _uniform(-0.8, 0.8, n, g)
        rows = there[slot].nonzero()[:, 0]
        m = len(rows)
        if not m:
            continue
        pick = torch.randint(len(material.icons), (m,), generator=g)
        known_pick = known[torch.randint(len(known), (m,), generator=g)]
        pick = torch.where(torch.rand(m, generator=g) < 0.55, known_pick, pick)
        source = material.icons[pick].float() / 255
        source = torch.cat([source[:, :3] * source[:, 3:], source[:, 3:]], 1)
        flip = 1 - 2 * (torch.rand(m, generator=g) < 0.5).float()
        angle = 0.3 * torch.randn(m, generator=g)
        stretch = torch.exp(0.12 * torch.randn(m, generator=g))
        theta = _theta(cx[rows], cy[rows], scale[rows], angle, flip, stretch)
        layer = _affine(theta, source, size)
        alpha = layer[:, 3:]
        straight = torch.cat([layer[:, :3] / alpha.clamp(min=1e-3), alpha], 1).clamp(0, 1)
        mine = torch.where(torch.rand(m, 1, generator=g) < 0.12, palette[0][rows], _paints(m, g))
        on_plate = (torch.rand(m, 1, generator=g) < 0.1) & plated[rows, None]
        mine = torch.where(on_plate, palette[1][rows], mine)
        straight = _recoloured(straight, mine, _paints(m, g), g)
        alpha = straight[:, 3:]
        shadow = torch.roll(alpha, (2, 2), (2, 3)) * 0.35 * torch.rand(m, 1, 1, 1, generator=g)
        shadow = shadow * (torch.rand(m, 1, 1, 1, generator=g) < 0.3)
        image[rows] = image[rows] * (1 - shadow) * (1 - alpha) + straight[:, :3] * alpha
        kinds[rows] = kinds[rows] * (1 - alpha)
        kinds[rows, _THING] += alpha[:, 0]
        names[rows] = torch.where(
            alpha[:, 0] > 0.5, material.names[pick].view(m, 1, 1), names[rows]
        )
    return Batch(degrade(image.clamp(0, 1), g), kinds, names[:, 2::4, 2::4].contiguous())


def rendered(n: int, g: torch.Generator, size: int = SIDE) -> Batch:
    """Scenes of the rendered world, at their own size or half of it."""
    own = 64 if float(torch.rand(1, generator=g)) < 0.6 else size
    scenes = sample_scenes(n, g, JUDGE, balanced())
    drawn = render(scenes, own)
    masks = torch.cat([drawn.subjects, drawn.plate[:, None], drawn.frame[:, None]], 1)
    image = drawn.image
    if own != size:
        image = F.interpolate(image, (size, size), mode="bilinear", align_corners=False)
        masks = F.interpolate(masks, (size, size), mode="bilinear", align_corners=False)
    image, masks = zoom(image, masks, g)
    kinds = torch.stack([masks[:, :2].sum(1), masks[:, 2], masks[:, 3]], 1)
    kinds = torch.cat([(1 - kinds.sum(1, keepdim=True)).clamp(0, 1), kinds], 1)
    kinds = kinds / kinds.sum(1, keepdim=True).clamp(min=1e-6)
    first = masks[:, 0] >= masks[:, 1]
    name = torch.where(first, scenes.subject[:, :1, None], scenes.subject[:, 1:, None])
    names = torch.where(masks[:, :2].amax(1) > 0.5, name, torch.tensor(-1))
    return Batch(degrade(image, g), kinds, names[:, 2::4, 2::4].contiguous())


def cut_from_world(n: int, g: torch.Generator, size: int = SIDE) -> Material:
    """Subjects of the rendered world as icons, every subject equally often."""
    subject = torch.stack([torch.arange(n) % len(SUBJECT_NAMES), torch.full((n,), -1)], 1)
    scenes = sample_scenes(n, g, JUDGE, balanced(), subject=subject)
    drawn = render(scenes, size)
    mask = drawn.subjects[:, 0]
    inside = mask > 0.3
    theta = torch.zeros(n, 2, 3)
    spans = []
    for axis in (1, 2):
        line = inside.any(axis)
        first = line.float().argmax(1)
        last = size - line.flip(1).float().argmax(1)
        theta[:, axis - 1, 2] = (first + last) / size - 1
        spans.append((last - first) / size)
    reach = torch.maximum(*spans).clamp(min=0.1)
    theta[:, 0, 0] = theta[:, 1, 1] = reach
    layer = torch.cat([drawn.image, mask[:, None]], 1)
    icons = (_affine(theta, layer, size) * 255).round().byte()
    return Material(icons, scenes.subject[:, 0], torch.empty(0))
