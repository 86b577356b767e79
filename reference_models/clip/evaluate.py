"""Zero-shot quality of a CLIP of the world on fresh, clean scenes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.data import NOUNS, draw, masked_crops
from reference_models.clip.towers import patches_and_pooled, preprocess
from reference_models.clip.vocabulary import article


def encode(model: Any, tokenizer: Any, texts: list[str]) -> Tensor:
    """Unit vectors of texts (T, D)."""
    return F.normalize(model.encode_text(tokenizer(texts)).float(), dim=-1)


@torch.no_grad()
def evaluate(
    model: Any, tokenizer: Any, n: int, seed: int, augmented: bool = False, tower: Any = None
) -> dict[str, float]:
    """Zero-shot accuracies on ``n`` fresh scenes of one subject.

    Parameters
    ----------
    model, tokenizer
    n, seed : int
    augmented : bool
    tower : optional
        Of the features of whole images and crops, where it is not the model's own.

    Returns
    -------
    dict
        ``subject``: whole image, among the 27; ``colour``: masked crop, among the 11; ``both`` the
        latter with the subject open as well (297 ways); ``patch``: share of patches whose main
        noun is right; ``subject_patch`` the same on the subject's patches.
    """
    model.eval()
    g = torch.Generator().manual_seed(seed)
    subject = torch.randint(len(SUBJECT_NAMES), (n,), generator=g)
    batch = draw(n, g, augmented, torch.stack([subject, torch.full((n,), -1)], 1))
    term = batch.scenes.term[:, 0]
    nouns = encode(model, tokenizer, [article(noun) for noun in NOUNS])
    pairs = [article(f"{c} {s}") for s in SUBJECT_NAMES for c in COLOUR_NAMES]
    coloured = encode(model, tokenizer, pairs).view(len(SUBJECT_NAMES), len(COLOUR_NAMES), -1)

    def seen(image: Tensor) -> tuple[Tensor, Tensor]:
        pooled, patches = patches_and_pooled(model, preprocess(image))
        return (F.normalize(tower(preprocess(image)), dim=-1) if tower else pooled), patches

    totals = dict.fromkeys(("subject", "colour", "both", "patch", "subject_patch"), 0.0)
    for rows in torch.arange(n).split(100):
        pooled, patches = seen(batch.image[rows])
        crops = masked_crops(batch.image[rows], batch.subjects[rows, 0])
        cropped, _ = seen(crops)
        bare = pooled @ nouns[: len(SUBJECT_NAMES)].T
        totals["subject"] += (bare.argmax(1) == subject[rows]).float().sum().item()
        own = (coloured[subject[rows]] @ cropped[:, :, None])[..., 0]
        totals["colour"] += (own.argmax(1) == term[rows]).float().sum().item()
        best = (cropped @ coloured.flatten(0, 1).T).argmax(1)
        wanted = subject[rows] * len(COLOUR_NAMES) + term[rows]
        totals["both"] += (best == wanted).float().sum().item()
        area = F.adaptive_avg_pool2d(
            batch.nouns[rows], (patches.shape[1], patches.shape[2])
        ).permute(0, 2, 3, 1)
        right = ((patches @ nouns.T).argmax(-1) == area.argmax(-1)).float()
        totals["patch"] += right.mean((1, 2)).sum().item()
        inside = (area.argmax(-1) < len(SUBJECT_NAMES)).float()
        hit = (right * inside).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
        totals["subject_patch"] += hit.sum().item()
    return {name: round(value / n, 4) for name, value in totals.items()}
