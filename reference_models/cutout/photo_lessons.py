"""What a training over photographs learns on: new pictures, or their features kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from reference_models.cutout.backbone import WIDTHS, Backbone
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
    whole,
)
from reference_models.cutout.photo_decoder import NAMES
from reference_models.cutout.photo_losses import seen_by

#: Of every so many scenes one is held out, and so many pictures of each kind are tried.
_HELD, _TRIED = 25, 64


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

    def trials(self, backbone: Backbone) -> dict[str, SeenPictures]:
        """Pictures that are not learned on, the same ones always, seen by a backbone."""
        g = torch.Generator(self.held.device).manual_seed(3)
        pictures = {
            "scenes": photoreal(self.scenes, self.held[:_TRIED], g),
            "composed": composed(min(_TRIED, len(self.held)), self.material, g),
        }
        apart = torch.zeros(_TRIED, dtype=torch.bool)
        return {
            name: lesson_of(one, apart[: len(one.names)], backbone)
            for name, one in pictures.items()
        }


def merged_half(n: int) -> Tensor:
    """Which of so many drawn pictures are composed ones, which do not tell wall from support."""
    return torch.arange(n) >= n // 2


@dataclass(frozen=True, slots=True, eq=False)
class SeenPictures:
    """What one step learns on: features of the backbone, and what is true of their pictures."""

    features: list[Tensor]
    truth: Truth


def lesson_of(pictures: Pictures, merged: Tensor, backbone: Backbone) -> SeenPictures:
    """What a backbone sees of pictures, and what is true of them."""
    return SeenPictures(seen_by(backbone, pictures.image), truth_of(pictures, merged))


def write_lesson(path: Path, lesson: SeenPictures) -> None:
    """Keep the features, in half precision, and the truth."""
    tensors = {f"features.{k}": f.half() for k, f in enumerate(lesson.features)}
    tensors |= {f.name: getattr(lesson.truth, f.name) for f in fields(Truth)}
    keep(path, tensors)


def read_lesson(path: Path, device: torch.device) -> SeenPictures:
    """What `write_lesson` kept."""
    stored = load_file(path, str(device))
    features = [stored[f"features.{k}"].float() for k in range(len(WIDTHS))]
    return SeenPictures(
        [f.contiguous(memory_format=torch.channels_last) for f in features],
        Truth(*(stored[f.name] for f in fields(Truth))),
    )


def read_mixture(
    icons: Path | None, photos: tuple[Path, ...], folder: Path | None, world: int
) -> TrainingMaterial:
    """Icons, subjects of the rendered world and things of scenes over photographs; and scenes."""
    if icons is None or folder is None:
        raise click.UsageError("--icons or --scenes is missing; expected both, to compose pictures")
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


def read_trials(folder: Path, device: torch.device) -> dict[str, SeenPictures]:
    """The held-out pictures among what ``features`` wrote."""
    found = sorted(folder.glob("held-*.safetensors"))
    return {path.stem.removeprefix("held-"): read_lesson(path, device) for path in found}


def lessons_of(
    mixture: TrainingMaterial, backbone: Backbone, size: int, drawn: int
) -> Iterator[tuple[str, Callable[[], SeenPictures]]]:
    """What ``features`` writes, made when it is asked for: drawn batches, then whole scenes."""
    device = mixture.learned.device

    def new(number: int) -> SeenPictures:
        g = torch.Generator(device).manual_seed(9_000_011 + number)
        return lesson_of(mixture.drawn(size, g), merged_half(size), backbone)

    def plain(rows: Tensor) -> SeenPictures:
        apart = torch.zeros(len(rows), dtype=torch.bool)
        return lesson_of(whole(mixture.scenes, rows), apart, backbone)

    for number in range(drawn):
        yield f"drawn-{number:05d}", partial(new, number)
    for number, rows in enumerate(mixture.learned.split(size)):
        yield f"whole-{number:05d}", partial(plain, rows)


def lessons_in(folder: Path) -> list[Path]:
    """What ``features`` has written so far, the held-out pictures left out."""
    found = sorted(folder.glob("*-*.safetensors"))
    return [path for path in found if not path.stem.startswith("held-")]


def picked(folder: Path, g: torch.Generator) -> Path:
    """One of the lessons that ``features`` has written so far."""
    kept = lessons_in(folder)
    if not kept:
        raise click.UsageError(f"no lesson in {folder}; expected what `features --out` wrote")
    return kept[int(torch.randint(len(kept), (), generator=g, device="cpu"))]
