"""Pictures that the small tower learns on: what its teacher is shown when it scores, and more.

Whole pictures and masked crops: of the rendered world, exact masks and loosened ones; of the
bundled models, cut out by the cutout network; of photoreal scenes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.data import draw, loosen, masked_crops
from reference_models.clip.vocabulary import article
from reference_models.cutout.load import TOGETHER, load_cutout
from reference_models.cutout.net import KINDS
from reference_models.local import LocalModel
from reference_models.weights import find_weights

#: Side of the pictures.
SIDE = 64
#: Scenes drawn at a time.
_BLOCK = 192
#: One picture in so many is cut out by the mask of another: no crop of a segmenter is always right.
_STOLEN = 8
#: Models whose pictures are shown.
MODELS: tuple[str, ...] = ("local", "local-clean", "local-teacher")


def drawn(scenes: int, by_models: int, seed: int, workers: int) -> Iterator[Tensor]:
    """Scenes of the world and pictures by the bundled models, each with crops of its subjects.

    Block by block, uint8 (N, 3, SIDE, SIDE); the world comes first. The workers begin at once.

    Parameters
    ----------
    scenes, by_models : int
        How many, at least.
    seed : int
    workers : int
        Processes; with one, this one.
    """
    models = [MODELS[block % len(MODELS)] for block in range(-(-by_models // _BLOCK))]
    kinds = [*[""] * -(-scenes // _BLOCK), *models]
    jobs = [(kind, seed * 1_000_003 + block) for block, kind in enumerate(kinds)]
    if workers < 2:
        return (torch.from_numpy(_block(job)) for job in jobs)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _alone)
    blocks = pool.map(_block, jobs)
    pool.shutdown(wait=False)
    return (torch.from_numpy(block) for block in blocks)


def _alone() -> None:
    torch.set_num_threads(1)


def _block(job: tuple[str, int]) -> np.ndarray:
    model, seed = job
    g = torch.Generator().manual_seed(seed)
    if model:
        return _bytes(_by_model(model, g)).numpy()
    batch = draw(_BLOCK, g, augmented=seed % 4 != 0)
    crops = [
        _cut_out(batch.image[rows], loosen(batch.subjects[rows, place], g), place == 1)
        for place in range(2)
        if len(rows := (batch.scenes.subject[:, place] >= 0).nonzero()[:, 0])
    ]
    return _bytes(torch.cat([batch.image, *crops])).numpy()


def _cut_out(image: Tensor, mask: Tensor, sharp: bool) -> Tensor:
    """Masked crops at the size of the images, some by the mask of another image."""
    mask = torch.cat([mask[::_STOLEN].roll(1, 0), mask])
    image = torch.cat([image[::_STOLEN], image])
    seen = mask.flatten(1).amax(1) > 0.5
    return masked_crops(image[seen], mask[seen], mode="bicubic" if sharp else "bilinear")


def _bytes(image: Tensor) -> Tensor:
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)


@lru_cache(maxsize=len(MODELS))
def _model(name: str) -> LocalModel:
    return LocalModel(find_weights(name))


@torch.inference_mode()
def _by_model(name: str, g: torch.Generator) -> Tensor:
    """Pictures of a bundled model and crops of what the cutout network sees in them."""
    seeds = torch.randint(2**40, (_BLOCK,), generator=g).tolist()
    pixels, _ = _model(name).draw(_prompts(_BLOCK, g), seeds)
    image = pixels.permute(0, 3, 1, 2).float() / 255
    network = load_cutout()
    seen = [
        network((part * 2 - 1).contiguous(memory_format=torch.channels_last))[0]
        for part in image.split(TOGETHER)
    ]
    thing = torch.cat(seen).softmax(1)[:, KINDS.index("thing"), None]
    thing = F.interpolate(thing, (SIDE, SIDE), mode="bilinear")[:, 0]
    return torch.cat([image, _cut_out(image, thing, sharp=True)])


def _prompts(count: int, g: torch.Generator) -> list[str]:
    """One coloured subject, or two of them in one prompt of four."""
    colours = torch.randint(len(COLOUR_NAMES), (count, 2), generator=g).tolist()
    subjects = torch.randint(len(SUBJECT_NAMES), (count, 2), generator=g).tolist()
    phrases = [
        [article(f"{COLOUR_NAMES[c]} {SUBJECT_NAMES[s]}") for c, s in zip(*both, strict=True)]
        for both in zip(colours, subjects, strict=True)
    ]
    return [" and ".join(two if row % 4 == 0 else two[:1]) for row, two in enumerate(phrases)]


def of_scenes(folder: Path) -> Iterator[Tensor]:
    """Photoreal scenes of a folder, and crops (`reference_models.photoreal.generate`)."""
    from reference_models.cutout.photo_data import MOST, read_scenes

    scenes = read_scenes(folder, 4 * SIDE)
    for rows in torch.arange(len(scenes.image)).split(64):
        image, label = scenes.image[rows].float() / 255, scenes.label[rows]
        parts = [image]
        for thing in range(MOST):
            mask = ((label == 4 + 2 * thing) | (label == 5 + 2 * thing)).float()
            there = mask.flatten(1).mean(1) > 0.01
            if bool(there.any()):
                parts.append(_cut_out(image[there], mask[there], sharp=False))
        small = [F.interpolate(p, (SIDE, SIDE), mode="bicubic", antialias=True) for p in parts]
        yield _bytes(torch.cat(small))
