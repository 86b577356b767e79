"""Tell the rendered world from the rest: ``python -m reference_models.cutout.photo_router``.

Its flat drawings are what the small network was made for. A logistic regression on the mean
features of the backbone, trained on scenes of the rendered world in several sizes and lights, and
on photoreal scenes, composed pictures and photographs.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from reference_models.clip.augment import degrade
from reference_models.cutout.backbone import WIDTHS, Backbone
from reference_models.cutout.material import read_material
from reference_models.cutout.photo_data import composed
from reference_models.cutout.photo_decoder import SIDE
from reference_models.cutout.photo_lessons import keep
from reference_models.cutout.photo_train import read_backbone
from reference_models.world.known import known_scenes

#: Seed of the rendered scenes: none that the certificate uses.
_SEED = 777_000


def mean_features(features: list[Tensor]) -> Tensor:
    """Means over the picture of all features (N, 496), float32."""
    return torch.cat([f.float().mean((2, 3)) for f in features], 1)


@torch.no_grad()
def looked_at(model: Backbone, images: Tensor) -> Tensor:
    """Mean features of images (N, 3, H, W) in [0, 1]."""
    x = F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True).clamp(0, 1) * 2 - 1
    x = x.to(next(model.parameters()).dtype, memory_format=torch.channels_last)
    return torch.cat([mean_features(model(part)) for part in x.split(8)])


def rendered(n: int, size: int, number: int, degraded: bool) -> Tensor:
    """Scenes of the rendered world, none of them black."""
    g = torch.Generator().manual_seed(_SEED + number)
    known = known_scenes(n, g, light=(0.8, 1.1), cast=0.1, scale=(0.5, 1.1), clutter=0.5)
    image = known.draw(size).image
    image = image[torch.tensor([v[0] != "invalid" for v in known.verdicts])]
    return degrade(image, g) if degraded else image


@click.command()
@click.option("--backbone", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--icons", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--scenes", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    backbone: Path, icons: Path, photos: tuple[Path, ...], scenes: Path, out: Path
) -> None:  # fmt: skip
    """Fit the regression; write its weight (1, 496) and bias (1,)."""
    torch.set_num_threads(1)
    model = read_backbone(backbone).to(memory_format=torch.channels_last)
    if torch.cpu._is_avx512_bf16_supported():
        model = model.bfloat16()
    inside = [
        looked_at(model, rendered(n, size, number, degraded))
        for number, (n, size, degraded) in enumerate(
            (
                (50, 160, False),
                (60, 256, False),
                (40, 256, True),
                (40, 512, False),
                (10, 1024, False),
            )
        )
    ]
    material = read_material(icons, photos)
    outside = [looked_at(model, material.photos.float() / 255)]
    for number in range(10):
        g = torch.Generator().manual_seed(_SEED + 100 + number)
        outside.append(looked_at(model, composed(16, material, g).image))
    for line in (scenes / "scenes.jsonl").read_text().splitlines()[:240]:
        with Image.open(scenes / f"{json.loads(line)['number']:05d}.jpg") as file:
            image = torch.from_numpy(np.array(file.convert("RGB"))).permute(2, 0, 1)[None]
        outside.append(looked_at(model, image.float() / 255))
    x, y = torch.cat(inside + outside), torch.zeros(sum(map(len, inside + outside)))
    y[: sum(map(len, inside))] = 1
    mean, scale = x.mean(0), x.std(0) + 1e-3
    z = (x - mean) / scale
    weight, bias = torch.zeros(sum(WIDTHS), requires_grad=True), torch.zeros(1, requires_grad=True)
    opt = torch.optim.LBFGS([weight, bias], max_iter=300)

    def loss() -> Tensor:
        opt.zero_grad()
        cross = F.binary_cross_entropy_with_logits(z @ weight + bias, y)
        total = cross + 0.01 * weight.square().sum()
        total.backward()
        return total

    opt.step(loss)
    said = (z @ weight + bias).detach()
    click.echo(f"rendered: least {said[y == 1].min():.2f}; others: most {said[y == 0].max():.2f}")
    flat = (weight / scale).detach()
    keep(out, {"weight": flat[None], "bias": bias.detach() - (flat * mean).sum()})


if __name__ == "__main__":
    main()
