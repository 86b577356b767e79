"""Training of the autoencoder: pictures to latents and back.

It learns from squares of 32 pixels, a quarter of a picture: all its layers are convolutions, and
squares cost a quarter.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.data import ScenePool
from reference_models.denormals import flushed
from reference_models.ema import Average
from reference_models.optimiser import Muon
from reference_models.sd.log import Log
from reference_models.sd.parts import Shape, make_autoencoder
from reference_models.train_upsampler import sharp_loss

#: Side of a training square, and the grid of the latents that it lies on.
SQUARE, GRID = 32, 4
#: Weight of the Kullback-Leibler divergence a latent value: small, so that little is lost.
DIVERGENCE = 1e-4


def optimisers_for(
    *modules: torch.nn.Module, lr: float, matrix_lr: float
) -> list[torch.optim.Optimizer]:
    """Muon for hidden matrices and kernels, Adam for embeddings, both ends, norms and biases."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for module in modules:
        for name, p in module.named_parameters():
            end = any(word in name for word in ("conv_in", "conv_out", "quant_conv", "embedding."))
            (matrices if p.ndim >= 2 and not end else others).append(p)
    adam = torch.optim.Adam(others, lr=lr, betas=(0.9, 0.98), foreach=True)
    return [Muon(matrices, lr=matrix_lr), adam]


def squares(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """One square of each batch of pictures (N, 3, 64, 64), at a place that the batch shares."""
    most = (pictures.shape[-1] - SQUARE) // GRID + 1
    top, left = (GRID * torch.randint(most, (2,), generator=generator)).tolist()
    return pictures[..., top : top + SQUARE, left : left + SQUARE]


def train_autoencoder(
    out: Path, shape: Shape, images: int = 64_000, batch: int = 64, seed: int = 5, pool: int = 2048
) -> Any:
    """Train, and write the averaged weights and the scale of the latents; read them if there.

    Parameters
    ----------
    out : Path
        Folder of the training.
    images, batch : int
        Squares seen, and together.
    pool : int
        Scenes in memory.
    """
    file = out / "autoencoder.safetensors"
    torch.manual_seed(seed)
    model = make_autoencoder(shape).to(memory_format=torch.channels_last)
    if file.exists():
        return _with(model, load_file(file))
    generator = torch.Generator().manual_seed(seed)
    scenes = ScenePool(generator, side=64, size=pool, reuse=4)
    average = Average(model)
    muon, adam = optimisers_for(model, lr=2e-3, matrix_lr=0.01)
    steps, log = images // batch, Log(out / "autoencoder.csv")
    for step in range(steps):
        rate = min(1.0, (step + 1) / 50, 2 * (1 - step / steps))
        muon.param_groups[0]["lr"], adam.param_groups[0]["lr"] = 0.01 * rate, 2e-3 * rate
        pictures = squares(scenes.batch(batch)[0], generator)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            latents = model.encode(pictures).latent_dist
            noise = torch.randn(latents.mean.shape, generator=generator)
            drawn = model.decode(latents.mean + latents.std * noise).sample
        divergence = 0.5 * (latents.mean**2 + latents.var - 1 - latents.logvar).float().mean()
        loss = sharp_loss(drawn.float(), pictures) + F.mse_loss(drawn.float(), pictures)
        (loss + DIVERGENCE * divergence).backward()
        for optimiser in (muon, adam):
            optimiser.step()
            optimiser.zero_grad()
        average.update(model)
        log.add((step + 1) * batch, images, float(loss.detach()), last=step + 1 == steps)
    weights = dict(average.weights)
    _with(model, weights)
    weights["scaling_factor"] = torch.tensor(1 / spread(model, scenes.batch(512)[0]))
    save_file({name: w.contiguous() for name, w in weights.items()}, file)
    return _with(model, weights)


@torch.inference_mode()
def encoded(model: Any, pictures: Tensor) -> Tensor:
    """Means of the latents of pictures (N, 3, 64, 64) in [-1, 1], not scaled, (N, 4, 16, 16)."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [
            model.encode(part.contiguous(memory_format=torch.channels_last)).latent_dist.mean
            for part in pictures.split(64)
        ]
    return torch.cat(parts).float()


def spread(model: Any, pictures: Tensor) -> float:
    """Standard deviation of the latents about zero."""
    return float(encoded(model, pictures).square().mean().sqrt())


def _with(model: Any, weights: dict[str, Tensor]) -> Any:
    factor = weights.pop("scaling_factor", None)
    model.load_state_dict(weights)
    if factor is not None:
        model.register_to_config(scaling_factor=float(factor))
    return model.requires_grad_(factor is None)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--images", default=64_000)
@flushed()
def main(out: Path, images: int) -> None:
    """Train the autoencoder alone."""
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    model = train_autoencoder(out, Shape(), images)
    click.echo(f"scale {model.config.scaling_factor:.3f}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
