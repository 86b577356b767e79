"""From a guided teacher to a student of few steps: ``python -m reference_models.distil``.

Two savings at once, both learned from the teacher's own trajectories. Guidance takes two calls of
the network a step; the student learns their combination (Meng et al. 2023, "On Distillation of
Guided Diffusion Models", stage one). And each step of the student covers two of the teacher's
(Salimans and Ho 2022, "Progressive Distillation", algorithm 2), here along the teacher's own
states instead of noised pictures: it regresses the mean velocity between the states at its own
times. The student begins with the teacher's weights, and is taught with captions of pairs that the
teacher was taught; held-out pairs stay held out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models.denormals import flushed
from reference_models.presets import TrainingPreset, build
from reference_models.publish import publish
from reference_models.sampling import Settings
from reference_models.sheet import write_sheet
from reference_models.tokens.model import TokenModel
from reference_models.train_upsampler import upsampler_for
from reference_models.training import Training
from reference_models.trajectories import Trajectories
from reference_models.weights import FOLDER, fill, read_weights


def regression(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Mean squared error of the student's velocity over its step, a scalar."""
    x, t, ids, target = batch
    with torch.autocast("cpu", torch.bfloat16):
        predicted = model(x, t, model.encode(ids))  # type: ignore[operator]
    return F.mse_loss(predicted.float(), target)


@click.command()
@click.option(
    "--teacher", type=click.Path(path_type=Path), default=FOLDER / "local-teacher.safetensors"
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("training/local-distilled"))
@click.option("--images", default=120_000, help="Steps of the student to learn from.")
@click.option("--batch", default=64)
@click.option("--lr", default=5e-4)
@click.option("--matrix-lr", default=4e-3)
@click.option("--steps", default=4, help="Steps of the student.")
@click.option("--teacher-steps", default=8)
@click.option("--guidance-scale", default=4.0)
@click.option("--compile/--eager", "compiled", default=False, help="Use torch.compile.")
@flushed()
def main(
    teacher: Path,
    out: Path,
    images: int,
    batch: int,
    lr: float,
    matrix_lr: float,
    steps: int,
    teacher_steps: int,
    guidance_scale: float,
    compiled: bool,
) -> None:
    """Distil a guided model into one of few steps without guidance."""
    tensors, facts = read_weights(teacher)
    original = TrainingPreset(**facts["preset"])
    preset = replace(
        original,
        images=images,
        batch=batch,
        lr=lr,
        matrix_lr=matrix_lr,
        cool=0.9,
        steps=steps,
        guidance_scale=1.0,
    )
    torch.manual_seed(preset.seed)
    old, student = build(original), build(preset)
    if isinstance(old, TokenModel):
        raise click.UsageError(
            f"{teacher} draws code by code; expected a model of steps, such as local-teacher"
        )
    for model in (old, student):
        fill(model, tensors, f"{original.network}.", teacher)
        model.to(memory_format=torch.channels_last)
    old.to(torch.bfloat16).requires_grad_(False)
    training = Training(preset, out, student)
    settings = Settings(teacher_steps, guidance_scale)
    pool = Trajectories(old, original, settings, training.generator, steps)
    call = torch.compile(regression) if compiled else regression

    def sheet(path: Path) -> None:
        write_sheet(path, student, training.average.weights, preset)

    seen = TrainingManifest.load(teacher.with_name(f"{teacher.stem}.manifest.json")).to_json()
    training.run(
        lambda: call(student, pool.batch(batch)),
        lambda: {"seen": seen, "distilled": {"guidance_scale": guidance_scale}},
        sheet,
        sheet_every=300.0,
    )
    upsampler_for(out)
    publish(out, "local-clean")


if __name__ == "__main__":
    main()
