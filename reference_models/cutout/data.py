"""Pictures to learn from: things of the rendered world and icons, over scenes and photographs.

A third of them are scenes of the rendered world. The rest are composed: any thing, in its own
colours or in one or two paints, on a photograph, a texture, a wall or a plate, beside up to two
others. What is learned is to cut out whatever stands before the rest, and to name it where it is
one of the subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.clip.augment import degrade, zoom
from reference_models.clip.data import JUDGE
from reference_models.cutout.layers import (
    backgrounds,
    frames,
    paints,
    plates,
    recoloured,
    thing_layer,
    uniform,
)
from reference_models.cutout.material import OTHER, Material
from reference_models.cutout.net import KINDS, SIDE
from reference_models.world.render import render
from reference_models.world.scene import sample_scenes
from reference_models.world.statistics import balanced

_THING, _PLATE, _FRAME = (KINDS.index(k) for k in ("thing", "plate", "picture frame"))


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


def composed(n: int, material: Material, g: torch.Generator, size: int = SIDE) -> Batch:
    """Compose ``n`` pictures."""
    palette = torch.stack([paints(n, g) for _ in range(4)])
    image = backgrounds(n, material.photos, palette[0], size, g)
    kinds = torch.zeros(n, len(KINDS), size, size)
    kinds[:, 0] = 1
    names = torch.full((n, size, size), -1)
    there = torch.rand(3, n, generator=g) < torch.tensor([[0.88], [0.35], [0.08]])
    pair = there[1]
    scale = torch.where(pair, uniform(0.25, 0.5, n, g), uniform(0.3, 0.85, n, g))
    side = torch.where(torch.rand(n, generator=g) < 0.5, 1.0, -1.0)
    cx = torch.where(pair, -0.48 * side, uniform(-0.6, 0.6, n, g) * (1 - scale))
    cy = uniform(-0.9, 0.9, n, g) * (1 - scale)

    def lay(layer: Tensor, mask: Tensor, kind: int) -> None:
        nonlocal image, kinds
        image = image * (1 - mask) + layer * mask
        kinds = kinds * (1 - mask)
        kinds[:, kind] += mask[:, 0]

    def like(base: Tensor, p: float) -> Tensor:
        """Sometimes the colour of the background: leaks are such pictures."""
        return torch.where(torch.rand(n, 1, generator=g) < p, palette[0], base)

    framed = (torch.rand(n, 1, 1, 1, generator=g) < 0.12).float()
    layer, mask = frames(n, like(palette[3], 0.1), size, g)
    lay(layer, mask * framed, _FRAME)
    plated = (torch.rand(n, generator=g) < 0.33) & ~pair
    reach = torch.minimum(scale * uniform(1.1, 1.8, n, g), torch.tensor(0.98))
    layer, mask = plates(n, like(palette[1], 0.1), cx, cy + 0.1 * scale, reach, size, g)
    scale = torch.where(plated, torch.minimum(scale, 0.8 * reach), scale)
    lay(layer, mask * plated.view(n, 1, 1, 1), _PLATE)

    known = (material.names < OTHER).nonzero()[:, 0]
    for slot in range(3):
        if slot == 1:
            scale = scale * uniform(0.8, 1.2, n, g)
            cx, cy = 0.48 * side, (cy + uniform(-0.2, 0.2, n, g)).clamp(-0.6, 0.6)
        elif slot == 2:
            scale = uniform(0.12, 0.3, n, g)
            cx, cy = uniform(-0.8, 0.8, n, g), uniform(-0.8, 0.8, n, g)
        rows = there[slot].nonzero()[:, 0]
        m = len(rows)
        if not m:
            continue
        pick = torch.randint(len(material.icons), (m,), generator=g)
        known_pick = known[torch.randint(len(known), (m,), generator=g)]
        pick = torch.where(torch.rand(m, generator=g) < 0.55, known_pick, pick)
        straight = thing_layer(material.icons[pick], cx[rows], cy[rows], scale[rows], 0.3, size, g)
        mine = torch.where(torch.rand(m, 1, generator=g) < 0.12, palette[0][rows], paints(m, g))
        on_plate = (torch.rand(m, 1, generator=g) < 0.1) & plated[rows, None]
        mine = torch.where(on_plate, palette[1][rows], mine)
        straight = recoloured(straight, mine, paints(m, g), g)
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
