"""The trainings behind the figures: ``python -m reference_models.ingredients.trainings --out DIR``.

Three parts, each in processes of its own: ``masked`` is the member ``local-masked``; ``schedule``
is ``local-capped`` and ``local-cov-75``, alike but for the noise that the first never sees, with
three seeds; ``norm`` is short trainings with and without normalisation. Each goes on from its last
checkpoint when the command is given again; what is not done after ``--seconds`` is stopped, and its
weights are those of the last checkpoint.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from reference_models.ingredients.normalisation import RATES, train
from reference_models.publish import publish
from reference_models.train_upsampler import upsampler_for

#: Members that differ in the noise that they see alone.
SCHEDULE = ("local-cov-75", "local-capped")
SEEDS = (1, 2, 3)
PARTS = ("masked", "norm", *(f"schedule-{seed}" for seed in SEEDS))


def _member(
    name: str, seed: int, out: Path, device: str, images: int | None, deadline: float
) -> None:
    """Train a member in a process of its own; at the deadline keep what it has come to."""
    folder = out / f"{name}-seed{seed}"
    weights = folder / f"{name}.safetensors"
    if weights.exists() or time.monotonic() > deadline:
        return
    command = [sys.executable, "-m", "reference_models.train", "--preset", name, "--device", device]
    command += ["--seed", str(seed), "--out", str(folder), "--every", "20", "--sheet-every", "1e9"]
    if images is not None:
        command += ["--images", str(images)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output.txt").open("a") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if not weights.exists() and (folder / "checkpoint.safetensors").exists():
        upsampler_for(folder)
        publish(folder, name)


def _normalisation(out: Path, seeds: int, device: str, images: int, deadline: float) -> None:
    for seed in range(1, seeds + 1):
        for factor in RATES:
            for name, normalised in (("with", True), ("without", False)):
                if time.monotonic() < deadline:
                    folder = out / f"norm-{name}-{factor:g}-seed{seed}"
                    train(folder, normalised, factor, seed, device, images, deadline)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of all of it.")
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="All by default.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--seconds", default=3600.0, show_default=True, help="After which all is stopped.")
@click.option("--images", type=int, help="Pictures a training of a member, for a rehearsal.")
@click.option("--norm-images", default=24_000, show_default=True, help="Of each without or with.")
@click.option("--norm-seeds", default=2, show_default=True)
@click.option("--alone", is_flag=True, hidden=True, help="This process does the one part.")
def main(
    out: Path,
    parts: tuple[str, ...],
    device: str,
    seconds: float,
    images: int | None,
    norm_images: int,
    norm_seeds: int,
    alone: bool,
) -> None:
    """Train what the figures show."""
    deadline = time.monotonic() + seconds
    parts = parts or PARTS
    if not alone:
        options = ["--out", str(out), "--device", device, "--seconds", str(seconds)]
        options += ["--norm-images", str(norm_images), "--norm-seeds", str(norm_seeds), "--alone"]
        if images is not None:
            options += ["--images", str(images)]
        command = [sys.executable, "-m", "reference_models.ingredients.trainings", *options]
        one = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        with ThreadPoolExecutor(len(parts)) as pool:
            jobs = {
                part: pool.submit(subprocess.run, [*command, "--part", part], env=one)
                for part in parts
            }
        failed = [part for part, job in jobs.items() if job.result().returncode]
        made = sorted(path.parent.name for path in out.glob("*/*.safetensors") if _is_whole(path))
        curves = len(list(out.glob("norm-*/curve.csv")))
        click.echo(f"{out}: {', '.join(made)}; {curves} curves with and without normalisation")
        if failed:
            raise click.ClickException(f"{', '.join(failed)} failed; the messages stand above")
        return
    for part in parts:
        kind, _, seed = part.partition("-")
        if kind == "masked":
            _member("local-masked", 1, out, device, images, deadline)
        elif kind == "norm":
            _normalisation(out, norm_seeds, device, norm_images, deadline)
        else:
            for name in SCHEDULE:
                _member(name, int(seed), out, device, images, deadline)


def _is_whole(path: Path) -> bool:
    return path.stem.startswith("local-")


if __name__ == "__main__":
    main()
