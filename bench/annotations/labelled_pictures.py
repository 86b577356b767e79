"""Pictures that somebody labelled: the table that `bench validate --labels` reads.

A table (`prompts.tables`) with a row for each question: ``file`` (a path relative to the table),
``colour``, ``subject`` and ``label``. Rows of one file are one picture. ``masks.csv`` beside it,
with ``file``, ``thing`` and ``mask``, names masks drawn by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.importers.picture import UnreadableError, inside, read_file
from bench.importers.tables import read_rows
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.records import VERDICTS, LabelledBinding, LabelledPicture
from bench.registry import unknown
from prompts.errors import shown

#: Names of a label besides the verdicts, with the verdict that each means.
LABELS: dict[str, str] = {
    **{name: name for name in VERDICTS if name != "invalid"},
    "leak:background": "background",
    "leak:neighbour": "neighbour",
    "leak:neighbor": "neighbour",
    "neighbor": "neighbour",
}
MASKS = "masks.csv"
_COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "path", "image"),
    "colour": ("colour", "color"),
    "subject": ("subject", "object"),
    "label": ("label", "verdict"),
}


def read_labelled_pictures(path: Path, masks: Path | None = None) -> tuple[LabelledPicture, ...]:
    """Read a table of labelled pictures.

    Parameters
    ----------
    path : Path
        The table; a folder means ``labels.csv`` in it.
    masks : Path, optional
        Table of the masks by hand; ``masks.csv`` beside the labels by default, where there is one.

    Returns
    -------
    tuple of LabelledPicture
        In the order of their first rows.

    Raises
    ------
    UsageError
        A table that is missing or lacks a column, a row that lacks a field, a label that is none,
        two labels of one question, a file that is missing or lies outside the folder of the table,
        a mask of a picture without labels.
    """
    table = path / "labels.csv" if path.is_dir() else path
    if not table.is_file():
        raise UsageError(f"{table}: no such file; expected a table of file, colour, subject, label")
    rows: dict[Path, dict[str, Any]] = {}
    found: dict[Path, dict[tuple[str, str], tuple[LabelledBinding, str]]] = {}
    for place, row in read_rows(table):
        fields = _required(row, _COLUMNS, place)
        file = _file(table.parent, fields["file"], place)
        label = LABELS.get(fields["label"].lower())
        if label is None:
            raise UsageError(f"{place}: {unknown('label', fields['label'], LABELS)}")
        binding = LabelledBinding(
            fields["colour"].lower().replace("grey", "gray"),
            fields["subject"],
            label,
            _text(row, "kind"),
            _text(row, "confidence"),
        )
        rows.setdefault(file, row)
        questions = found.setdefault(file, {})
        before = questions.setdefault((binding.colour, binding.subject), (binding, place))
        if before[0].label != label:
            raise UsageError(
                f"{place}: {shown(fields['file'])}, {binding.colour} {binding.subject}, is "
                f"{label} here and {before[0].label} in {before[1]}; keep one"
            )
    if not found:
        raise UsageError(f"{table} holds no label: expected a row a question")
    drawn = _masks(masks or table.parent / MASKS, found.keys(), required=masks is not None)
    return tuple(
        LabelledPicture(
            file,
            tuple(binding for binding, _ in questions.values()),
            drawn.get(file, {}),
            *(_text(rows[file], name) for name in ("prompt", "model", "source")),
        )
        for file, questions in found.items()
    )


def load_labelled(
    path: Path,
) -> list[tuple[LabelledPicture, np.ndarray, dict[str, np.ndarray]]]:
    """Labelled pictures, each with its pixels, uint8 (H, W, 3), and its masks by hand, by noun.

    Raises
    ------
    UsageError
        As `read_labelled_pictures` and `read_mask`, and where a picture cannot be read.
    """
    loaded = []
    for picture in read_labelled_pictures(path):
        image = _pixels(picture.path, "picture")
        masks = {n: read_mask(p, *image.shape[:2]) for n, p in picture.masks.items()}
        loaded.append((picture, image, masks))
    return loaded


def _pixels(path: Path, what: str) -> np.ndarray:
    try:
        return as_rgb8(read_file(path))
    except UnreadableError as error:
        raise UsageError(f"{what} {error}") from None
    except PictureError as error:
        raise UsageError(f"{what} {path}: {error}") from None


def read_mask(path: Path, height: int, width: int) -> np.ndarray:
    """Read a mask by hand.

    Returns
    -------
    ndarray, bool, (H, W)
        True where the picture of the mask is brighter than half.

    Raises
    ------
    UsageError
        It cannot be read, is not of the size of its picture, or is empty.
    """
    mask = _pixels(path, "mask")[..., 0] > 127
    if mask.shape != (height, width):
        raise UsageError(
            f"mask {path} has {mask.shape[1]} x {mask.shape[0]} pixels: expected {width} x "
            f"{height}, as its picture has"
        )
    if not mask.any():
        raise UsageError(f"mask {path} is empty: paint what it shows white")
    return mask


def _masks(table: Path, known: Any, *, required: bool) -> dict[Path, dict[str, Path]]:
    found: dict[Path, dict[str, Path]] = {}
    if not table.is_file():
        if required:
            raise UsageError(f"{table}: no such file; expected a table of file, thing, mask")
        return found
    for place, row in read_rows(table):
        fields = _required(row, {"file": ("file",), "thing": ("thing",), "mask": ("mask",)}, place)
        file = _file(table.parent, fields["file"], place)
        if file not in known:
            raise UsageError(f"{place}: {shown(fields['file'])} has no label; label it, or remove")
        if fields["thing"] in found.setdefault(file, {}):
            raise UsageError(f"{place}: a second mask of {shown(fields['thing'])}; keep one")
        found[file][fields["thing"]] = _file(table.parent, fields["mask"], place)
    return found


def _required(
    row: dict[str, Any], columns: dict[str, tuple[str, ...]], place: str
) -> dict[str, str]:
    return dict(_fields(row, columns, place))


def _fields(
    row: dict[str, Any], columns: dict[str, tuple[str, ...]], place: str
) -> Iterator[tuple[str, str]]:
    for name, others in columns.items():
        column = next((one for one in others if one in row), None)
        if column is None:
            raise UsageError(
                f"{place}: no column {name}: expected {', '.join(columns)}, found "
                f"{shown(', '.join(row))}"
            )
        value = _text(row, column)
        if not value:
            raise UsageError(f"{place}: {column} is empty")
        yield name, value


def _file(root: Path, given: str, place: str) -> Path:
    file = inside(root, given, place)
    if not file.is_file():
        raise UsageError(f"{place}: {shown(given)}: no such file in {root}")
    return file


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    return " ".join(str(value).split()) if value is not None else ""
