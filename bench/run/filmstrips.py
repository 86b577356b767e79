"""Filmstrips of a run: a limited number of trajectories as PNG, prompt above control."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.judge.verdict import judge
from bench.records import Generation
from bench.run.trajectory import arrivals
from bench.store import files
from bench.store.derived import read_verdicts
from bench.store.run import Run
from bench.store.score_reader import read_trajectory

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "filmstrips"
#: Strips a run.
MOST = 12
#: Side of a frame in the strip, and space around it, in pixels.
SIDE, GAP, LINE = 96, 8, 15
_INK, _QUIET, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)


def write_filmstrips(run: Run, most: int = MOST) -> list[str]:
    """Write ``filmstrips/NAME.png`` for some images: those whose colour went astray come first.

    Under each frame stands its verdict, by the rules of the final image and the control's frame of
    the same step.

    Returns
    -------
    list of str
        Names of the files; none where the run keeps no frames.
    """
    if run.manifest.trajectory is None:
        return []
    verdicts = read_verdicts(run)
    final = verdicts.sort_values("binding").groupby("sample_id")["verdict"].agg(", ".join)
    chosen = _chosen(arrivals(run, verdicts), most)
    partners = _partners(run, chosen)
    wanted = {*chosen, *partners.values()}
    found: dict[str, Generation] = {}
    for generations in run.generations(wanted, 64):
        found |= {one.sample.id: one for one in generations}
    measured = _measured(run, wanted)
    heads = [f"noise {level:.2f}" for level in run.manifest.trajectory] + ["image"]
    names = []
    for key in chosen:
        image, control = found[key], found.get(partners.get(key, ""))
        films = [_film(image, measured, control, final[key])]
        if control is not None:
            films.append(_film(control, measured, None, ""))
        buffer = io.BytesIO()
        filmstrip(films, heads).save(buffer, "PNG")
        name = f"{image.sample.cell.id.replace('/', '-')}-{image.sample.index}.png"
        files.write_whole(run.folder / FOLDER / name, partial(_write, buffer.getvalue()))
        names.append(name)
    return names


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def _chosen(rows: pd.DataFrame, most: int) -> list[str]:
    """Ids of the images shown: not bound or once astray first, one a cell, in a steady order."""
    if rows.empty:
        return []
    astray = (rows["stood_elsewhere"] > 0).astype(int) + (rows["verdict"] != "bound").astype(int)
    order = rows.assign(astray=-astray).sort_values(["astray", "cell_id", "sample_id"])
    return order.drop_duplicates("cell_id")["sample_id"].drop_duplicates().head(most).tolist()


def _partners(run: Run, chosen: Sequence[str]) -> dict[str, str]:
    """For each image the control of the same seed, where there is one."""
    at: dict[tuple[str, int], str] = {}
    wanted: dict[str, tuple[str, int]] = {}
    for _, part in run.parts("samples", ["sample_id", "cell_id", "control_id", "index"]):
        for row in part.to_pylist():
            at[row["cell_id"], row["index"]] = row["sample_id"]
            if row["sample_id"] in chosen and row["control_id"] != row["cell_id"]:
                wanted[row["sample_id"]] = (row["control_id"], row["index"])
    return {key: at[place] for key, place in wanted.items() if place in at}


Metrics = dict[tuple[str, int], list[dict[str, float]]]


def _measured(run: Run, wanted: set[str]) -> Metrics:
    """For each image and step the metrics of every binding, in order."""
    frame = read_trajectory(run, None)
    frame = frame[frame["sample_id"].isin(wanted)].sort_values(["sample_id", "step", "binding"])
    found: Metrics = {}
    for (sample, step, _), rows in frame.groupby(["sample_id", "step", "binding"], sort=False):
        metrics = dict(zip(rows["metric"], rows["value"].astype(float), strict=True))
        found.setdefault((str(sample), int(step)), []).append(metrics)
    return found


def _film(image: Generation, measured: Metrics, control: Generation | None, final: str) -> Film:
    assert image.frames is not None
    key, cell = image.sample.id, image.sample.cell
    words = []
    for step in range(len(image.frames)):
        base = None if control is None else measured.get((control.sample.id, step))
        verdicts = judge(cell, key, measured[key, step], base)
        words.append(", ".join(one.verdict for one in verdicts))
    frames = np.concatenate([image.frames, image.image[None]])
    return Film(cell.text, frames, [*words, final])


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """One row of a strip.

    Attributes
    ----------
    title : str
    frames : ndarray, uint8, (T, H, W, 3)
        sRGB.
    words : sequence of str, T
        Under each frame.
    """

    title: str
    frames: np.ndarray
    words: Sequence[str]


def filmstrip(films: Sequence[Film], heads: Sequence[str]) -> Image.Image:
    """Draw films one above the other.

    Parameters
    ----------
    films : sequence of Film
        Each of as many frames as the longest, or fewer.
    heads : sequence of str
        Above each column.

    Returns
    -------
    PIL.Image.Image
        sRGB.
    """
    font = ImageFont.load_default(11)
    columns = max(len(film.frames) for film in films)
    row = LINE + SIDE + LINE + GAP
    width = GAP + columns * (SIDE + GAP)
    sheet = Image.new("RGB", (width, GAP + LINE + len(films) * row + GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads[:columns]):
        pen.text((GAP + column * (SIDE + GAP), GAP // 2), head, _QUIET, font)
    for number, film in enumerate(films):
        top = GAP + LINE + number * row
        pen.text((GAP, top), film.title, _INK, font)
        for column, (frame, words) in enumerate(zip(film.frames, film.words, strict=True)):
            left = GAP + column * (SIDE + GAP)
            sheet.paste(_fitted(frame), (left, top + LINE))
            pen.text((left, top + LINE + SIDE + 1), words, _INK, font)
    return sheet


def _fitted(frame: np.ndarray) -> Image.Image:
    """Fit a frame into the square of the strip; small ones are enlarged with sharp pixels."""
    picture = Image.fromarray(frame)
    factor = SIDE / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    way = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS
    return picture.resize(size, way)
