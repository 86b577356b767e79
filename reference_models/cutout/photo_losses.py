"""What the training of the decoder over photographs makes small, and what it is measured by.

References
----------
Hinton, Vinyals, Dean. Distilling the knowledge in a neural network. 2015. arXiv:1503.02531.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.backbone import Backbone
from reference_models.cutout.photo_data import MOST, Truth
from reference_models.cutout.photo_decoder import KINDS, NAMES, OTHER, PhotoDecoder

#: Weights of the kinds in the cross entropy.
_WEIGHTS = (1.0, 1.5, 2.0, 2.5, 1.0)
#: Least share of the picture of a thing that is asked for.
_LEAST_ASKED = 0.0015
#: Chance that a seed is what the network says of the thing's name, and that a made one lies on some
#: other place as well.
_OF_NAME, _STRAY = 0.4, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """What is asked of each picture: coarse seeds, and the mask that should come of them.

    Attributes
    ----------
    own, rival : Tensor, float (N, 1, h, w)
    mask : Tensor, float (N, 1, H/4, W/4)
    valid : Tensor, bool (N,)
        Whether there is a thing to be asked for.
    asked : Tensor, int64 (N,)
        Index of the thing.
    """

    own: Tensor
    rival: Tensor
    mask: Tensor
    valid: Tensor
    asked: Tensor


def drawn_seeds(things: Tensor, g: torch.Generator, stray: float = 0.0) -> Seeds:
    """Seeds as coarse evidence gives them: on the thing, about a part of it, with some noise.

    Parameters
    ----------
    things : Tensor, uint8 (N, H/4, W/4)
    g : torch.Generator
    stray : float
        Chance that the seed of a thing lies, more weakly, on another place too.
    """
    n, size = len(things), things.shape[-1]
    masks = things[:, None] == torch.arange(1, MOST + 1).view(1, -1, 1, 1)
    masks = masks.float()
    area = masks.mean((2, 3))
    worth = (area > _LEAST_ASKED).float() * torch.rand(area.shape, generator=g)
    best, target = worth.max(1)
    mask = masks[torch.arange(n), target][:, None]
    worth[torch.arange(n), target] = 0
    second, other = worth.max(1)
    rivalled = (second > 0) & (torch.rand(n, generator=g) < 0.7)
    rival = masks[torch.arange(n), other][:, None] * rivalled.view(n, 1, 1, 1)
    alone = (second == 0) & (torch.rand(n, generator=g) < 0.3)
    blurred = _blurred(mask, g)
    if stray:
        places = _blurred(torch.ones_like(mask), g)
        weight = 0.8 * torch.rand(n, 1, 1, 1, generator=g)
        weight = weight * (torch.rand(n, 1, 1, 1, generator=g) < stray)
        blurred = torch.maximum(blurred, weight * places) * (best > 0).view(n, 1, 1, 1)
    own = torch.where(alone.view(n, 1, 1, 1), F.avg_pool2d(mask, size // 8), blurred)
    return Seeds(own, _blurred(rival, g), mask, best > 0, target)


def named_seeds(
    seeds: Seeds, truth: Truth, kinds: Tensor, names: Tensor, g: torch.Generator
) -> Seeds:
    """Some seeds as the network itself has them: where it says the name of the asked thing.

    Only where at least a third of that lies on the thing: another thing is not to be learned.
    """
    n = len(seeds.mask)
    noun = truth.names[torch.arange(n), seeds.asked]
    thing = F.avg_pool2d(kinds.softmax(1)[:, 1:2], 4)
    said = names.softmax(1)[torch.arange(n), noun.clamp(min=0)][:, None] * thing
    said = F.avg_pool2d(said, said.shape[-1] // seeds.own.shape[-1])
    said = said / said.amax((2, 3), keepdim=True).clamp(min=1e-6)
    inside = F.avg_pool2d(seeds.mask, seeds.mask.shape[-1] // said.shape[-1]) > 0
    right = (said * inside).sum((1, 2, 3)) > said.sum((1, 2, 3)) / 3
    taken = right & (noun >= 0) & (noun < OTHER) & (torch.rand(n, generator=g) < _OF_NAME)
    own = torch.where(taken.view(n, 1, 1, 1), said, seeds.own)
    return replace(seeds, own=own)


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


def losses(model: PhotoDecoder, features: list[Tensor], truth: Truth, g: torch.Generator) -> Tensor:
    """Cross entropy of kinds, of names, of asked masks, and overlap of the masks: (4,).

    Parameters
    ----------
    model : PhotoDecoder
    features : list of Tensor
        Of the backbone.
    truth : Truth
    g : torch.Generator
    """
    device = truth.merged.device
    at = truth.kinds.long()
    seeds = drawn_seeds(truth.things, g, _STRAY)
    with torch.autocast(device.type, torch.bfloat16, enabled=_fast(device)):
        kinds, names, seen = model(features)
        seeds = named_seeds(seeds, truth, kinds.detach().float(), names.detach().float(), g)
        asked = model.query(seen, kinds.detach(), seeds.own, seeds.rival)
    kinds, names, asked = kinds.float(), names.float(), asked.float()
    log = F.log_softmax(kinds, 1)
    behind = torch.logsumexp(log[:, [0, 4]], 1)
    either = truth.merged.view(-1, 1, 1) & ((at == 0) | (at == 4))
    right = torch.where(either, behind, log.gather(1, at[:, None])[:, 0])
    weight = torch.tensor(_WEIGHTS)[at]
    entropy = -(right * weight).sum() / weight.sum()
    valid = seeds.valid.view(-1, 1, 1, 1).float()
    cross = F.binary_cross_entropy_with_logits(asked, seeds.mask, reduction="none")
    # Of a small thing few pixels speak.
    small = (0.06 / seeds.mask.mean((1, 2, 3), keepdim=True).clamp(min=1e-3)).sqrt().clamp(1, 4)
    grown = (cross * valid * (1 + 2 * seeds.mask * small)).mean()
    chance = asked.sigmoid()
    both = (chance * seeds.mask).sum((1, 2, 3))
    overlap = 1 - (2 * both + 1) / (chance.sum((1, 2, 3)) + seeds.mask.sum((1, 2, 3)) + 1)
    return torch.stack([
        entropy, 0.3 * naming(names, truth), grown, 0.5 * (overlap * valid.flatten()).mean()
    ])  # fmt: skip


def naming(names: Tensor, truth: Truth) -> Tensor:
    """Cross entropy of names at places, and of their mean logits over each thing."""
    things = pooled_names(names, truth.things)
    called = torch.where(things.isfinite().all(2), truth.names, -1)
    places = _naming(names.flatten(2).transpose(1, 2), names_at(truth).flatten(1))
    return 0.5 * (places + _naming(things.nan_to_num(), called))


def _naming(logits: Tensor, called: Tensor) -> Tensor:
    """Mean cross entropy of logits (N, P, C) where something is called (N, P), else zero."""
    balance = torch.ones(len(NAMES))
    balance[OTHER] = 0.4
    total = F.cross_entropy(
        logits.flatten(0, 1), called.flatten(), balance, ignore_index=-1, reduction="sum"
    )
    return total / balance[called[called >= 0]].sum().clamp(min=1)


def pooled_names(names: Tensor, things: Tensor) -> Tensor:
    """Mean logits over each thing (N, MOST, C); NaN of those of less than a third of a place."""
    inside = things[:, None] == torch.arange(1, MOST + 1).view(1, -1, 1, 1)
    share = F.avg_pool2d(inside.float(), things.shape[-1] // names.shape[-1]).flatten(2)
    total = share.sum(2, keepdim=True)
    mean = share @ names.flatten(2).transpose(1, 2) / total.clamp(min=1e-3)
    return torch.where(total > 0.33, mean, torch.nan)


def names_at(truth: Truth) -> Tensor:
    """Index into `NAMES` at a sixteenth of the size, int64 (N, H/16, W/16); -1 of no thing."""
    coarse = truth.things[:, 2::4, 2::4].long()
    called = truth.names.gather(1, (coarse - 1).clamp(min=0).flatten(1)).view_as(coarse)
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
    model: PhotoDecoder, features: list[Tensor], truth: Truth, g: torch.Generator
) -> dict[str, float]:
    """Intersection over union of kinds and of asked masks, share of things named right."""
    model.eval()
    kinds, names, seen = model(features)
    seeds = drawn_seeds(truth.things, g)
    asked = model.query(seen, kinds, seeds.own, seeds.rival).sigmoid() > 0.5
    found = {}
    guess = kinds.argmax(1)
    for k, kind in enumerate(KINDS):
        both = ((guess == k) & (truth.kinds == k)).sum()
        found[kind] = float(both / ((guess == k) | (truth.kinds == k)).sum().clamp(min=1))
    mask = seeds.mask > 0.5
    each = (asked & mask).sum((1, 2, 3)) / (asked | mask).sum((1, 2, 3)).clamp(min=1)
    found["asked"] = float(each[seeds.valid].mean())
    things = pooled_names(names, truth.things)
    seen_whole = things.isfinite().all(2)
    for title, few, most in (("named", 0, len(SUBJECT_NAMES)),
                             ("everyday", len(SUBJECT_NAMES), OTHER)):  # fmt: skip
        known = seen_whole & (truth.names >= few) & (truth.names < most)
        found[title] = float((things.nan_to_num().argmax(2) == truth.names)[known].float().mean())
    return {key: round(value, 3) for key, value in found.items()}
