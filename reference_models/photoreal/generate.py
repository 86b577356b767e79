"""Render scenes to a folder: ``python -m reference_models.photoreal.generate --out FOLDER``.

Each scene is a picture, a mask beside it and a line of ``scenes.jsonl``; run again, it goes on
with those that are missing. A scene is a function of its number and of whether it is for the test
set. One that does not show what its verdict needs is planned anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from reference_models.photoreal.draws import Draws
from reference_models.photoreal.hard import plan_hard
from reference_models.photoreal.paint import linear
from reference_models.photoreal.plan import ScenePlan, plan_scene
from reference_models.photoreal.render import RenderedPicture, render
from reference_models.photoreal.scene import FIRST, FRAME, PLATE, SUPPORT, WALL, build

#: Least share of the picture that a subject, a small one where small ones are wanted, and a place
#: that holds the colour, cover.
_LEAST_SUBJECT, _LEAST_SMALL, _LEAST_PLACE = 0.012, 0.004, 0.03
#: Shares of the asked colour on a body that is to be called mixed.
_MIXED = (0.3, 0.6)
_TRIES = 12


def shows(plan: ScenePlan, picture: RenderedPicture) -> str:
    """Why a picture does not show its plan; empty where it does."""
    share = np.bincount(picture.labels.ravel(), minlength=16) / picture.labels.size
    least = _LEAST_SMALL if plan.layout in ("small", "crowd") else _LEAST_SUBJECT
    # Of a crowd some may be hidden.
    for k, one in enumerate(plan.drawn[: 1 if plan.layout == "crowd" else None]):
        if share[FIRST + 2 * k] < least:
            return f"{one.name} is hardly to be seen"
    for place, label in ((plan.plate, PLATE), (plan.frame, FRAME)):
        if place is not None and share[label] < _LEAST_PLACE / 2:
            return "the plate or the frame is hardly to be seen"
    colour = plan.asked[0][0]
    places = ((plan.plate, PLATE), (plan.frame, FRAME), (plan.wall, WALL), (plan.support, SUPPORT))
    if plan.verdict in ("neighbour", "background", "spilled"):
        seen = [share[label] for term, label in places if term == colour]
        beside = [share[FIRST + 2 * k] for k, t in enumerate(plan.drawn[1:], 1)
                  if t.colour == colour]  # fmt: skip
        if max([0.0, *seen, *beside]) < _LEAST_PLACE:
            return "the place of the leak is hardly to be seen"
    return ""


def mixed_share(
    plan: ScenePlan, picture: RenderedPicture, paints: tuple[np.ndarray, np.ndarray]
) -> float:
    """Share of the first body that is nearer to the first of two paints than to the second."""
    body = picture.albedo[picture.labels == FIRST]
    far = [np.linalg.norm(body - linear(paint), axis=-1) for paint in paints]
    return float((far[0] < far[1]).mean()) if len(body) else 0.0


def draw_scene(
    number: int, test: bool, size: int, samples: int, photos: list[np.ndarray], hard: bool = False
) -> tuple[ScenePlan, RenderedPicture, float]:
    """One scene: its plan, its picture, and the share of its body in the asked colour."""
    reason = ""
    for attempt in range(_TRIES):
        d = Draws((2026, int(test), number, attempt), test)
        plan = plan_hard(number, d) if hard else plan_scene(number, d)
        photo = photos[int(d.rng.integers(len(photos)))] if photos and d.chance(0.3) else None
        stage = build(plan, d, photo)
        seed = number * _TRIES + attempt
        quick = render(stage, 64, 1, seed, denoise=False)
        reason = shows(plan, quick)
        share = 1.0
        if not reason and plan.verdict == "mixed":
            share = mixed_share(plan, quick, stage.paints)
            if not _MIXED[0] <= share <= _MIXED[1]:
                reason = "the second paint is turned away"
        if not reason:
            return plan, render(stage, size, samples, seed), share
    raise click.ClickException(f"scene {number}: after {_TRIES} plans {reason}")


def record(number: int, plan: ScenePlan, share: float) -> dict[str, Any]:
    """The line of a scene."""
    fields = asdict(plan)
    if plan.layout == "usual":
        del fields["layout"]
    return {"number": number, **fields, "share": round(share, 4)}


def sample_photographs() -> list[np.ndarray]:
    """Photographs of scikit-image (public domain or CC0) that pattern some walls, in [0, 1]."""
    import skimage.data

    found = []
    for name in ("astronaut", "coffee", "chelsea", "rocket", "brick", "grass", "gravel"):
        try:
            photo = np.asarray(getattr(skimage.data, name)())
        except Exception:  # A picture that this installation did not bring, and cannot fetch.
            continue
        rgb = photo if photo.ndim == 3 else np.stack([photo] * 3, -1)
        square = Image.fromarray(rgb[..., :3]).resize((256, 256))
        found.append(np.asarray(square, dtype=float) / 255)
    return found


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--first", default=0, show_default=True)
@click.option("--count", default=1500, show_default=True)
@click.option("--test/--train", default=False, help="Shapes kept for the test set.")
@click.option("--hard", is_flag=True, help="Scenes that are hard to cut out; for training alone.")
@click.option("--size", default=256, show_default=True)
@click.option("--samples", default=16, show_default=True, help="Paths a pixel.")
@click.option("--quality", default=92, show_default=True, help="Of the JPEG.")
def main(
    out: Path, first: int, count: int, test: bool, hard: bool, size: int, samples: int, quality: int
) -> None:
    """Render scenes, going on where it was left."""
    if hard and test:
        raise click.UsageError("--hard scenes are for training; expected --train with them")
    out.mkdir(parents=True, exist_ok=True)
    lines = out / "scenes.jsonl"
    done = set()
    if lines.exists():
        done = {json.loads(line)["number"] for line in lines.read_text().splitlines()}
    photos = sample_photographs()
    for number in range(first, first + count):
        if number in done:
            continue
        try:
            plan, picture, share = draw_scene(number, test, size, samples, photos, hard)
        except click.ClickException as error:
            click.echo(error.message, err=True)
            continue
        Image.fromarray(picture.image).save(out / f"{number:05d}.jpg", quality=quality)
        Image.fromarray(picture.labels).save(out / f"{number:05d}.png", optimize=True)
        with lines.open("a") as file:
            file.write(json.dumps(record(number, plan, share)) + "\n")
        if number % 20 == 19:
            click.echo(f"{number + 1 - first} of {count}", err=True)


if __name__ == "__main__":
    main()
