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
    presence : tuple of float
        Logistic regression of presence: intercept, and the weights of the two measures of
        `presence_measures`.
    """

    scale: float = 16.0
    asked: float = 2.0
    thing: float = 0.5
    presence: tuple[float, ...] = (-3.0, 4.0, 4.0)


#: For a CLIP that nothing was measured for: the temperature that CLIPs are trained to.
OPEN = EvidenceOptions(scale=60.0, asked=1.0, thing=0.0, presence=(-2.0, 3.0, 3.0))


def pieces(image: np.ndarray) -> list[np.ndarray]:
    """Cut an image much longer than wide into pieces that are nearly square."""
    height, width = image.shape[:2]
    short, long = min(height, width), max(height, width)
    if long <= _LONGEST * short:
        return [image]
    count = min(_MOST_PIECES, long, -(-long // (short * 3 // 2 + 1)))
    return list(np.array_split(image, max(2, count), axis=0 if height > width else 1))


def word_chances(
    clip: Clip, images: Sequence[np.ndarray], nouns: Sequence[Nouns], options: EvidenceOptions
) -> list[torch.Tensor]:
    """Probability of each word at each patch of each image, (words, h, w)."""
    import torch

    cut = [pieces(image) for image in images]
    flat = clip.dense([piece for parts in cut for piece in parts])
    tables: dict[tuple[str, ...], torch.Tensor] = {}
    out, start = [], 0
    for image, parts, one in zip(images, cut, nouns, strict=True):
        if one.words not in tables:
            tables[one.words] = torch.stack([embed_noun(clip, word) for word in one.words])
        patches = flat[start : start + len(parts)]
        start += len(parts)
        joined = torch.cat(list(patches), 0 if image.shape[0] > image.shape[1] else 1)
        logits = options.scale * torch.einsum("hwd,kd->khw", joined, tables[one.words])
        out.append(torch.softmax(logits, 0))
    return out


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
    return chance / chance.sum(0)


def presence_measures(words: torch.Tensor, count: int) -> torch.Tensor:
    """Two measures of presence for the first ``count`` words, (count, 2), each in [0, 1].

    The probability at the best patches, and the word's share among all subjects there.
    """
    import torch

    flat = words.flatten(1)
    best = flat[:count].topk(min(4, flat.shape[1]), dim=1)
    strength = best.values.mean(1)
    return torch.stack([strength, flat[:count].amax(1)], 1)


def presence(words: torch.Tensor, nouns: Nouns, options: EvidenceOptions) -> np.ndarray:
    """Probability that each asked subject is in the image at all, float32 (K,)."""
    import torch

    measures = presence_measures(words, len(nouns.subjects))
    intercept, *weights = options.presence
    return torch.sigmoid(intercept + measures @ torch.tensor(weights)).numpy().astype(np.float32)
