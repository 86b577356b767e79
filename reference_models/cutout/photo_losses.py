"""What the training of the decoder over photographs makes small, and what it is measured by.

References
----------
Hinton, Vinyals, Dean. Distilling the knowledge in a neural network. 2015. arXiv:1503.02531.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.cutout.backbone import Backbone
from reference_models.cutout.material import OTHER
from reference_models.cutout.photo_data import Pictures
from reference_models.cutout.photo_decoder import KINDS, NAMES, PhotoDecoder

#: Weights of the kinds in the cross entropy.
_WEIGHTS = (1.0, 1.5, 2.0, 2.5, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """What is asked of each picture: coarse seeds, and the mask that should come of them.

    Attributes
    ----------
    own, rival : Tensor, float (N, 1, h, w)
    mask : Tensor, float (N, 1, H/4, W/4)
    valid : Tensor, bool (N,)
        Whether there is a thing to be asked for.
    """

    own: Tensor
    rival: Tensor
    mask: Tensor
    valid: Tensor


def drawn_seeds(things: Tensor, g: torch.Generator) -> Seeds:
    """Seeds as coarse evidence gives them: on the thing, about a part of it, with some noise."""
    n, size = len(things), things.shape[-1]
    masks = torch.stack([things == k for k in (1, 2, 3)], 1).float()
    area = masks.mean((2, 3))
    worth = (area > 0.004).float() * torch.rand(area.shape, generator=g)
    best, target = worth.max(1)
    mask = masks[torch.arange(n), target][:, None]
    worth[torch.arange(n), target] = 0
    second, other = worth.max(1)
    asked = (second > 0) & (torch.rand(n, generator=g) < 0.7)
    rival = masks[torch.arange(n), other][:, None] * asked.view(n, 1, 1, 1)
    alone = (second == 0) & (torch.rand(n, generator=g) < 0.3)
    blurred = _blurred(mask, g)
    own = torch.where(alone.view(n, 1, 1, 1), F.avg_pool2d(mask, size // 8), blurred)
    return Seeds(own, _blurred(rival, g), mask, best > 0)


def _blurred(mask: Tensor, g: torch.Generator) -> Tensor:
    n, size = len(mask), mask.shape[-1]
    share = F.avg_pool2d(mask, size // 8)
    place = (share * torch.rand(share.shape, generator=g)).flatten(1).argmax(1)
    axis = torch.arange(8.0)
    far = (axis.view(1, 8, 1) - (place // 8).view(n, 1, 1)) ** 2
    far = far + (axis.view(1, 1, 8) - (place % 8).view(n, 1, 1)) ** 2
    reach = (0.8 + 4 * torch.rand(n, 1, 1, generator=g)) ** 2
    part = torch.exp(-far / (2 * reach))[:, None]
    own = share.sqrt() * part
    soft = F.avg_pool2d(F.pad(own, (1, 1, 1, 1), mode="replicate"), 3, 1)
    own = torch.lerp(own, soft, torch.rand(n, 1, 1, 1, generator=g))
    noise = torch.rand(own.shape, generator=g) * torch.rand(n, 1, 1, 1, generator=g) * 0.25
    there = (mask.amax((1, 2, 3), keepdim=True) > 0).float()
    return ((own + noise) / (own + noise).amax((2, 3), keepdim=True).clamp(min=1e-3)) * there


def losses(
    model: PhotoDecoder, features: list[Tensor], pictures: Pictures, merged: Tensor,
    g: torch.Generator,
) -> Tensor:  # fmt: skip
    """Cross entropy of kinds, of names, of asked masks, and overlap of the masks: (4,).

    Parameters
    ----------
    model : PhotoDecoder
    features : list of Tensor
        Of the backbone.
    pictures : Pictures
        At full size.
    merged : Tensor, bool (N,)
        Pictures that do not tell wall from support: the composed ones.
    g : torch.Generator
    """
    device = merged.device
    truth, things = pictures.kinds[:, 2::4, 2::4].long(), pictures.things[:, 2::4, 2::4]
    seeds = drawn_seeds(things, g)
    with torch.autocast(device.type, torch.bfloat16, enabled=_fast(device)):
        kinds, names, seen = model(features)
        asked = model.query(seen, kinds.detach(), seeds.own, seeds.rival)
    kinds, names, asked = kinds.float(), names.float(), asked.float()
    log = F.log_softmax(kinds, 1)
    behind = torch.logsumexp(log[:, [0, 4]], 1)
    either = merged.view(-1, 1, 1) & ((truth == 0) | (truth == 4))
    right = torch.where(either, behind, log.gather(1, truth[:, None])[:, 0])
    weight = torch.tensor(_WEIGHTS)[truth]
    entropy = -(right * weight).sum() / weight.sum()
    balance = torch.ones(len(NAMES))
    balance[OTHER] = 0.4
    naming = F.cross_entropy(names, names_at(pictures), balance, ignore_index=-1)
    valid = seeds.valid.view(-1, 1, 1, 1).float()
    cross = F.binary_cross_entropy_with_logits(asked, seeds.mask, reduction="none")
    grown = (cross * valid * (1 + 2 * seeds.mask)).mean()
    chance = asked.sigmoid()
    both = (chance * seeds.mask).sum((1, 2, 3))
    overlap = 1 - (2 * both + 1) / (chance.sum((1, 2, 3)) + seeds.mask.sum((1, 2, 3)) + 1)
    return torch.stack([entropy, 0.3 * naming, grown, 0.5 * (overlap * valid.flatten()).mean()])


def names_at(pictures: Pictures) -> Tensor:
    """Index into `NAMES` at a sixteenth of the size, int64 (N, H/16, W/16); -1 of no thing."""
    coarse = pictures.things[:, 10::16, 10::16].long()
    called = pictures.names.gather(1, (coarse - 1).clamp(min=0).flatten(1)).view_as(coarse)
    return torch.where(coarse > 0, called, torch.tensor(-1))


def _fast(device: torch.device) -> bool:
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


def seen_by(backbone: Backbone, image: Tensor) -> list[Tensor]:
    """Features of images (N, 3, H, W) in [0, 1], float32."""
    x = (image * 2 - 1).contiguous(memory_format=torch.channels_last)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=_fast(x.device)):
        features = backbone(x)
    return [f.float() for f in features]


def drift(backbone: Backbone, before: Backbone, last: Tensor, image: Tensor) -> Tensor:
    """Divergence of what is said of ImageNet's classes, of places and of the mean, from before."""
    with torch.no_grad():
        old = before.evidence(seen_by(before, image)[-1])
    new = backbone.evidence(last)
    total = torch.zeros(())
    for a, b in ((new, old), (new.mean((2, 3), keepdim=True), old.mean((2, 3), keepdim=True))):
        a, b = F.log_softmax(a, 1), F.log_softmax(b, 1)
        total = total + F.kl_div(a, b, log_target=True, reduction="none").sum(1).mean()
    return total


@torch.no_grad()
def measured(
    model: PhotoDecoder, backbone: Backbone, pictures: Pictures, g: torch.Generator
) -> dict[str, float]:
    """Intersection over union of kinds and of asked masks, share of things named right."""
    model.eval()
    kinds, names, seen = model(seen_by(backbone, pictures.image))
    seeds = drawn_seeds(pictures.things[:, 2::4, 2::4], g)
    asked = model.query(seen, kinds, seeds.own, seeds.rival).sigmoid() > 0.5
    found = {}
    guess, true = kinds.argmax(1), pictures.kinds[:, 2::4, 2::4]
    for k, kind in enumerate(KINDS):
        both = ((guess == k) & (true == k)).sum()
        found[kind] = float(both / ((guess == k) | (true == k)).sum().clamp(min=1))
    mask = seeds.mask > 0.5
    each = (asked & mask).sum((1, 2, 3)) / (asked | mask).sum((1, 2, 3)).clamp(min=1)
    found["asked"] = float(each[seeds.valid].mean())
    called = names_at(pictures)
    known = (called < OTHER) & (called >= 0)
    found["named"] = float((names.argmax(1) == called)[known].float().mean())
    return {key: round(value, 3) for key, value in found.items()}
