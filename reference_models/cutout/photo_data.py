"""Pictures that the decoder over photographs learns on: composed ones, and photoreal scenes.

What each pixel is (wall, support, thing, plate, frame), which thing, and what each thing is called.
Composed are icons and things cut out of photoreal scenes, in their own or other colours, over
photographs, textures, walls and tables, alone or beside others that they may touch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from reference_models.clip.augment import degrade
from reference_models.cutout.layers import (
    affine,
    backgrounds,
    frames,
    paints,
    plates,
    recoloured,
    thing_layer,
    uniform,
)
from reference_models.cutout.material import Material
from reference_models.cutout.photo_decoder import KINDS, NAMES, OTHER, SIDE

_THING, _PLATE, _FRAME, _SUPPORT = (
    KINDS.index(k) for k in ("thing", "plate", "picture frame", "support")
)
#: Things of one picture at most, and of a composed one.
MOST, _COMPOSED = 6, 3
#: Labels of photoreal masks: wall, support, plate, frame, then two for each thing.
_OF_LABEL = torch.tensor([0, _SUPPORT, _PLATE, _FRAME] + [_THING] * 12)


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures and what each pixel is.

    Attributes
    ----------
    image : Tensor, float32 (N, 3, S, S)
        In [0, 1].
    kinds : Tensor, uint8 (N, S, S)
        Index into `KINDS`.
    things : Tensor, uint8 (N, S, S)
        0 where there is no thing, else its number from 1.
    names : Tensor, int64 (N, MOST)
        Index into `NAMES` of each thing; -1 where there is none.
    """

    image: Tensor
    kinds: Tensor
    things: Tensor
    names: Tensor


def composed(n: int, material: Material, g: torch.Generator, size: int = SIDE) -> Pictures:
    """Compose ``n`` pictures."""
    shared = paints(n, g)
    image = backgrounds(n, material.photos, shared, size, g)
    kinds = torch.zeros(n, size, size, dtype=torch.uint8)
    things = torch.zeros(n, size, size, dtype=torch.uint8)
    names = torch.full((n, MOST), -1)
    pair = torch.rand(n, generator=g) < 0.45
    scale = torch.where(pair, uniform(0.14, 0.5, n, g), uniform(0.14, 0.95, n, g))
    side = torch.where(torch.rand(n, generator=g) < 0.5, 1.0, -1.0)
    # Pairs touch, overlap or stand apart.
    apart = torch.where(pair, scale * uniform(0.55, 1.25, n, g), torch.zeros(n))
    cx = torch.where(pair, -apart * side, uniform(-0.6, 0.6, n, g) * (1 - scale))
    cy = uniform(-0.9, 0.9, n, g) * (1 - scale).clamp(min=0.05)

    def lay(rows: Tensor, layer: Tensor, mask: Tensor, kind: int, thing: int = 0) -> None:
        image[rows] = image[rows] * (1 - mask) + layer * mask
        there = mask[:, 0] > 0.5
        kinds[rows] = torch.where(there, torch.tensor(kind, dtype=torch.uint8), kinds[rows])
        things[rows] = torch.where(there, torch.tensor(thing, dtype=torch.uint8), things[rows])

    def some(p: float) -> Tensor:
        return (torch.rand(n, generator=g) < p).nonzero()[:, 0]

    rows = some(0.45)
    if len(rows):
        low = torch.linspace(-1, 1, size).view(1, 1, size, 1)
        slope = torch.linspace(-1, 1, size).view(1, 1, 1, size) * uniform(
            -0.15, 0.15, len(rows), g
        ).view(-1, 1, 1, 1)
        edge = uniform(-0.5, 0.85, len(rows), g).view(-1, 1, 1, 1)
        table = backgrounds(len(rows), material.photos, paints(len(rows), g), size, g)
        lay(rows, table, (low + slope > edge).float(), _SUPPORT)
    rows = some(0.1)
    if len(rows):
        layer, mask = frames(len(rows), paints(len(rows), g), size, g)
        lay(rows, layer, mask, _FRAME)
    plated = (torch.rand(n, generator=g) < 0.2) & ~pair
    rows = plated.nonzero()[:, 0]
    if len(rows):
        reach = torch.minimum(scale[rows] * uniform(1.1, 1.8, len(rows), g), torch.tensor(0.98))
        layer, mask = plates(
            len(rows), paints(len(rows), g), cx[rows], (cy + 0.1 * scale)[rows], reach, size, g
        )
        scale[rows] = torch.minimum(scale[rows], 0.8 * reach)
        lay(rows, layer, mask, _PLATE)
    # Each name equally often: there are hundreds of some and two of others.
    often = torch.bincount(material.names, minlength=len(NAMES))[material.names]
    known = (material.names < OTHER) / often
    there = torch.stack([torch.rand(n, generator=g) < 0.96, pair, torch.rand(n, generator=g) < 0.1])
    for slot in range(_COMPOSED):
        if slot == 1:
            scale = scale * uniform(0.75, 1.3, n, g)
            cx, cy = apart * side, (cy + uniform(-0.25, 0.25, n, g)).clamp(-0.7, 0.7)
        elif slot == 2:
            scale = uniform(0.12, 0.3, n, g)
            cx, cy = uniform(-0.8, 0.8, n, g), uniform(-0.8, 0.8, n, g)
        rows = there[slot].nonzero()[:, 0]
        m = len(rows)
        if not m:
            continue
        pick = torch.randint(len(material.icons), (m,), generator=g)
        known_pick = torch.multinomial(known, m, True, generator=g)
        pick = torch.where(torch.rand(m, generator=g) < 0.5, known_pick, pick)
        straight = thing_layer(material.icons[pick], cx[rows], cy[rows], scale[rows], 0.25, size, g)
        alpha = straight[:, 3:]
        mine = torch.where(torch.rand(m, 1, generator=g) < 0.1, shared[rows], paints(m, g))
        painted = recoloured(straight, mine, paints(m, g), g)
        own = (torch.rand(m, 1, 1, 1, generator=g) < 0.35).float()
        straight = straight * own + painted * (1 - own)
        shadow = torch.roll(alpha, (4, 5), (2, 3)) * 0.4 * torch.rand(m, 1, 1, 1, generator=g)
        image[rows] = image[rows] * (1 - shadow * (torch.rand(m, 1, 1, 1, generator=g) < 0.4))
        lay(rows, straight[:, :3], alpha, _THING, slot + 1)
        names[rows, slot] = material.names[pick]
    return Pictures(degrade(image.clamp(0, 1), g), kinds, things, names)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of pictures at a quarter of their size.

    Attributes
    ----------
    kinds, things : Tensor, uint8 (N, S/4, S/4)
        As of `Pictures`.
    names : Tensor, int64 (N, MOST)
    merged : Tensor, bool (N,)
        Pictures that do not tell wall from support: the composed ones.
    """

    kinds: Tensor
    things: Tensor
    names: Tensor
    merged: Tensor


def truth_of(pictures: Pictures, merged: Tensor) -> Truth:
    """What stands in the middle of every four pixels."""
    kinds, things = (t[:, 2::4, 2::4] for t in (pictures.kinds, pictures.things))
    return Truth(kinds, things, pictures.names, merged)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScenes:
    """Photoreal scenes of a folder.

    Attributes
    ----------
    image : Tensor, uint8 (N, 3, S, S)
    label : Tensor, uint8 (N, S, S)
        Wall, support, plate, frame, then body and details of each thing in turn.
    names : Tensor, int64 (N, MOST)
        Index into `NAMES` of each thing; -1 where there is none.
    """

    image: Tensor
    label: Tensor
    names: Tensor


def read_scenes(folder: Path, size: int = SIDE) -> LabelledScenes:
    """Every scene of a folder that `reference_models.photoreal.generate` filled."""
    records = [json.loads(line) for line in (folder / "scenes.jsonl").read_text().splitlines()]
    images, labels, names = [], [], np.full((len(records), MOST), -1)
    for row, record in enumerate(records):
        with Image.open(folder / f"{record['number']:05d}.jpg") as file:
            images.append(np.array(file.convert("RGB").resize((size, size))))
        with Image.open(folder / f"{record['number']:05d}.png") as file:
            labels.append(np.array(file.resize((size, size), Image.Resampling.NEAREST)))
        for k, one in enumerate(record["drawn"][:MOST]):
            names[row, k] = NAMES.index(one["name"]) if one["name"] in NAMES else OTHER
    image = torch.as_tensor(np.stack(images), device=torch.get_default_device())
    return LabelledScenes(
        image.permute(0, 3, 1, 2).contiguous(),
        torch.as_tensor(np.stack(labels), device=image.device),
        torch.as_tensor(names, device=image.device),
    )


def photoreal(scenes: LabelledScenes, rows: Tensor, g: torch.Generator) -> Pictures:
    """Some of the scenes, each mirrored, cropped and degraded by chance."""
    n = len(rows)
    zoomed = torch.rand(n, generator=g) < 0.6
    zoom = torch.where(zoomed, uniform(0.55, 1.0, n, g), torch.ones(n))
    mirrored = 1 - 2 * (torch.rand(n, generator=g) < 0.5).float()
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = zoom * mirrored, zoom
    theta[:, :, 2] = uniform(-1, 1, 2 * n, g).view(n, 2) * (1 - zoom)[:, None]
    image = affine(theta, scenes.image[rows].float() / 255, SIDE, "border")
    grid = F.affine_grid(theta, [n, 1, SIDE, SIDE], align_corners=False)
    seen = F.grid_sample(
        scenes.label[rows][:, None].float(), grid, "nearest", "border", align_corners=False
    )
    label = seen[:, 0].round().long()
    return _labelled(degrade(image.clamp(0, 1), g), label, scenes.names[rows])


def whole(scenes: LabelledScenes, rows: Tensor) -> Pictures:
    """Some of the scenes as they are."""
    image, label = scenes.image[rows].float() / 255, scenes.label[rows].long()
    return _labelled(image, label, scenes.names[rows])


def _labelled(image: Tensor, label: Tensor, names: Tensor) -> Pictures:
    things = torch.where(label >= 4, (label - 4) // 2 + 1, 0).byte()
    return Pictures(image, _OF_LABEL.to(label.device)[label].byte(), things, names)


def cut_from_scenes(scenes: LabelledScenes, size: int = 160) -> Material:
    """The things of photoreal scenes as icons with transparency, whole ones alone."""
    side = scenes.label.shape[-1]
    icons, names = [], []
    for row, label in enumerate(scenes.label.cpu()):
        for k, name in enumerate(scenes.names[row].tolist()):
            mask = (label == 4 + 2 * k) | (label == 5 + 2 * k)
            ys, xs = mask.nonzero(as_tuple=True)
            # None that the edge of the picture cuts.
            if name < 0 or len(ys) < 0.02 * mask.numel() or min(int(ys.min()), int(xs.min())) == 0:
                continue
            top, bottom, left, right = (int(v) for v in (ys.min(), ys.max(), xs.min(), xs.max()))
            if max(bottom, right) >= side - 1:
                continue
            half = max(bottom - top, right - left) / 2 + 2
            theta = torch.tensor([[
                [2 * half / side, 0, (left + right + 1) / side - 1],
                [0, 2 * half / side, (top + bottom + 1) / side - 1],
            ]])  # fmt: skip
            alpha = (255 * mask.to(theta.device))[None].to(torch.uint8)
            layer = torch.cat([scenes.image[row], alpha])[None].float()
            icons.append(affine(theta, layer, size)[0].round().byte())
            names.append(name)
    return Material(torch.stack(icons), torch.tensor(names), torch.empty(0))
