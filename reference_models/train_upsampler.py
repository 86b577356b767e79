"""Train the upsampler: ``python -m reference_models.train_upsampler --out FILE``.

Pictures of the rendered world are averaged down to 32 pixels and drawn back. The small ones are
blurred and given noise at random, since a sampled picture is never as clean as a rendered one.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.data import training_scenes
from reference_models.denormals import flushed
from reference_models.ema import Average
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, read_weights
from reference_models.world.render import render


def degraded(small: Tensor, generator: torch.Generator) -> Tensor:
    """Small pictures (N, 3, H, W) in [-1, 1] with random blur and noise."""
    n = len(small)
    blur = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = 0.35 * torch.rand(n, 1, 1, 1, generator=generator) ** 2
    noise = 0.06 * torch.rand(n, 1, 1, 1, generator=generator) ** 2
    return torch.lerp(small, blur, amount) + noise * torch.randn(small.shape, generator=generator)


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of neighbouring pixels, down and across."""
    return x[:, :, 1:] - x[:, :, :-1], x[..., 1:] - x[..., :-1]


def sharp_loss(drawn: Tensor, true: Tensor) -> Tensor:
    """Mean absolute error of the pixels and of their differences."""
    pairs = zip(edges(drawn), edges(true), strict=True)
    return F.l1_loss(drawn, true) + sum((F.l1_loss(a, b) for a, b in pairs), torch.zeros(()))


@flushed()
def train_upsampler(
    out: Path, images: int = 120_000, batch: int = 32, lr: float = 2e-3, seed: int = 3
) -> None:
    """Train the upsampler and write its averaged weights in half precision."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Upsampler().to(memory_format=torch.channels_last)
    average = Average(model)
    adam = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98), foreach=True)
    steps, block, started = images // batch, torch.empty(0), time.monotonic()
    for step in range(steps):
        if step * batch % 512 == 0:
            block = render(training_scenes(512, generator)).image * 2 - 1
        adam.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / 200, 2 * (1 - step / steps))
        large = block[torch.randint(len(block), (batch,), generator=generator)]
        small = degraded(F.avg_pool2d(large, 2), generator)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = model(small.contiguous(memory_format=torch.channels_last))
        loss = sharp_loss(drawn.float(), large)
        loss.backward()
        adam.step()
        adam.zero_grad()
        average.update(model)
        if step % 200 == 0:
            speed = (step + 1) * batch / (time.monotonic() - started)
            done = f"{step * batch:,} of {images:,}"
            click.echo(f"{done}  loss {float(loss.detach()):.4f}  {speed:.0f}/s", err=True)
    save_file({n: w.half().contiguous() for n, w in average.weights.items()}, out)


def upsampler_for(training: Path) -> None:
    """Put the bundled upsampler into the folder of a training, or train one where there is none."""
    out, bundled = training / "upsampler.safetensors", FOLDER / "local-teacher.safetensors"
    if out.exists():
        return
    if not bundled.is_file():
        train_upsampler(out)
        return
    tensors, _ = read_weights(bundled)
    own = {
        n.removeprefix("upsampler."): t for n, t in tensors.items() if n.startswith("upsampler.")
    }
    save_file({n: t.half().contiguous() for n, t in own.items()}, out)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--images", default=120_000)
@click.option("--batch", default=32)
@click.option("--lr", default=2e-3)
@click.option("--seed", default=3)
def main(out: Path, images: int, batch: int, lr: float, seed: int) -> None:
    """Train the upsampler and write its averaged weights in half precision."""
    train_upsampler(out, images, batch, lr, seed)


if __name__ == "__main__":
    main()
