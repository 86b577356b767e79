"""The story of the blue potato: ``python -m reference_models.story``.

Runs the suite with the trajectory on one prompt for two models, and puts their filmstrips one above
the other: the frames of each model above those of its control, with the verdict under each frame.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

_HEAD = 22


def strip_of(model: str, colour: str, subject: str, steps: int, out: Path) -> Path:
    """Run the suite on one prompt; returns the filmstrip that it wrote."""
    name = f"story-{model}-{colour}-{subject}"
    command = [sys.executable, "-m", "bench", "run", "--model", model, "--runs", str(out)]
    command += ["--name", name, "--colours", colour, "--subjects", subject, "--seeds", "1"]
    command += ["--templates", "single,control", "--trajectory"]
    command += ["--scorer", "segmentation"]
    command += ["--steps", str(steps)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out / name / "filmstrips" / f"single-{colour}-{subject}-0.png"


def stacked(strips: list[tuple[str, Image.Image]]) -> Image.Image:
    """Strips one above the other, each under its title."""
    width = max(strip.width for _, strip in strips)
    height = sum(strip.height + _HEAD for _, strip in strips)
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    pen, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(14), 0
    for title, strip in strips:
        pen.text((8, top + 4), title, (20, 20, 20), font)
        sheet.paste(strip, (0, top + _HEAD))
        top += _HEAD + strip.height
    return sheet


def rows_used(sheet: Image.Image) -> Image.Image:
    """The picture without white rows at its foot."""
    dark = np.flatnonzero((np.asarray(sheet.convert("L")) < 250).any(1))
    return sheet.crop((0, 0, sheet.width, int(dark[-1]) + 8)) if len(dark) else sheet


@click.command()
@click.option("--models", default="local-atomic,local-teacher", help="Two or more, by comma.")
@click.option("--colour", default="blue")
@click.option("--subject", default="potato")
@click.option("--steps", default=8)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Run folders.")
@click.option("--picture", type=click.Path(path_type=Path), default=Path("docs/images/story.png"))
def main(models: str, colour: str, subject: str, steps: int, out: Path, picture: Path) -> None:
    """Draw one prompt with several models, step by step, and write one picture."""
    strips = []
    for model in models.split(","):
        path = strip_of(model, colour, subject, steps, out)
        strips.append((model, rows_used(Image.open(path).convert("RGB"))))
    picture.parent.mkdir(parents=True, exist_ok=True)
    stacked(strips).save(picture)
    click.echo(str(picture))


if __name__ == "__main__":
    main()
