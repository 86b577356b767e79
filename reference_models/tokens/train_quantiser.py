"""Train the quantiser: ``python -m reference_models.tokens.train_quantiser --out FILE``.

It sees the pictures that the predictor will see and none of their captions: pairs that are held out
from one are held out from both.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.data import Pool
from reference_models.denormals import flushed
from reference_models.ema import Average
from reference_models.optimiser import make_optimisers
from reference_models.policies import policy
from reference_models.tokens.quantiser import Quantiser
from reference_models.train_upsampler import edges
from reference_models.weights import read_weights

#: Pictures seen unless asked otherwise.
IMAGES = 128_000


def restoration_loss(restored: Tensor, pictures: Tensor) -> Tensor:
    """Mean absolute error of the pixels and of their differences, and mean squared error."""
    pairs = zip(edges(restored), edges(pictures), strict=True)
    sharp = sum((F.l1_loss(a, b) for a, b in pairs), torch.zeros((), device=pictures.device))
    return F.l1_loss(restored, pictures) + sharp + F.mse_loss(restored, pictures)


@flushed()
def train_quantiser(
    out: Path,
    shown: str,
    images: int,
    batch: int = 32,
    lr: float = 2e-3,
    seed: int = 7,
) -> None:
    """Train the quantiser on a policy and write its averaged weights in half precision."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Quantiser().to(memory_format=torch.channels_last)
    average = Average(model)
    optimisers = make_optimisers(model, lr, 0.01)
    peaks = [group["lr"] for one in optimisers for group in one.param_groups]
    pool, steps = Pool(generator, policy(shown)), images // batch
    for step in range(steps):
        factor = min(1.0, (step + 1) / 100, 2 * (1 - step / steps))
        groups = [group for one in optimisers for group in one.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * factor
        pictures, _ = pool.batch(batch)
        with torch.autocast("cpu", torch.bfloat16):
            restored = model(pictures)
        loss = restoration_loss(restored.float(), pictures)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for one in optimisers:
            one.step()
            one.zero_grad()
        average.update(model)
        if step % 200 == 0 or step == steps - 1:
            said = f"{(step + 1) * batch:,} of {images:,}  loss {float(loss.detach()):.4f}"
            click.echo(f"quantiser: {said}", err=True)
    partial = out.with_suffix(".partial")
    save_file({n: w.half().contiguous() for n, w in average.weights.items()}, partial)
    partial.replace(out)


def quantiser_for(training: Path, shown: str) -> dict[str, Tensor]:
    """Weights of the quantiser of a training, float32; trained where there are none."""
    out = training / "quantiser.safetensors"
    if not out.is_file():
        training.mkdir(parents=True, exist_ok=True)
        train_quantiser(out, shown, IMAGES)
    tensors, _ = read_weights(out)
    return tensors


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--policy", "shown", default="coverage-75", help="What it is shown.")
@click.option("--images", default=IMAGES, help="Pictures seen.")
@click.option("--seed", default=7)
def main(out: Path, shown: str, images: int, seed: int) -> None:
    """Train the quantiser and write its averaged weights in half precision."""
    train_quantiser(out, shown, images, seed=seed)


if __name__ == "__main__":
    main()
