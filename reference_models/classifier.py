"""A subject classifier: what a rendered scene shows, whatever its colour.

It is trained on rendered scenes alone and never sees a sampled picture, so that it can say whether
the models draw what they were asked for. ``python -m reference_models.classifier`` trains it.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.subjects import SUBJECT_NAMES
from reference_models.denormals import flushed
from reference_models.ema import Average
from reference_models.nn.convolution import Convolution, fold
from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import ChannelNorm
from reference_models.weights import FOLDER, fill, read_weights, write_weights
from reference_models.world.render import render
from reference_models.world.scene import Mixture, sample_scenes
from reference_models.world.statistics import balanced

PATH = FOLDER / "classifier.safetensors"
#: One subject a picture, scenery as often as it comes, every colour equally often.
_SCENES = Mixture(pair=0.0)


class Classifier(nn.Module):
    """Pictures (N, 3, 64, 64) in [-1, 1] to logits (N, subjects)."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 160)) -> None:
        super().__init__()
        inputs = (3, *widths[:-1])
        self.convolutions = nn.ModuleList(
            Convolution(4 * i, o) for i, o in zip(inputs, widths, strict=True)
        )
        self.norms = nn.ModuleList(ChannelNorm(width) for width in widths)
        self.head = Linear(widths[-1] * 16, len(SUBJECT_NAMES))

    def forward(self, x: Tensor) -> Tensor:
        """Fold, convolve, normalise, four times over; then one linear layer."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.silu(norm(convolution(fold(x).contiguous(memory_format=torch.channels_last))))
        return self.head(x.flatten(1))


def roughened(images: Tensor, generator: torch.Generator) -> Tensor:
    """Rendered pictures made a little worse: half of them halved and doubled, noise on all."""
    n = len(images)
    small = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
    mix = torch.rand(n, 1, 1, 1, generator=generator)
    noise = 0.1 * torch.rand(n, 1, 1, 1, generator=generator)
    return torch.lerp(images, small, mix) + noise * torch.randn(images.shape, generator=generator)


def load_classifier(path: Path = PATH) -> Classifier:
    """Load the bundled classifier, ready to name subjects."""
    tensors, _ = read_weights(path)
    model = Classifier()
    fill(model, tensors, "", path)
    return model.eval().requires_grad_(False)


@torch.inference_mode()
def subjects_in(images: Tensor, model: Classifier) -> Tensor:
    """Index of the subject that is most likely shown.

    Parameters
    ----------
    images : Tensor, uint8 (N, 64, 64, 3)
        sRGB.

    Returns
    -------
    Tensor, int64 (N,)
        Indices into ``SUBJECT_NAMES``.
    """
    x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    return torch.cat([model(part).argmax(1) for part in x.split(256)])


def accuracy(model: Classifier, n: int = 2048, seed: int = 99) -> float:
    """Share of fresh rendered scenes whose subject is named right."""
    generator = torch.Generator().manual_seed(seed)
    scenes = sample_scenes(n, generator, _SCENES, balanced())
    images = (render(scenes).image * 255).round().byte().permute(0, 2, 3, 1)
    return float((subjects_in(images, model) == scenes.subject[:, 0]).float().mean())


@click.command()
@click.option("--images", default=120_000, help="Pictures seen in training.")
@click.option("--batch", default=64)
@click.option("--lr", default=2e-3)
@click.option("--seed", default=5)
@click.option("--out", type=click.Path(path_type=Path), default=PATH)
@flushed()
def main(images: int, batch: int, lr: float, seed: int, out: Path) -> None:
    """Train the classifier and write its averaged weights."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Classifier().to(memory_format=torch.channels_last)
    average = Average(model)
    adam = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98), foreach=True)
    steps, started = images // batch, time.monotonic()
    pictures, subjects = torch.empty(0), torch.empty(0)
    for step in range(steps):
        if step * batch % 1024 == 0:
            # Every block of 512 scenes is used twice, roughened anew.
            scenes = sample_scenes(512, generator, _SCENES, balanced())
            pictures, subjects = render(scenes).image * 2 - 1, scenes.subject[:, 0]
        rows = torch.randint(len(pictures), (batch,), generator=generator)
        adam.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / 100, 2 * (1 - step / steps))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(roughened(pictures[rows], generator))
        loss = F.cross_entropy(logits.float(), subjects[rows], label_smoothing=0.02)
        loss.backward()
        adam.step()
        adam.zero_grad()
        average.update(model)
        if step % 200 == 0:
            speed = (step + 1) * batch / (time.monotonic() - started)
            click.echo(
                f"{step * batch:,}  loss {float(loss.detach()):.3f}  {speed:.0f}/s", err=True
            )
    model.load_state_dict(average.weights)
    share = accuracy(model.eval())
    write_weights(out, average.weights, {"accuracy": share, "pictures": images, "seed": seed})
    click.echo(f"names {share:.2%} of fresh scenes right; {out}", err=True)


if __name__ == "__main__":
    main()
