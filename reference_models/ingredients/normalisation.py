"""Training with and without normalisation: the curve, and where it breaks.

The same network, pictures, noises and rates twice; in one every normalisation is taken out. Kept
step by step are the loss and, a hundred times on the way, the size of the activations behind each
block (root mean square).
"""

from __future__ import annotations

import csv
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from reference_models.dit import DiT
from reference_models.nn.normalisation import ChannelNorm, RMSNorm
from reference_models.presets import PRESETS, TrainingPreset, build
from reference_models.resident import ResidentTraining
from reference_models.training_pictures import TrainingPictures

#: Learning rates that are tried, as multiples of the preset's own.
RATES = (0.25, 1.0, 4.0, 16.0)
#: What is trained: the transformer, whose residual stream nothing but the norms holds.
PRESET = replace(PRESETS["local-dit"], images=32_000)
#: Times that the activations are measured on the way.
POINTS = 100
#: A loss above this is called broken: a network that predicts nothing has about 1.3.
BROKEN = 3.0


def without_normalisation(network: nn.Module) -> nn.Module:
    """Take every normalisation out of a network, in place."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, RMSNorm | ChannelNorm):
                setattr(module, name, nn.Identity())
    return network


def sizes(network: DiT, inputs: tuple[Tensor, Tensor, Tensor]) -> list[float]:
    """Root mean square of the activations behind each block.

    Parameters
    ----------
    network : DiT
    inputs : (Tensor, Tensor, Tensor)
        Noisy pictures (N, 3, side, side), times (N,) and token ids (N, L).
    """
    found: list[float] = []
    handles = [
        block.register_forward_hook(
            lambda _module, _given, x: found.append(float(x.float().square().mean().sqrt()))
        )
        for block in network.blocks
    ]
    try:
        with torch.no_grad():
            x, t, ids = inputs
            network(x, t, network.encode(ids))
    finally:
        for handle in handles:
            handle.remove()
    return found


def train(
    out: Path,
    normalised: bool,
    factor: float,
    seed: int,
    device: str,
    pictures: TrainingPictures,
    images: int,
    deadline: float,
    preset: TrainingPreset = PRESET,
) -> None:
    """Train once and write ``curve.csv``: pictures, loss, and the size behind each block.

    The training ends where it breaks. Nothing is done where the curve is whole already, and nothing
    is written where the deadline comes first.

    Parameters
    ----------
    out : Path
        Folder of this training.
    factor : float
        On both learning rates.
    pictures : TrainingPictures
        On the device.
    images : int
        Pictures seen.
    deadline : float
        Time (`time.monotonic`) at which to stop.
    """
    file = out / "curve.csv"
    if file.exists():
        return
    preset = replace(
        preset,
        images=images,
        seed=seed,
        lr=preset.lr * factor,
        matrix_lr=preset.matrix_lr * factor,
    )
    torch.manual_seed(seed)
    model = build(preset)
    assert isinstance(model, DiT)
    if not normalised:
        without_normalisation(model)
    training = ResidentTraining(model, preset, [(pictures, 1.0)], torch.device(device), bf16=True)
    generator = torch.Generator().manual_seed(0)
    side = model.side
    probe = (
        torch.randn(32, 3, side, side, generator=generator).to(device),
        torch.rand(32, generator=generator).to(device),
        pictures.ids[:32],
    )
    every = max(1, training.steps // POINTS)
    behind: dict[int, list[float]] = {}
    done = False
    while not done:
        if time.monotonic() > deadline:
            return
        done = training.advance()
        if training.done % every and not done:
            continue
        if device.startswith("cuda"):
            # The training has a stream of its own.
            torch.cuda.synchronize()
        losses = training.losses[: training.done, 0].tolist()
        behind[training.done] = sizes(model, probe)
        done = done or not all(loss < BROKEN for loss in losses)
    nothing = [math.nan] * len(model.blocks)
    rows = [
        [step * preset.batch, loss, *behind.get(step, nothing)]
        for step, loss in enumerate(losses, start=1)
    ]
    out.mkdir(parents=True, exist_ok=True)
    write_curve(file, rows, len(model.blocks))


def write_curve(file: Path, rows: list[list[float]], blocks: int) -> None:
    """Write the curve whole."""
    partial = file.with_suffix(".partial")
    with partial.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["pictures", "loss", *(f"block_{k + 1}" for k in range(blocks))])
        writer.writerows([f"{value:.6g}" for value in row] for row in rows)
    partial.replace(file)
