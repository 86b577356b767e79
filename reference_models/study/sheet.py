"""One picture of many: the same prompts drawn by networks of several conditions, a row each."""

from __future__ import annotations

import io
import textwrap
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from reference_models.errors import ModelError
from reference_models.study.evaluate import SHOWN, cells_of

#: Rows: file of the sheet within the archive, and its words.
ROWS = (
    ("clean-seed1-plain", "true captions"),
    ("loose-25-seed1-plain", "25% loose captions"),
    ("loose-50-seed1-plain", "50% loose captions"),
    ("loose-50-seed1-attention-0.1", "  guided by attention"),
    ("loose-50-cleaned-seed1-plain", "  last fifth clean"),
    ("bag-seed1-plain", "bag of words"),
    ("clip-pooled-seed1-plain", "CLIP's one vector"),
    ("tokens-loose-25-seed1-plain", "codes, 25% loose"),
    ("colours-1-seed1-plain", "one colour a subject"),
)
_SIDE, _LEFT, _TOP, _LETTERS = 80, 130, 58, 12


def sheet(archives: Sequence[Path]) -> bytes:
    """The picture as PNG, from the sheets of ``sheets.zip``; of several, the first that has one.

    Raises
    ------
    ModelError
        It is not there, or a row is missing.
    """
    prompts = [cell.text for cell in cells_of(False) if cell.text in SHOWN]
    size = (_LEFT + _SIDE * len(prompts), _TOP + _SIDE * len(ROWS))
    whole = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(11)
    for column, prompt in enumerate(prompts):
        draw.multiline_text((_LEFT + _SIDE * column + 3, 2), _wrapped(prompt), "black", font)
    try:
        with ExitStack() as opened:
            stored = [opened.enter_context(zipfile.ZipFile(archive)) for archive in archives]
            names = [frozenset(one.namelist()) for one in stored]
            for row, (name, words) in enumerate(ROWS):
                file = f"{name}.png"
                has = (one for one, own in zip(stored, names, strict=True) if file in own)
                content = next(has, stored[-1]).read(file)
                stored_strip = Image.open(io.BytesIO(content))
                strip = stored_strip.resize((_SIDE * len(prompts), _SIDE), Image.Resampling.LANCZOS)
                whole.paste(strip, (_LEFT, _TOP + _SIDE * row))
                draw.text((4, _TOP + _SIDE * row + _SIDE // 2 - 8), words, "black", font)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        told = ", ".join(map(str, archives))
        raise ModelError(f"{told} has not all sheets of the study's picture: {error}") from error
    buffer = io.BytesIO()
    whole.quantize(256).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _wrapped(prompt: str) -> str:
    """A prompt without its articles, in lines that fit."""
    words = [word for word in prompt.split() if word not in ("a", "an")]
    return "\n".join(textwrap.wrap(" ".join(words), _LETTERS))
