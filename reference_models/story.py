"""The story of the blue potato: ``python -m reference_models.story``.

Runs the suite on one prompt, many times, and draws where the colour went: a row a place, the
clearest image of each, from noise to picture.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pandas as pd
import torch
from PIL import Image, ImageDraw, ImageFont

from reference_models.local import LocalModel
from reference_models.weights import find_weights

SIDE, GAP, HEAD, LABEL = 96, 6, 26, 132
PAPER, INK, QUIET = (255, 255, 255), (20, 20, 20), (110, 110, 110)


def run_of(model: str, colour: str, subject: str, seeds: int, out: Path) -> Path:
    """Run the suite on one prompt and its control; returns the folder."""
    name = f"story-{model}-{colour}-{subject}"
    command = [sys.executable, "-m", "bench", "run", "--model", model, "--runs", str(out)]
    command += ["--name", name, "--colours", colour, "--subjects", subject, "--seeds", str(seeds)]
    command += ["--templates", "single,control", "--scorer", "segmentation"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out / name


def chapters(verdicts: pd.DataFrame, subject: str) -> dict[str, str]:
    """Where the colour went, in words, and the id of the image that shows it best.

    Parameters
    ----------
    verdicts : DataFrame
        ``verdicts.parquet`` of a run on one prompt.
    """
    rule = verdicts["rule"].where(verdicts["verdict"].isin(("neighbour", "background")), "")
    kinds = {
        "the frame": (rule == "leak_picture_frame", verdicts["value"] - verdicts["bind"]),
        "the wall": (rule == "leak_wall", verdicts["value"] - verdicts["bind"]),
        "the table": (rule == "leak_support", verdicts["value"] - verdicts["bind"]),
        "the plate": (rule == "leak_plate", verdicts["value"] - verdicts["bind"]),
        f"half the {subject}": (
            (verdicts["verdict"] == "mixed") & (verdicts["prior"] > 0.2),
            -(verdicts["bind"] - verdicts["prior"]).abs(),
        ),
        f"the {subject}": (verdicts["verdict"] == "bound", verdicts["bind"]),
        "nothing": (verdicts["verdict"] == "prior", verdicts["prior"]),
    }
    found = {}
    for words, (rows, clear) in kinds.items():
        if rows.any():
            found[words] = str(verdicts.loc[clear[rows].idxmax(), "sample_id"])
    return found


def sheet_of(films: dict[str, list[Image.Image]], heads: list[str]) -> Image.Image:
    """One row a film, its words at the left, and a head over each column."""
    width = LABEL + len(heads) * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, HEAD + len(films) * (SIDE + GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(16), ImageFont.load_default(12)
    for column, head in enumerate(heads):
        pen.text((LABEL + column * (SIDE + GAP), 7), head, QUIET, small)
    for number, (words, film) in enumerate(films.items()):
        top = HEAD + number * (SIDE + GAP)
        pen.text((10, top + SIDE // 2 - 10), words, INK, large)
        for column, frame in enumerate(film):
            large_frame = frame.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            sheet.paste(large_frame, (LABEL + column * (SIDE + GAP), top))
    return sheet


@click.command()
@click.option("--model", default="local", show_default=True)
@click.option("--colour", default="blue", show_default=True)
@click.option("--subject", default="potato", show_default=True)
@click.option("--seeds", default=256, show_default=True, help="Images to choose from.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Run folders.")
@click.option("--picture", type=click.Path(path_type=Path), default=Path("docs/images/story.png"))
def main(model: str, colour: str, subject: str, seeds: int, out: Path, picture: Path) -> None:
    """Draw where a colour goes, step by step, and write one picture."""
    run = run_of(model, colour, subject, seeds, out)
    chosen = chapters(pd.read_parquet(run / "verdicts.parquet"), subject)
    stored = pd.read_parquet(run / "samples", columns=["sample_id", "text", "seed"])
    rows = stored.set_index("sample_id").loc[list(chosen.values())]
    member = LocalModel(find_weights(model))
    steps = range(member.settings.steps)
    images, frames = member.draw(rows["text"].tolist(), rows["seed"].tolist(), frames=steps)
    assert frames is not None
    # Of the kinds of predictions, the guided one, by which the picture is drawn.
    whole = torch.cat((frames[:, 0], images[:, None]), 1).numpy()
    films = {
        words: [Image.fromarray(frame) for frame in film]
        for words, film in zip(chosen, whole, strict=True)
    }
    heads = [f"step {number + 1}" for number in steps] + ["image"]
    picture.parent.mkdir(parents=True, exist_ok=True)
    sheet_of(films, heads).save(picture)
    click.echo(str(picture))


if __name__ == "__main__":
    main()
