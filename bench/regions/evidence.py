"""Dense CLIP evidence: the probability of each class at each patch, and that a subject is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.regions.nouns import Nouns, embed_noun

if TYPE_CHECKING:
    import torch

    from bench.clip.model import Clip

#: An image longer than this times its short side is seen in several pieces.
_LONGEST = 2.0
_MOST_PIECES = 8
#: Side of a window as a share of the image's, and the least image that is worth windows.
_WINDOW = 0.625
_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class EvidenceOptions:
    """Constants of the evidence, measured for each CLIP where they can be.

    Attributes
    ----------
    scale : float
        Inverse temperature of the patches.
    asked : float
        Log odds in favour of a subject that the prompt names, against other subjects.
    thing : float
        Log odds in favour of things, against the background.
    whole : float
        Weight, at each patch, of what the whole view shows.
    overview : float
        Trust in the whole image beside windows of it, whose middle has trust 1.
    neighbour : float
        Least probability, at its best places, of a neighbour that is there; the places of one
        that is not are shared among the rest, or it would take colours that are not its own.
    presence : tuple of float
        Logistic regression of presence: intercept, and the weights of the measures of
        `presence_measures`.
    """

    scale: float = 16.0
    asked: float = 4.0
    thing: float = 0.5
    whole: float = 0.5
    overview: float = 0.3
    neighbour: float = 0.35
    presence: tuple[float, ...] = (-2.0, 2.5, 2.5, 5.5)


#: For a CLIP that nothing was measured for: the temperature that CLIPs are trained to.
OPEN = EvidenceOptions(scale=60.0, asked=1.0, thing=0.0, whole=0.2, presence=(-2.0, 2.0, 2.0, 2.0))


def pieces(image: np.ndarray) -> list[np.ndarray]:
    """Cut an image much longer than wide into pieces that are nearly square."""
    height, width = image.shape[:2]
    short, long = min(height, width), max(height, width)
    if long <= _LONGEST * short:
        return [image]
    count = min(_MOST_PIECES, long, -(-long // (short * 3 // 2 + 1)))
    return list(np.array_split(image, max(2, count), axis=0 if height > width else 1))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What CLIP says of one image.

    Attributes
    ----------
    words : Tensor, float32 (words, h, w)
        Probability of each word at each place; sums to 1 over the words.
    whole : Tensor, float32 (subjects,)
        Share of each asked subject among all known ones, in the view that shows it best.
    """

    words: torch.Tensor
    whole: torch.Tensor


def views(height: int, width: int, subjects: int) -> list[tuple[int, int, int, int]]:
    """Windows (top, left, height, width) in which an image is seen, the whole image first.

    Where a prompt names several subjects each is small, and a CLIP that was trained on whole
    pictures of one thing knows it better in a window of its own: four that overlap cover the image.
    """
    whole = [(0, 0, height, width)]
    if subjects < 2 or min(height, width) < _LEAST_SIDE:
        return whole
    h, w = round(_WINDOW * height), round(_WINDOW * width)
    return whole + [(y, x, h, w) for y in (0, height - h) for x in (0, width - w)]


def look(
    clip: Clip, images: Sequence[np.ndarray], nouns: Sequence[Nouns], options: EvidenceOptions
) -> list[Seen]:
    """Look for the words of each prompt in its image."""
    import torch

    if not images:
        return []
    windows = [
        views(image.shape[0], image.shape[1], len(one.subjects))
        for image, one in zip(images, nouns, strict=True)
    ]
    crops = [
        np.ascontiguousarray(image[y : y + h, x : x + w])
        for image, views_ in zip(images, windows, strict=True)
        for y, x, h, w in views_
    ]
    dense, pooled = _encoded(clip, crops)
    tables: dict[tuple[str, ...], torch.Tensor] = {}
    out, start = [], 0
    for image, views_, one in zip(images, windows, nouns, strict=True):
        if one.words not in tables:
            tables[one.words] = torch.stack([embed_noun(clip, word) for word in one.words])
        end = start + len(views_)
        out.append(
            _seen(
                dense[start:end], pooled[start:end], tables[one.words], image, views_, one, options
            )
        )
        start = end
    return out


def _encoded(
    clip: Clip, crops: Sequence[np.ndarray]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Dense (h, w, D) and pooled (D,) features of each crop, long ones seen in pieces."""
    import torch

    cut = [pieces(crop) for crop in crops]
    flat = [piece for parts in cut for piece in parts]
    patches, wholes = clip.dense(flat), clip.encode_image(flat)
    dense, pooled, start = [], [], 0
    for crop, parts in zip(crops, cut, strict=True):
        end = start + len(parts)
        dense.append(torch.cat(list(patches[start:end]), 0 if crop.shape[0] > crop.shape[1] else 1))
        pooled.append(torch.nn.functional.normalize(wholes[start:end].mean(0), dim=0))
        start = end
    return dense, pooled


def _seen(
    dense: Sequence[torch.Tensor],
    pooled: Sequence[torch.Tensor],
    table: torch.Tensor,
    image: np.ndarray,
    windows: Sequence[tuple[int, int, int, int]],
    nouns: Nouns,
    options: EvidenceOptions,
) -> Seen:
    """Join the views of one image: log probabilities, averaged where views overlap."""
    import torch
    import torch.nn.functional as F

    things = torch.tensor(nouns.things)
    whole = torch.log_softmax(options.scale * torch.stack(list(pooled)) @ table[things].T, dim=1)
    height, width = image.shape[:2]
    rows, columns = dense[0].shape[:2]
    if len(windows) > 1:
        rows, columns = 4 * rows, 4 * columns
    total = torch.zeros(len(table), rows, columns)
    weight = torch.zeros(1, rows, columns)
    for number, (patches, (y, x, h, w)) in enumerate(zip(dense, windows, strict=True)):
        logits = options.scale * torch.einsum("hwd,kd->khw", patches, table)
        logits[things] += options.whole * whole[number].clamp(min=-6.0)[:, None, None]
        chance = torch.log_softmax(logits, 0)
        if len(windows) == 1:
            total, weight = chance, weight + 1
            break
        top, left = round(y / height * rows), round(x / width * columns)
        size = (round(h / height * rows), round(w / width * columns))
        chance = F.interpolate(chance[None], size, mode="bilinear", align_corners=False)[0]
        trust = _taper(*size) if number else torch.full((1, *size), options.overview)
        place = (slice(None), slice(top, top + size[0]), slice(left, left + size[1]))
        total[place] += chance * trust
        weight[place] += trust
    # The asked subjects are the first things.
    best = whole.exp().amax(0)[: len(nouns.subjects)]
    return Seen(torch.softmax(total / weight, 0), best)


def _taper(height: int, width: int) -> torch.Tensor:
    """Trust in a window, (1, height, width): most in its middle, where nothing is cut off."""
    import torch

    down, across = (
        torch.minimum(torch.arange(n) + 0.5, n - 0.5 - torch.arange(n)) / n for n in (height, width)
    )
    return (4 * down[:, None] * across).clamp(min=0.04)[None]


def class_chances(words: torch.Tensor, nouns: Nouns, options: EvidenceOptions) -> torch.Tensor:
    """Probability of each class at each patch, (classes, h, w).

    What looks like a subject is shared among the subjects, with the asked ones favoured; then
    things are favoured against the background, which coarse patches overrate.
    """
    import torch

    slots = torch.tensor(nouns.slots)
    chance = torch.zeros(nouns.classes, *words.shape[1:]).index_add_(0, slots, words)
    count, other = len(nouns.subjects), nouns.classes - 2
    asked = chance[:count] * float(np.exp(options.asked))
    total = chance[:count].sum(0) + chance[other]
    share = total / (asked.sum(0) + chance[other]).clamp(min=1e-9)
    chance = torch.cat(
        [
            asked * share,
            chance[count:other],
            (chance[other] * share)[None],
            chance[-1:] * float(np.exp(-options.thing)),
        ]
    )
    chance = chance / chance.sum(0)
    beside = chance[count : other + 1].flatten(1)
    best = beside.topk(min(4, beside.shape[1]), dim=1).values.mean(1)
    chance[count : other + 1] *= (best >= options.neighbour).float()[:, None, None]
    return chance / chance.sum(0).clamp(min=1e-9)


def presence_measures(seen: Seen) -> torch.Tensor:
    """Three measures of presence of each asked subject, (subjects, 3), each in [0, 1].

    The probability at the best places, at the very best one, and the share among all known
    subjects in the view that shows it best.
    """
    import torch

    count = len(seen.whole)
    flat = seen.words.flatten(1)[:count]
    strength = flat.topk(min(4, flat.shape[1]), dim=1).values.mean(1)
    return torch.stack([strength, flat.amax(1), seen.whole], 1)


def presence(seen: Seen, options: EvidenceOptions) -> np.ndarray:
    """Probability that each asked subject is in the image at all, float32 (K,)."""
    import torch

    intercept, *weights = options.presence
    logits = intercept + presence_measures(seen) @ torch.tensor(weights)
    return torch.sigmoid(logits).numpy().astype(np.float32)
