"""Which captions make a model leak as real ones do? ``python -m reference_models.study.recipes``.

Trains ``local`` by several recipes, runs the suite on each, holds the runs against the bars of
``bars.py``, and keeps the weights of the best. Made for a GPU, where all trainings go on side by
side; ``--device cpu --images 640`` tries it out. What is done is done again only in a new folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch

from bench.store.run import Run
from reference_models.policies import policy
from reference_models.presets import PRESETS, TrainingPreset, build
from reference_models.publish import blended
from reference_models.resident import ResidentTraining
from reference_models.study.bars import Bars, bars_of, table
from reference_models.train import begin
from reference_models.training_pictures import draw_pictures
from reference_models.weights import find_weights, read_weights, write_weights
from reference_models.world.caption_noise import CaptionNoise

#: Pictures drawn for each picture shown: each is shown about twice, with other noise.
REUSE = 2
#: Steps of each training before its speed is taken, and by which it is; share of the time planned.
TRIED, MARGIN = 30, 0.8
#: Points of a training's curve.
POINTS = 12
#: Files of a trained model.
ENDS = (".safetensors", ".manifest.json", ".curve.csv")
#: What is kept of the best run beside its bars.
RUN_FILES = ("run.json", "estimates.json", "verdicts.parquet")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training of ``local``, and the guidance scales at which it is tried."""

    name: str
    preset: TrainingPreset
    scales: tuple[float, ...]


def recipes(images: int) -> list[Recipe]:
    """The preset of ``local`` and its variations, the likeliest first."""
    base = replace(PRESETS["local"], images=images)
    noise = base.noise

    def varied(name: str, scales: tuple[float, ...] = (2.5,), **other: Any) -> Recipe:
        changed = replace(noise, **{k: v for k, v in other.items() if k in CaptionNoise.__slots__})
        rest = {k: v for k, v in other.items() if k not in CaptionNoise.__slots__}
        return Recipe(name, replace(base, noise=changed, **rest), scales)

    return [
        varied("base", (2.0, 3.0)),
        varied("looser", loose=noise.loose + 0.1),
        varied("stricter", loose=noise.loose - 0.1),
        varied("exchanged", exchanged=noise.exchanged + 0.2),
        varied("plates", plate=0.6, wall=0.15, table=0.1, frame=0.15),
        varied("base-seed2", seed=2),
        varied("base-seed3", seed=3),
        varied(
            "scratch", init="", blend=1.0, images=3 * images, batch=64, lr=2e-3, matrix_lr=0.015
        ),
    ]


def train(
    chosen: Sequence[Recipe], device: torch.device, deadline: float
) -> Iterator[tuple[Recipe, ResidentTraining, dict[str, Any]]]:
    """Train all recipes side by side; yields those that came to their end."""
    waiting: list[tuple[Recipe, ResidentTraining, dict[str, Any]]] = []
    for number, recipe in enumerate(chosen):
        preset, shown = recipe.preset, policy(recipe.preset.policy)
        count = max(preset.batch, preset.images // REUSE)
        pictures = draw_pictures(count, 1000 + number, shown, preset.noise, device)
        torch.manual_seed(preset.seed)
        model = build(preset)
        if preset.init:
            begin(model, preset.init)
        training = ResidentTraining(model, preset, [(pictures, 1.0)], device, bf16=True)
        waiting.append((recipe, training, {"seen": pictures.seen, "clock": []}))
        click.echo(f"{recipe.name}: {count:,} pictures drawn", err=True)
    started, several = time.monotonic(), len(waiting)
    tried = min(TRIED, min(training.steps for _, training, _ in waiting) // 4)
    for rounds in (tried, tried):
        since = time.monotonic()
        for _, training, _ in waiting * rounds:
            training.advance()
    each = (time.monotonic() - since) / max(1, tried * several)
    waiting = affordable(waiting, each, deadline - time.monotonic())
    click.echo(f"{1000 * each:.1f} ms a step, {len(waiting)} of {several} trainings", err=True)
    while waiting and time.monotonic() < deadline:
        for one in list(waiting):
            recipe, training, facts = one
            over = training.advance()
            if over or training.done % max(1, training.steps // POINTS) == 0:
                facts["clock"].append((training.done, time.monotonic() - started))
            if over:
                training.finish()
                waiting.remove(one)
                facts["device"] = f"{_name_of(device)}, beside {several - 1} other trainings"
                yield one
    for recipe, training, _ in waiting:
        click.echo(f"{recipe.name}: out of time at {training.done} of {training.steps}", err=True)


def affordable(waiting: list[Any], each: float, left: float) -> list[Any]:
    """The first trainings, at least one, whose steps take no more than most of the time left.

    Parameters
    ----------
    waiting : list of (Recipe, ResidentTraining, facts)
    each, left : float
        Seconds of a step, and to the deadline.
    """
    kept: list[Any] = []
    taken = 0.0
    for one in waiting:
        taken += each * (one[1].steps - one[1].done)
        if kept and taken > MARGIN * left:
            click.echo(f"{one[0].name}: no time for it", err=True)
        else:
            kept.append(one)
    return kept


def _name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"


def write(recipe: Recipe, training: ResidentTraining, facts: Mapping[str, Any], out: Path) -> Path:
    """Write weights, manifest and curve where ``bench run --model local-seedN`` finds them."""
    number = 100 + sum(1 for _ in (out / "training").glob("local-seed*"))
    folder = out / "training" / f"local-seed{number}"
    folder.mkdir(parents=True)
    tensors, _ = read_weights(find_weights(recipe.preset.init or "local-teacher"))
    prefix = recipe.preset.network
    trained = {f"{prefix}.{n}": v.cpu() for n, v in training.average.items()}
    network = blended(trained, recipe.preset)
    whole = network | {n: v for n, v in tensors.items() if n.startswith("upsampler.")}
    kept = {
        "preset": asdict(recipe.preset),
        "pictures": training.steps * recipe.preset.batch,
        "seconds": round(facts["clock"][-1][1]),
        "device": facts["device"],
        "recipe": recipe.name,
    }
    write_weights(folder / "local.safetensors", whole, kept)
    facts["seen"].save(folder / "local.manifest.json")
    start, rows = 0, []
    for done, seconds in facts["clock"]:
        loss = float(training.losses[start:done].mean())
        rows.append(f"{done * recipe.preset.batch},{seconds:.1f},{loss:.5f}")
        start = done
    (folder / "local.curve.csv").write_text("\n".join(rows) + "\n")
    return folder


def name_of(folder: Path, scale: float) -> str:
    """Name of the run of a folder's weights at a guidance scale."""
    return f"{folder.name}-guidance-{scale:g}"


def measure(
    folder: Path, scale: float, out: Path, device: str, grid: str, deadline: float
) -> Bars | None:
    """Run the suite on the weights of a folder; None where time was out or it failed."""
    left = deadline - time.monotonic()
    name = name_of(folder, scale)
    command = [sys.executable, "-m", "bench", "run", "--model", folder.name, "--name", name]
    command += ["--guidance-scale", f"{scale:g}", "--scorer", "segmentation", "--device", device]
    command += ["--runs", str(out / "runs"), *grid.split()]
    found = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": found}
    if left < 5:
        return None
    try:
        subprocess.run(
            command, cwd=out, env=environment, timeout=left, check=True, capture_output=True
        )
        return bars_of(Run(out / "runs" / name))
    except subprocess.SubprocessError as error:
        told = getattr(error, "stderr", b"") or b""
        click.echo(f"{name}: {error} {told.decode()[-300:]}", err=True)
        return None


def rank(bars: Bars) -> tuple[int, float]:
    """Fewest bars missed first, then the fewest absent subjects."""
    return len(bars.missed()), bars.absent


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--device", default="cuda", show_default=True)
@click.option("--seconds", default=330.0, show_default=True, help="To stop after.")
@click.option("--images", default=PRESETS["local"].images, show_default=True, help="Pictures each.")
@click.option("--only", default="", help="Names of recipes, by comma.")
@click.option("--grid", default="--preset default --seeds 4", show_default=True)
@click.option("--workers", default=6, show_default=True, help="Runs of the suite at once.")
@click.option("--best", default=2, show_default=True, help="Weight files to keep in OUT/best.")
def main(
    out: Path,
    device: str,
    seconds: float,
    images: int,
    only: str,
    grid: str,
    workers: int,
    best: int,
) -> None:
    """Train local by several recipes and hold each against the bars."""
    out = out.resolve()
    (out / "best").mkdir(parents=True)
    started = time.monotonic()
    deadline = started + seconds
    wanted = [r for r in recipes(images) if not only or r.name in only.split(",")]
    jobs, found = [], {}
    with ThreadPoolExecutor(workers) as pool:
        trained = train(wanted, torch.device(device), started + 0.6 * seconds)
        for recipe, training, facts in trained:
            folder = write(recipe, training, facts, out)
            click.echo(
                f"{recipe.name}: trained in {facts['clock'][-1][1]:.0f} s, {folder}", err=True
            )
            jobs += [
                (
                    recipe,
                    scale,
                    folder,
                    pool.submit(measure, folder, scale, out, device, grid, deadline),
                )
                for scale in recipe.scales
            ]
        for recipe, scale, folder, job in jobs:
            if (bars := job.result()) is not None:
                found[f"{recipe.name} {scale:g}"] = (bars, recipe, scale, folder)
                _keep(out, found, best)
    click.echo(f"{len(found)} runs of {len(jobs)} measured in {time.monotonic() - started:.0f} s")


def _keep(out: Path, found: Mapping[str, tuple[Bars, Recipe, float, Path]], best: int) -> None:
    """Write the table, and the weights of the best with their guidance scale."""
    ranked = dict(sorted(found.items(), key=lambda item: rank(item[1][0])))
    (out / "best" / "bars.md").write_text(table({n: one[0] for n, one in ranked.items()}) + "\n")
    rows = [
        {"name": n, **asdict(b), "missed": b.missed(), "scale": s, "preset": asdict(r.preset)}
        for n, (b, r, s, _) in ranked.items()
    ]
    (out / "best" / "bars.json").write_text(json.dumps(rows, indent=1))
    (_, _, scale, folder), *_ = ranked.values()
    (out / "best" / "run").mkdir(exist_ok=True)
    for name in RUN_FILES:
        file = out / "runs" / name_of(folder, scale) / name
        (out / "best" / "run" / name).write_bytes(file.read_bytes())
    folders = list(dict.fromkeys(one[3] for one in ranked.values()))[:best]
    for old in (out / "best").glob("*.safetensors"):
        if old.stem not in {f.name for f in folders}:
            for end in ENDS:
                old.with_suffix(end).unlink()
    for folder in folders:
        for end in ENDS:
            target = out / "best" / f"{folder.name}{end}"
            if not target.exists():
                target.write_bytes((folder / f"local{end}").read_bytes())


if __name__ == "__main__":
    main()
