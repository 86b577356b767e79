"""The quantiser's own training, before that of the predictor.

It sees the pictures that the predictor will see and none of their captions: pairs that are held out
from one are held out from both.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.data import ScenePool
from reference_models.parallel import ProcessGroup, SingleProcess
from reference_models.policies import policy
from reference_models.presets import TrainingPreset
from reference_models.tokens.quantiser import Quantiser
from reference_models.train_upsampler import edges
from reference_models.training import Training

#: Pictures seen.
IMAGES = 128_000


def restoration_loss(restored: Tensor, pictures: Tensor) -> Tensor:
    """Mean absolute error of the pixels and of their differences, and mean squared error."""
    pairs = zip(edges(restored), edges(pictures), strict=True)
    sharp = sum((F.l1_loss(a, b) for a, b in pairs), torch.zeros((), device=pictures.device))
    return F.l1_loss(restored, pictures) + sharp + F.mse_loss(restored, pictures)


def quantiser_for(
    preset: TrainingPreset, out: Path, place: SingleProcess | ProcessGroup
) -> dict[str, Tensor]:
    """Averaged weights of the quantiser of a training, as half precision keeps them.

    Trained in ``out / "quantiser"`` by the first process, the others wait; goes on from a
    checkpoint that is there, and is done at once where it was done before.
    """
    own = replace(preset, images=IMAGES, batch=32, matrix_lr=0.01, warm=0.025, cool=0.5, seed=7)
    folder = out / "quantiser"
    if place.rank == 0:
        trained(own, folder, place.device)
    place.wait()
    # Every process reads what the first one wrote.
    return {n: w.half().float() for n, w in trained(own, folder, place.device).items()}


def trained(preset: TrainingPreset, folder: Path, device: torch.device) -> dict[str, Tensor]:
    """Averaged weights of a finished training of the quantiser; trains what of it is missing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(preset.seed)
        model = Quantiser().to(device).to(memory_format=torch.channels_last)
    training = Training(preset, folder, model)
    if training.step < training.steps:
        pool = ScenePool(training.generator, policy(preset.policy))

        def loss_of() -> Tensor:
            pictures = pool.batch(preset.batch)[0].to(device)
            with torch.autocast(device.type, torch.bfloat16):
                restored = model(pictures)
            return restoration_loss(restored.float(), pictures)

        training.run(loss_of)
    return training.average.weights
