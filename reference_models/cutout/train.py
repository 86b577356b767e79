"""Train the cutout network: ``python -m reference_models.cutout.train --icons FILE``.

Icons are an npz file of ``rgba`` (I, S, S, 4) and ``name`` (I,), a subject or empty, as
`reference_models.cutout.gather` writes it; photographs are every picture below the folders. What
the bundled weights were trained on is in their header.
Run again, it goes on from its last checkpoint.
"""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.cutout.data import Batch, composed, rendered
from reference_models.cutout.material import (
    OTHER,
    Material,
    cut_from_world,
    read_material,
    sources_of,
)
from reference_models.cutout.net import KINDS, NAMES, Cutout, folded
from reference_models.denormals import flushed
from reference_models.weights import write_weights

PATH = Path(__file__).parent / "weights" / "cutout.safetensors"
#: Pictures of a step: composed, and rendered.
COMPOSED, RENDERED = 40, 16
EMA = 0.998
_WEIGHTS = torch.tensor([1.0, 1.5, 2.0, 2.0])


def losses(model: Cutout, batch: Batch, bf16: bool) -> Tensor:
    """Cross entropy of kinds, overlap of things, cross entropy of names: (3,)."""
    x = (batch.image * 2 - 1).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        kinds, names = model(x)
    kinds, names = kinds.float(), names.float()
    target = batch.kinds * _WEIGHTS.view(1, -1, 1, 1)
    entropy = -(target * F.log_softmax(kinds, 1)).sum() / target.sum()
    chance = kinds.softmax(1)[:, 1:]
    truth = batch.kinds[:, 1:]
    shared = (chance * truth).sum((0, 2, 3))
    dice = 1 - (2 * shared / (chance.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)).mean()
    weight = torch.ones(len(NAMES))
    weight[OTHER] = 0.5
    naming = F.cross_entropy(names, batch.names, weight, ignore_index=-1)
    return torch.stack([entropy, 0.5 * dice, 0.3 * naming])


def draw(material: Material, g: torch.Generator) -> Batch:
    """One batch, composed and rendered pictures together."""
    parts = (composed(COMPOSED, material, g), rendered(RENDERED, g))
    return Batch(
        torch.cat([p.image for p in parts]),
        torch.cat([p.kinds for p in parts]),
        torch.cat([p.names for p in parts]),
    )


@torch.no_grad()
def overlap(model: Cutout, batch: Batch) -> dict[str, float]:
    """Intersection over union of each kind, and the share of thing places named right."""
    model.eval()
    kinds, names = model(batch.image * 2 - 1)
    said, true = kinds.argmax(1), batch.kinds.argmax(1)
    found = {}
    for index, kind in enumerate(KINDS):
        both = ((said == index) & (true == index)).sum()
        either = ((said == index) | (true == index)).sum()
        found[kind] = float(both / either.clamp(min=1))
    named = (batch.names >= 0) & (batch.names < OTHER)
    found["named"] = float((names.argmax(1) == batch.names)[named].float().mean())
    return {key: round(value, 4) for key, value in found.items()}


def save_checkpoint(
    path: Path, step: int, model: Cutout, slow: Cutout, opt: torch.optim.AdamW
) -> None:
    """Everything that a resume needs, written beside and renamed."""
    state: dict[str, Tensor] = {"step": torch.tensor(step)}
    for prefix, module in (("model", model), ("slow", slow)):
        state |= {f"{prefix}/{k}": v.contiguous().clone() for k, v in module.state_dict().items()}
    for index, slots in opt.state_dict()["state"].items():
        state |= {f"opt/{index}/{k}": v.clone().contiguous() for k, v in slots.items()}
    save_file(state, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def load_checkpoint(path: Path, model: Cutout, slow: Cutout, opt: torch.optim.AdamW) -> int:
    """Restore what `save_checkpoint` wrote; the number of steps done."""
    state = load_file(path)
    for prefix, module in (("model/", model), ("slow/", slow)):
        module.load_state_dict(
            {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        )
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        if key.startswith("opt/"):
            _, index, name = key.split("/")
            slots.setdefault(int(index), {})[name] = value
    opt.load_state_dict({"state": slots, "param_groups": opt.state_dict()["param_groups"]})
    return int(state["step"])


@click.command()
@click.option("--icons", type=click.Path(exists=True, path_type=Path), required=True)
@click.option(
    "--photos", type=click.Path(exists=True, path_type=Path), multiple=True, required=True
)
@click.option("--steps", default=3000, show_default=True)
@click.option("--rate", default=2e-3, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--bf16/--float32", default=True, show_default=True)
@click.option(
    "--sources",
    default="",
    help="What icons and photographs are, for the header.  [default: what the icons say]",
)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("cutout-training"))
@click.option("--out", type=click.Path(path_type=Path), default=PATH)
@flushed()
def main(
    icons: Path,
    photos: tuple[Path, ...],
    steps: int,
    rate: float,
    threads: int,
    bf16: bool,
    sources: str,
    folder: Path,
    out: Path,
) -> None:
    """Train, report on stderr, and write the weights now and then."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    material = read_material(icons, photos)
    sources = sources or sources_of(icons)
    world = cut_from_world(1080, torch.Generator().manual_seed(1))
    material = Material(
        torch.cat([material.icons, world.icons]),
        torch.cat([material.names, world.names]),
        material.photos,
    )
    model = Cutout().to(memory_format=torch.channels_last)
    slow = copy.deepcopy(model)
    decay: list[Tensor] = []
    rest: list[Tensor] = []
    for parameter in model.parameters():
        (decay if parameter.ndim > 1 else rest).append(parameter)
    opt = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}], lr=rate
    )
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.safetensors"
    first = load_checkpoint(checkpoint, model, slow, opt) if checkpoint.exists() else 0
    held = torch.Generator().manual_seed(987_654)
    trial = [composed(96, material, held), rendered(96, held)]
    started, mean = time.time(), torch.zeros(3)
    for step in range(first, steps):
        g = torch.Generator().manual_seed(1_000_003 + step)
        warm = min(1.0, (step + 1) / 50)
        for group in opt.param_groups:
            group["lr"] = rate * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
        model.train()
        parts = losses(model, draw(material, g), bf16)
        parts.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        share = min(EMA, (step + 1) / (step + 10))
        with torch.no_grad():
            own = model.state_dict()
            for name, value in slow.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(own[name], 1 - share)
        mean = mean.lerp(parts.detach(), 1 / min(25, step - first + 1))
        if step % 25 == 24:
            pace = (time.time() - started) / (step + 1 - first)
            line = " ".join(f"{x:.3f}" for x in mean.tolist())
            click.echo(f"step {step + 1}/{steps} {line} {pace:.2f} s/step", err=True)
        if step % 100 == 99 or step + 1 == steps:
            save_checkpoint(checkpoint, step + 1, model, slow, opt)
            found = {"step": step + 1} | {
                name: overlap(slow, batch)
                for name, batch in zip(("composed", "rendered"), trial, strict=True)
            }
            click.echo(json.dumps(found), err=True)
            with (folder / "curve.jsonl").open("a") as file:
                file.write(json.dumps(found) + "\n")
            write_weights(out, folded(slow).state_dict(), {"steps": step + 1, "data": sources})


if __name__ == "__main__":
    main()
