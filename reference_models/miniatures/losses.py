"""What a miniature learns by where transformers has no loss for its class."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_models.miniatures.scenes import Lesson


def centred(boxes: Tensor) -> Tensor:
    """Corners as centre and size."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def cornered(boxes: Tensor) -> Tensor:
    """Centre and size as corners."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centre - size / 2, centre + size / 2], -1)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised intersection over union of corners (..., 4) (Rezatofighi et al. 2019)."""

    def area(low: Tensor, high: Tensor) -> Tensor:
        return (high - low).clamp(min=0).prod(-1)

    both = area(torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:]))
    either = area(a[..., :2], a[..., 2:]) + area(b[..., :2], b[..., 2:]) - both
    hull = area(torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:]))
    return both / either.clamp(min=1e-6) - (hull - either) / hull.clamp(min=1e-6)


def mask_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross entropy and Dice of masks (N, h, w), a value each."""
    entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none").mean((1, 2))
    chance = logits.sigmoid()
    shared = 2 * (chance * masks).sum((1, 2)) + 1
    return 5 * entropy + 1 - shared / (chance.sum((1, 2)) + masks.sum((1, 2)) + 1)


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Sum of the focal loss (Lin et al. 2017)."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    chance = logits.sigmoid()
    wrong = target * (1 - chance) + (1 - target) * chance
    weight = 0.25 * target + 0.75 * (1 - target)
    return (weight * wrong**2 * entropy).sum()


def matched(logits: Tensor, boxes: Tensor, true: Tensor) -> Tensor:
    """Index (N,) of the box that answers best: DETR's matching where there is one true box."""
    with torch.no_grad():
        away = (boxes - true[:, None]).abs().sum(-1)
        overlap = giou(cornered(boxes), cornered(true)[:, None])
        return (2 * logits.sigmoid() - 5 * away + 2 * overlap).argmax(1)


def one_box_loss(
    logits: Tensor, boxes: Tensor, lesson: Lesson, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss of words that are there once or not at all, and the boxes that answer.

    Parameters
    ----------
    logits : Tensor (B, W, Q)
    boxes : Tensor (B, W, Q, 4)
        Centre and size.
    lesson : Lesson
    scale : Tensor (4,)
        Factor from shares of the picture to shares of what the model sees.
    """
    there = lesson.there
    true = centred(lesson.boxes[there] * scale)
    own = boxes[there]
    best = matched(logits[there], own, true)
    target = torch.zeros_like(logits[there]).scatter_(1, best[:, None], 1.0)
    full = torch.zeros_like(logits)
    full[there] = target
    chosen = own.gather(1, best[:, None, None].expand(-1, 1, 4))[:, 0]
    count = max(len(true), 1)
    away = (chosen - true).abs().sum()
    apart = (1 - giou(cornered(chosen), cornered(true))).sum()
    return (2 * focal(logits, full) + 5 * away + 2 * apart) / count, best
