"""What pictures are composed of: icons, photographs, and subjects of the rendered world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.data import JUDGE
from reference_models.cutout.layers import affine
from reference_models.cutout.net import NAMES, SIDE
from reference_models.world.render import render
from reference_models.world.scene import sample_scenes
from reference_models.world.statistics import balanced

#: Side of the photographs kept in memory.
PHOTO = 192
OTHER = len(NAMES) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What pictures are composed of.

    Attributes
    ----------
    icons : Tensor, uint8 (I, 4, S, S)
        Cut-out things with transparency.
    names : Tensor, int64 (I,)
        Index into `NAMES` of each.
    photos : Tensor, uint8 (P, 3, PHOTO, PHOTO)
    """

    icons: Tensor
    names: Tensor
    photos: Tensor


def read_photos(folders: Sequence[Path]) -> Tensor:
    """Every photograph below some folders, and its two halves where it is wide."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
                continue
            with Image.open(path) as image:
                image.thumbnail((900, 600))
                rgb = image.convert("RGB")
            short = min(rgb.size)
            for left in {0, rgb.width - short}:
                piece = rgb.crop((left, 0, left + short, short)).resize((PHOTO, PHOTO))
                found.append(torch.from_numpy(np.array(piece)).permute(2, 0, 1))
    return torch.stack(found)


def read_material(
    icons: Path,
    photos: Sequence[Path],
    names: Sequence[str] = NAMES,
    shown: Mapping[str, tuple[str, ...]] | None = None,
) -> Material:
    """Icons from an npz of ``rgba`` (I, S, S, 4) and ``name`` (I,), photographs from folders.

    Parameters
    ----------
    icons : Path
    photos : sequence of Path
    names : sequence of str
        What a thing can be; the last is everything else.
    shown : mapping or None
        Nouns beyond those of the file to names of icons, ``key`` (I,) of the npz, that show them.
    """
    noun_of = {key: noun for noun, keys in (shown or {}).items() for key in keys}
    with np.load(icons) as file:
        rgba = torch.from_numpy(file["rgba"]).permute(0, 3, 1, 2).contiguous()
        nouns = file["name"].tolist()
        if noun_of:
            keys = file["key"].tolist()
            nouns = [noun or noun_of.get(key, "") for noun, key in zip(nouns, keys, strict=True)]
    index = [names.index(noun) if noun in names else len(names) - 1 for noun in nouns]
    return Material(rgba, torch.tensor(index), read_photos(photos))


def sources_of(icons: Path) -> str:
    """What a file of icons says of itself; empty where it says nothing."""
    with np.load(icons) as file:
        return str(file["said"]) if "said" in file else ""


def cut_from_world(n: int, g: torch.Generator, size: int = SIDE) -> Material:
    """Subjects of the rendered world as icons, every subject equally often."""
    subject = torch.stack([torch.arange(n) % len(SUBJECT_NAMES), torch.full((n,), -1)], 1)
    scenes = sample_scenes(n, g, JUDGE, balanced(), subject=subject)
    drawn = render(scenes, size)
    mask = drawn.subjects[:, 0]
    inside = mask > 0.3
    theta = torch.zeros(n, 2, 3)
    spans = []
    for axis in (1, 2):
        line = inside.any(axis)
        first = line.float().argmax(1)
        last = size - line.flip(1).float().argmax(1)
        theta[:, axis - 1, 2] = (first + last) / size - 1
        spans.append((last - first) / size)
    reach = torch.maximum(*spans).clamp(min=0.1)
    theta[:, 0, 0] = theta[:, 1, 1] = reach
    layer = torch.cat([drawn.image, mask[:, None]], 1)
    icons = (affine(theta, layer, size) * 255).round().byte()
    return Material(icons, scenes.subject[:, 0], torch.empty(0))
