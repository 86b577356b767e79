"""The trainings behind the figures: ``python -m reference_models.ingredients.trainings --out DIR``.

``schedule`` is the members that see full noise and that never do, three times each; ``norm`` is
short trainings with and without normalisation. Both in processes of their own, side by side. What
was made before is not made again; what is not done after ``--seconds`` is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import torch

from reference_models.denormals import flushed
from reference_models.ingredients import normalisation, schedule
from reference_models.policies import policy
from reference_models.training_pictures import draw_pictures

PARTS = ("schedule", "norm")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of all of it.")
@click.option("--part", type=click.Choice(PARTS), help="In this process; all by default.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--seconds", default=7200.0, show_default=True, help="After which all is stopped.")
@click.option("--images", type=int, help="Pictures a training of the schedule, for a rehearsal.")
@click.option("--norm-images", default=24_000, show_default=True, help="Of each with or without.")
@click.option("--norm-seeds", default=1, show_default=True)
@click.option("--pool", default=schedule.POOL, show_default=True, help="Pictures drawn.")
@flushed()
def main(
    out: Path,
    part: str | None,
    device: str,
    seconds: float,
    images: int | None,
    norm_images: int,
    norm_seeds: int,
    pool: int,
) -> None:
    """Train what the figures show."""
    deadline = time.monotonic() + seconds
    if part is None:
        one = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        command = [sys.executable, "-m", "reference_models.ingredients.trainings", *sys.argv[1:]]
        jobs = {name: subprocess.Popen([*command, "--part", name], env=one) for name in PARTS}
        failed = [name for name, job in jobs.items() if job.wait()]
        click.echo(_summary(out))
        if failed:
            raise click.ClickException(f"{', '.join(failed)} failed; the messages stand above")
        return
    if device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")
    if part == "schedule":
        schedule.train(out, device, deadline, images, pool)
        return
    preset = normalisation.PRESET
    place = torch.device(device)
    pictures = draw_pictures(min(pool, 8192), 1, policy(preset.policy), device=place)
    # Where it breaks comes first.
    for seed in range(1, norm_seeds + 1):
        for factor in sorted(normalisation.RATES, reverse=True):
            for name, normalised in (("without", False), ("with", True)):
                folder = out / f"norm-{name}-{factor:g}-seed{seed}"
                normalisation.train(
                    folder, normalised, factor, seed, device, pictures, norm_images, deadline
                )


def _summary(out: Path) -> str:
    tone = out / "tone.json"
    made = len(json.loads(tone.read_text())) - 1 if tone.exists() else 0
    curves = len(list(out.glob("norm-*/curve.csv")))
    return f"{out}: {made} trainings in tone.json, {curves} curves with and without normalisation"


if __name__ == "__main__":
    main()
