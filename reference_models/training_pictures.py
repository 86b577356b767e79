"""Training pictures that are drawn on a device once, and shared by trainings."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models.data import caption_counts, training_scenes
from reference_models.policies import Policy
from reference_models.world.caption_noise import CLEAN, CaptionNoise, misdescribed, noisy_ids
from reference_models.world.captions import token_ids
from reference_models.world.render import render

#: Scenes drawn at a time on a CPU, and on a GPU, where ten thousand calls are waited for each time.
_BLOCK, _LARGE = 4096, 16_384


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPictures:
    """Training pictures with their captions, on a device.

    Attributes
    ----------
    pictures : Tensor, uint8 (N, 3, side, side)
    ids : Tensor, int64 (N, LENGTH)
    seen : TrainingManifest
        What the captions said, before words were dropped or shuffled.
    """

    pictures: Tensor
    ids: Tensor
    seen: TrainingManifest

    @property
    def taught(self) -> frozenset[tuple[str, str]]:
        """(colour, subject) pairs that some caption said."""
        return frozenset(self.seen.pairs)


def draw_pictures(
    count: int,
    seed: int,
    shown: Policy,
    noise: CaptionNoise = CLEAN,
    device: torch.device | str = "cpu",
    side: int = 32,
) -> TrainingPictures:
    """Draw scenes on a device.

    The same seed and policy give the same scenes; the faults of captions, and what they do to the
    scenes, have a generator of their own.
    """
    scenes = training_scenes(count, torch.Generator().manual_seed(seed), shown)
    faults = torch.Generator().manual_seed(seed + 1_000_003)
    drawn, described = misdescribed(scenes, noise, shown.table, shown.bare, faults)
    ids = noisy_ids(token_ids(described), noise, faults)
    parts, block = [], _BLOCK if torch.device(device).type == "cpu" else _LARGE
    for start in range(0, count, block):
        image = render(drawn[start : start + block].to(device)).image
        parts.append((F.adaptive_avg_pool2d(image, side) * 255).round().to(torch.uint8))
    return TrainingPictures(torch.cat(parts), ids.to(device), caption_counts(described))
