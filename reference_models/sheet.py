"""A sample sheet: one picture a prompt in a grid, for a person to look at while training."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.presets import Network, TrainingPreset
from reference_models.sampling import Settings, drawn
from reference_models.world.captions import LENGTH, encode


def grid_of(pictures: Tensor, columns: int, enlarge: int = 1) -> np.ndarray:
    """Pictures (N, 3, H, W) in [0, 1] side by side, uint8 (rows H, columns W, 3)."""
    n, _, height, width = pictures.shape
    rows = -(-n // columns)
    sheet = torch.full((rows * columns, 3, height, width), 0.5)
    sheet[:n] = pictures.clamp(0, 1)
    sheet = sheet.view(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    array = (sheet.reshape(rows * height, columns * width, 3) * 255).round().byte().numpy()
    return array.repeat(enlarge, 0).repeat(enlarge, 1)


def sheet_prompts(per_subject: int = 3) -> list[str]:
    """For each subject its bare name and a few colours that move from subject to subject."""
    prompts = []
    for k, subject in enumerate(SUBJECT_NAMES):
        colours = [COLOUR_NAMES[(k + 3 * j) % 11] for j in range(per_subject - 1)]
        prompts += [f"a {subject}", *(f"a {colour} {subject}" for colour in colours)]
    return prompts


def padded(prompts: list[str]) -> Tensor:
    """Token ids of prompts, int64 (N, LENGTH)."""
    ids = torch.zeros(len(prompts), LENGTH, dtype=torch.int64)
    for row, prompt in enumerate(prompts):
        tokens = encode(prompt)
        ids[row, : len(tokens)] = torch.tensor(tokens)
    return ids


@torch.no_grad()
def write_sheet(
    path: Path, model: Network, weights: dict[str, Tensor], preset: TrainingPreset
) -> None:
    """Sample the sheet's prompts with the given weights and write a PNG."""
    device = next(iter(weights.values())).device
    averaged = copy.deepcopy(model)
    averaged.load_state_dict(weights)
    ids = padded(sheet_prompts()).to(device)
    generator = torch.Generator().manual_seed(0)
    shape = (len(ids), 3, model.side, model.side)

    def fresh() -> Tensor:
        return torch.randn(shape, generator=generator).to(device)

    settings = Settings(preset.steps, preset.guidance_scale)
    x, *_ = drawn(averaged, ids, fresh, preset, settings)
    Image.fromarray(grid_of((x.cpu() + 1) / 2, 18, 2)).save(path)
