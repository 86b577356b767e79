"""A filmstrip: the frames of a trajectory side by side, with words under each, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: Side of a frame in the strip, and space around it, in pixels.
SIDE, GAP, LINE = 96, 8, 15
_INK, _QUIET, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)


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
