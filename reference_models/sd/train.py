"""Train the small Stable Diffusion: ``python -m reference_models.sd.train``.

First the autoencoder, then U-Net and text encoder together on its latents; then the pipeline
folder is written. Stopped at any moment, the same command goes on from the last checkpoint; only
the autoencoder, which takes minutes, begins anew where it was not finished.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from prompts.manifest import TrainingManifest
from reference_models.checkpoint import restore, save
from reference_models.data import ScenePool
from reference_models.denormals import flushed
from reference_models.ema import Average
from reference_models.sd.autoencoder import encoded, optimisers_for, train_autoencoder
from reference_models.sd.log import Log
from reference_models.sd.parts import (
    Shape,
    make_scheduler,
    make_text_encoder,
    make_unet,
    write_pipeline,
)
from reference_models.sd.vocabulary import Captions, make_tokenizer


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast.

    Attributes
    ----------
    squares, images : int
        Training pictures of the autoencoder and of the rest.
    lr, matrix_lr : float
        Peak rates of Adam and Muon.
    cool : float
        Share of the training in which the rates fall to zero.
    drop : float
        Share of captions replaced by nothing, for guidance.
    pool : int
        Scenes in memory.
    """

    shape: Shape = field(default_factory=Shape)
    squares: int = 64_000
    images: int = 112_000
    batch: int = 64
    lr: float = 2e-3
    matrix_lr: float = 0.015
    cool: float = 0.5
    drop: float = 0.1
    ema: float = 0.998
    seed: int = 6
    pool: int = 4096


class LatentPool(ScenePool):
    """A pool that keeps latents, scaled to unit variance, instead of pictures."""

    def __init__(
        self,
        autoencoder: Any,
        captions: Captions,
        generator: torch.Generator,
        seen: TrainingManifest | None = None,
        size: int = 4096,
    ) -> None:
        self._autoencoder, self._captions = autoencoder, captions
        super().__init__(generator, side=64, size=size, reuse=4, seen=seen)

    def _draw(self) -> tuple[Tensor, Tensor]:
        pictures, ids = super()._draw()
        latents = encoded(self._autoencoder, pictures.float() / 127.5 - 1)
        return latents * self._autoencoder.config.scaling_factor, self._captions(ids)

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Latents float32 (n, 4, 16, 16) and token ids int64 (n, READS)."""
        rows = self.rows(n)
        return self.pictures[rows], self.ids[rows]


class Denoiser(nn.Module):
    """U-Net and text encoder as one module, so that one optimiser and one average serve both."""

    def __init__(self, plan: TrainingPlan) -> None:
        super().__init__()
        self.tokenizer = make_tokenizer()
        self.unet: Any = make_unet(plan.shape)
        self.text_encoder: Any = make_text_encoder(plan.shape, self.tokenizer)

    def forward(self, latents: Tensor, t: Tensor, ids: Tensor) -> Tensor:
        """Predicted v of noisy latents at steps t with token ids."""
        words = self.text_encoder(input_ids=ids).last_hidden_state
        predicted: Tensor = self.unet(latents, t, words).sample
        return predicted


def loss_of(
    model: Denoiser,
    scheduler: Any,
    latents: Tensor,
    ids: Tensor,
    empty: Tensor,
    generator: torch.Generator,
    drop: float,
) -> Tensor:
    """Mean squared error of v (Salimans and Ho 2022, section 4) at uniform steps."""
    n = len(latents)
    noise = torch.randn(latents.shape, generator=generator)
    t = torch.randint(scheduler.config.num_train_timesteps, (n,), generator=generator)
    silent = torch.rand(n, generator=generator) < drop
    ids = torch.where(silent[:, None], empty, ids)
    noisy = scheduler.add_noise(latents, noise, t).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        predicted = model(noisy, t, ids)
    return F.mse_loss(predicted.float(), scheduler.get_velocity(latents, noise, t))


@flushed()
def train(out: Path, plan: TrainingPlan, every: float = 180.0) -> Path:
    """Train everything, or go on, and write the pipeline; returns its folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.json").write_text(json.dumps(asdict(plan), indent=1))
    autoencoder = train_autoencoder(out, plan.shape, plan.squares, pool=plan.pool // 2)
    torch.manual_seed(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    model = Denoiser(plan).to(memory_format=torch.channels_last)
    scheduler, captions = make_scheduler(), Captions(model.tokenizer)
    empty = captions(torch.zeros(1, 12, dtype=torch.int64))
    average = Average(model, plan.ema)
    optimisers = optimisers_for(model, lr=plan.lr, matrix_lr=plan.matrix_lr)
    peaks = (plan.matrix_lr, plan.lr)
    file, step, spent, seen = out / "checkpoint.safetensors", 0, 0.0, None
    if file.exists():
        facts = restore(file, model, average, optimisers, generator)
        step, spent = facts["step"], facts["seconds"]
        seen = TrainingManifest.from_json(facts["seen"], str(file))
        click.echo(f"going on from {file}, {step * plan.batch:,} pictures seen", err=True)
    steps = plan.images // plan.batch
    if step < steps:
        pool = LatentPool(autoencoder, captions, generator, seen, plan.pool)
    log, last_save = Log(out / "log.csv", step * plan.batch, spent), time.monotonic()
    while step < steps:
        rate = min(1.0, (step + 1) / 50, (1 - step / steps) / plan.cool)
        for optimiser, peak in zip(optimisers, peaks, strict=True):
            optimiser.param_groups[0]["lr"] = peak * rate
        loss = loss_of(model, scheduler, *pool.batch(plan.batch), empty, generator, plan.drop)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        average.update(model)
        step += 1
        log.add(step * plan.batch, plan.images, float(loss.detach()), last=step == steps)
        if time.monotonic() - last_save > every or step == steps:
            facts = {"step": step, "seconds": log.seconds, "seen": pool.seen.to_json()}
            save(file, model, average, optimisers, generator, facts)
            last_save = time.monotonic()
    return publish(out, plan)


def publish(out: Path, plan: TrainingPlan) -> Path:
    """Write the averaged weights of a checkpoint as ``OUT/pipeline``, with their manifest."""
    autoencoder = train_autoencoder(out, plan.shape, plan.squares, pool=plan.pool // 2)
    model = Denoiser(plan)
    average = Average(model)
    facts = restore(out / "checkpoint.safetensors", model, average, [], torch.Generator())
    model.load_state_dict(average.weights, strict=False)
    folder = out / "pipeline"
    write_pipeline(folder, autoencoder, model.unet, model.text_encoder, model.tokenizer)
    TrainingManifest.from_json(facts["seen"]).save(folder / "captions.json")
    (folder / "curve.csv").write_bytes((out / "log.csv").read_bytes())
    return folder


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("training/sd"))
@click.option(
    "--squares", default=TrainingPlan().squares, help="Training squares of the autoencoder."
)
@click.option("--images", default=TrainingPlan().images, help="Training pictures of the U-Net.")
@click.option("--every", default=180.0, help="Seconds between checkpoints.")
def main(out: Path, squares: int, images: int, every: float) -> None:
    """Train the small Stable Diffusion, or go on training it."""
    click.echo(str(train(out, TrainingPlan(squares=squares, images=images), every)))


if __name__ == "__main__":
    main()
