"""Dense CLIP evidence: the probability of each class at each patch, and that a subject is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.classes import Nouns, embed_noun

if TYPE_CHECKING:
    import torch

    from bench.judge.clip.model import Clip

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
class WordMaps:
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


def word_maps(
    clip: Clip, images: Sequence[np.ndarray], nouns: Sequence[Nouns], options: EvidenceOptions
) -> list[WordMaps]:
    """Look for the words of each prompt in its image; alike ones are looked at together."""
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
    vocabulary = {word: row for row, word in enumerate({w: 0 for one in nouns for w in one.words})}
    table = torch.stack([embed_noun(clip, word) for word in vocabulary])
    alike: dict[tuple[object, ...], list[int]] = {}
    starts, start = [], 0
    for index, (image, one) in enumerate(zip(images, nouns, strict=True)):
        starts.append(start)
        start += len(windows[index])
        key = (image.shape, one.slots, len(one.subjects), dense[starts[-1]].shape)
        alike.setdefault(key, []).append(index)
    out: list[WordMaps | None] = [None] * len(images)
    with torch.inference_mode():
        for group in alike.values():
            views_ = windows[group[0]]
            rows = [starts[index] + view for index in group for view in range(len(views_))]
            words = torch.tensor([[vocabulary[word] for word in nouns[i].words] for i in group])
            found = _seen(
                torch.stack([dense[row] for row in rows]).unflatten(0, (len(group), -1)),
                torch.stack([pooled[row] for row in rows]).unflatten(0, (len(group), -1)),
                table[words],
                images[group[0]].shape[:2],
                views_,
                nouns[group[0]],
                options,
            )
            for index, words_seen, whole in zip(group, *found, strict=True):
                out[index] = WordMaps(words_seen, whole)
    return [seen for seen in out if seen is not None]


def _encoded(
    clip: Clip, crops: Sequence[np.ndarray]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Dense (h, w, D) and pooled (D,) features of each crop, long ones seen in pieces."""
    import torch

    cut = [pieces(crop) for crop in crops]
    flat = [piece for parts in cut for piece in parts]
    patches, wholes = clip.dense(flat)
    dense, pooled, start = [], [], 0
    for crop, parts in zip(crops, cut, strict=True):
        end = start + len(parts)
        dense.append(torch.cat(list(patches[start:end]), 0 if crop.shape[0] > crop.shape[1] else 1))
        pooled.append(torch.nn.functional.normalize(wholes[start:end].mean(0), dim=0))
        start = end
    return dense, pooled


def _seen(
    dense: torch.Tensor,
    pooled: torch.Tensor,
    table: torch.Tensor,
    size: tuple[int, int],
    windows: Sequence[tuple[int, int, int, int]],
    nouns: Nouns,
    options: EvidenceOptions,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Join the views of alike images: log probabilities, averaged where views overlap.

    Parameters
    ----------
    dense : Tensor (B, views, h, w, D)
    pooled : Tensor (B, views, D)
    table : Tensor (B, words, D)
    size : (int, int)
        Of the images.
    windows, nouns, options
        Common to all; of ``nouns`` the slots alone matter.

    Returns
    -------
    words : Tensor (B, words, h, w)
    whole : Tensor (B, subjects)
    """
    import torch
    import torch.nn.functional as F

    things = torch.tensor(nouns.things)
    whole = options.scale * pooled @ table[:, things].transpose(1, 2)
    whole = torch.log_softmax(whole, dim=2)
    # The asked subjects are the first things.
    best = whole.exp().amax(1)[:, : len(nouns.subjects)]
    count, _, rows, columns = dense.shape[:4]
    logits = options.scale * (table[:, None] @ dense.flatten(2, 3).transpose(2, 3))
    logits[:, :, things] += options.whole * whole.clamp(min=-6.0)[..., None]
    chance = torch.log_softmax(logits, 2).unflatten(3, (rows, columns))
    if len(windows) == 1:
        return chance[:, 0].exp(), best
    height, width = size
    rows, columns = 4 * rows, 4 * columns
    total = torch.zeros(count, table.shape[1], rows, columns)
    weight = torch.zeros(rows, columns)
    for number, (y, x, h, w) in enumerate(windows):
        top, left = round(y / height * rows), round(x / width * columns)
        shape = (round(h / height * rows), round(w / width * columns))
        part = F.interpolate(chance[:, number], shape, mode="bilinear", align_corners=False)
        trust = _taper(*shape) if number else torch.full(shape, options.overview)
        place = (slice(top, top + shape[0]), slice(left, left + shape[1]))
        total[:, :, *place] += part * trust
        weight[place] += trust
    return torch.softmax(total / weight, 1), best


def _taper(height: int, width: int) -> torch.Tensor:
    """Trust in a window, (height, width): most in its middle, where nothing is cut off."""
    import torch

    down, across = (
        torch.minimum(torch.arange(n) + 0.5, n - 0.5 - torch.arange(n)) / n for n in (height, width)
    )
    return (4 * down[:, None] * across).clamp(min=0.04)


def class_chances(words: torch.Tensor, nouns: Nouns, options: EvidenceOptions) -> torch.Tensor:
    """Probability of each class at each patch of alike images.

    What looks like a subject is shared among the subjects, with the asked ones favoured; then
    things are favoured against the background, which coarse patches overrate.

    Parameters
    ----------
    words : Tensor (B, words, h, w)
    nouns : Nouns
        Of any of the images: its slots and numbers alone matter.
    options : EvidenceOptions

    Returns
    -------
    Tensor (B, classes, h, w)
        Sums to 1 over the classes.
    """
    import torch

    member = torch.zeros(nouns.classes, len(nouns.slots))
    member[torch.tensor(nouns.slots), torch.arange(len(nouns.slots))] = 1
    size = words.shape[2:]
    chance = (member @ words.flatten(2)).unflatten(2, size)
    count, other = len(nouns.subjects), nouns.classes - 2
    asked = chance[:, :count] * float(np.exp(options.asked))
    total = chance[:, :count].sum(1) + chance[:, other]
    share = (total / (asked.sum(1) + chance[:, other]).clamp(min=1e-9))[:, None]
    chance = torch.cat(
        [
            asked * share,
            chance[:, count:other],
            chance[:, other, None] * share,
            chance[:, -1:] * float(np.exp(-options.thing)),
        ],
        1,
    )
    chance = chance / chance.sum(1, keepdim=True)
    beside = chance[:, count : other + 1].flatten(2)
    best = beside.topk(min(4, beside.shape[2]), dim=2).values.mean(2)
    chance[:, count : other + 1] *= (best >= options.neighbour).float()[..., None, None]
    return chance / chance.sum(1, keepdim=True).clamp(min=1e-9)


def presence_measures(seen: WordMaps) -> torch.Tensor:
    """Three measures of presence of each asked subject, (subjects, 3), each in [0, 1].

    The probability at the best places, at the very best one, and the share among all known
    subjects in the view that shows it best.
    """
    return _measures(seen.words[None], seen.whole[None])[0]


def _measures(words: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    import torch

    flat = words[:, : whole.shape[1]].flatten(2)
    strength = flat.topk(min(4, flat.shape[2]), dim=2).values.mean(2)
    return torch.stack([strength, flat.amax(2), whole], 2)


def presence(seen: Sequence[WordMaps], options: EvidenceOptions) -> np.ndarray:
    """Probability that each asked subject is in the image at all, float32 (B, K), of alike ones."""
    import torch

    intercept, *weights = options.presence
    measures = _measures(
        torch.stack([one.words for one in seen]), torch.stack([one.whole for one in seen])
    )
    logits = intercept + measures @ torch.tensor(weights)
    return torch.sigmoid(logits).numpy().astype(np.float32)
