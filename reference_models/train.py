"""Train a model of the family: ``python -m reference_models.train --preset local``.

Pictures come from the rendered world while they are needed. Every few minutes a checkpoint, a
line of ``log.csv`` and a sample sheet are written; a training that was stopped goes on from its
last checkpoint when the same command is given again. At the end the upsampler is trained, and the
averaged weights and the manifest of what the captions said are written as one model.
"""

from __future__ import annotations

import csv
import json
import time
from dataclasses import asdict
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models.checkpoint import restore, save
from reference_models.data import Pool
from reference_models.ema import Average
from reference_models.optimiser import make_optimisers
from reference_models.path import between, velocity
from reference_models.presets import PRESETS, Preset, build
from reference_models.publish import publish
from reference_models.sheet import write_sheet
from reference_models.times import training_times
from reference_models.train_upsampler import train_upsampler


def rate(done: float, preset: Preset) -> float:
    """Factor on the learning rates when a share ``done`` of the training is over."""
    rise = min(1.0, done / preset.warm) if preset.warm else 1.0
    fall = min(1.0, (1 - done) / preset.cool) if preset.cool else 1.0
    return max(0.0, min(rise, fall))


def loss_of(
    model: nn.Module, pictures: Tensor, ids: Tensor, generator: torch.Generator, drop: float
) -> Tensor:
    """Flow-matching loss: mean squared error of the velocity, a scalar.

    Lipman et al. 2023, eq. 9, on the straight path.
    """
    n = len(pictures)
    t = training_times(n, generator)
    noise = torch.randn(pictures.shape, generator=generator)
    silent = torch.rand(n, generator=generator) < drop
    ids = torch.where(silent[:, None], 0, ids)
    device = next(model.parameters()).device
    pictures, noise, t, ids = (v.to(device) for v in (pictures, noise, t, ids))
    with torch.autocast(device.type, torch.bfloat16):
        predicted = model(between(noise, pictures, t), t, model.encode(ids))  # type: ignore[operator]
    return F.mse_loss(predicted.float(), velocity(noise, pictures))


@click.command()
@click.option("--preset", "name", type=click.Choice(sorted(PRESETS)), default="local")
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Folder of the training."
)
@click.option("--device", default="cpu")
@click.option("--every", default=180.0, help="Seconds between checkpoints.")
@click.option("--sheet-every", default=600.0, help="Seconds between sample sheets.")
def main(name: str, out: Path | None, device: str, every: float, sheet_every: float) -> None:
    """Train, or go on training, the model of a preset."""
    preset = PRESETS[name]
    out = out or Path("training") / name
    out.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.manual_seed(preset.seed)
    generator = torch.Generator().manual_seed(preset.seed)
    model = build(preset).to(device).to(memory_format=torch.channels_last)
    average = Average(model, preset.ema)
    optimisers = make_optimisers(model, preset.lr, preset.matrix_lr)
    peaks = [[g["lr"] for g in o.param_groups] for o in optimisers]
    step, spent, seen = 0, 0.0, None
    file = out / "checkpoint.safetensors"
    if file.exists():
        facts = restore(file, model, average, optimisers, generator)
        step, spent = facts["step"], facts["seconds"]
        seen = TrainingManifest.from_json(facts["seen"], str(file))
        click.echo(f"going on from {file}, {step * preset.batch:,} pictures seen", err=True)
    (out / "preset.json").write_text(json.dumps(asdict(preset), indent=1))
    pool = Pool(generator, seen=seen)
    steps = preset.images // preset.batch
    started = last_save = last_log = time.monotonic()
    last_sheet, first_step, recent = started, step, []
    while step < steps:
        factor = rate(step / steps, preset)
        for optimiser, lrs in zip(optimisers, peaks, strict=True):
            for group, lr in zip(optimiser.param_groups, lrs, strict=True):
                group["lr"] = lr * factor
        loss = loss_of(model, *pool.batch(preset.batch), generator, preset.drop)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        average.update(model)
        recent.append(float(loss.detach()))
        step += 1
        now = time.monotonic()
        if now - last_log > 15 or step == steps:
            speed = (step - first_step) * preset.batch / (now - started)
            left = (steps - step) * preset.batch / speed / 60
            mean = sum(recent) / len(recent)
            click.echo(
                f"{step * preset.batch:>9,} of {preset.images:,} pictures  loss {mean:.4f}  "
                f"{speed:.0f}/s  {left:.0f} min left",
                err=True,
            )
            with (out / "log.csv").open("a", newline="") as log:
                csv.writer(log).writerow(
                    [step * preset.batch, round(spent + now - started, 1), round(mean, 5)]
                )
            last_log, recent = now, []
        if now - last_save > every or step == steps:
            facts = {
                "step": step,
                "seconds": spent + now - started,
                "preset": asdict(preset),
                "seen": pool.seen.to_json(),
            }
            save(file, model, average, optimisers, generator, facts)
            last_save = now
        if now - last_sheet > sheet_every or step == steps:
            write_sheet(out / f"sheet-{step:06d}.png", model, average.weights)
            last_sheet = now
    upsampler = out / "upsampler.safetensors"
    if not upsampler.exists():
        train_upsampler(upsampler)
    publish(out, name)


if __name__ == "__main__":
    main()
