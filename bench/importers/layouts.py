"""The layouts that a set of pictures can have, and which one a path has."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import ImportedPicture
from bench.importers.trees import FolderTree
from bench.registry import unknown

#: Name of a layout, its module, and what it is. The order is that of detection.
LAYOUTS: dict[str, tuple[str, str]] = {
    "geneval": ("bench.importers.geneval", "GenEval: 00000/metadata.jsonl, 00000/samples/0000.png"),
    "imagefolder": ("bench.importers.imagefolder", "pictures, metadata.csv, .jsonl or .parquet"),
    "list": ("bench.importers.listing", "CSV, TSV, JSONL or JSON of path and prompt"),
    "webdataset": ("bench.importers.webdataset", "tar or zip archives"),
    "parquet": ("bench.importers.parquet", "Parquet of pictures (bytes) and prompts"),
    "beside": (
        "bench.importers.beside",
        "pictures; prompts beside, within or in the names",
    ),
}
#: Layouts of a folder's files; the others are read by their path.
_TREES = ("geneval", "imagefolder", "beside")


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A set of pictures: where it is, and how it is read.

    Attributes
    ----------
    path : Path
    layout : str
        A name of `LAYOUTS`.
    options : dict
        ``prompt_column``, ``image_column``, ``images``, where they are given.
    tiles : tuple of int, optional
        Columns and rows of the samples in each picture, where it is a contact sheet.
    """

    path: Path
    layout: str
    options: dict[str, Any]
    tiles: tuple[int, int] | None = None

    def pictures(self) -> Iterator[ImportedPicture]:
        """Yield the pictures, in an order that does not change while the files do not."""
        module = importlib.import_module(LAYOUTS[self.layout][0])
        options = dict(self.options)
        if self.tiles and "sheets" in inspect.signature(module.pictures).parameters:
            options["sheets"] = True
        try:
            for picture in module.pictures(_opened(self.layout, self.path), **options):
                yield from _tiles(picture, self.tiles)
        except OSError as error:
            raise UsageError(f"cannot read {self.path}: {error}") from error


def _opened(layout: str, path: Path) -> Any:
    if layout not in _TREES:
        return path
    if not path.is_dir():
        raise UsageError(f"{path} is a file: layout {layout} is a folder")
    return FolderTree(path)


def _tiles(picture: ImportedPicture, tiles: tuple[int, int] | None) -> Iterator[ImportedPicture]:
    if tiles is None or not picture.is_sample:
        yield picture
        return
    columns, rows = tiles
    for row in range(rows):
        for column in range(columns):
            place = f"{picture.place} tile {row * columns + column}"
            yield replace(picture, place=place, tile=(row, column, rows, columns))


def open_set(
    path: Path,
    layout: str | None = None,
    tiles: tuple[int, int] | None = None,
    **options: Any,
) -> PictureSet:
    """Find out the layout of a path.

    Parameters
    ----------
    path : Path
        A file or a folder.
    layout : str, optional
        Its layout, where it is not to be found out.
    tiles : tuple of int, optional
        Columns and rows of the samples in each picture.
    options
        ``prompt_column``, ``image_column``, ``images``; None where not given.

    Raises
    ------
    UsageError
        No such path, an unknown layout or an option that it does not have, or none that fits.
    """
    if layout is not None and layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if (path / "run.json").is_file():
        raise UsageError(
            f"{path} is a run folder, whose images are scored: `bench show {path}`; its samples/ "
            "can be scored as parquet"
        )
    try:
        name = layout or _detect(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    given = {key: value for key, value in options.items() if value is not None}
    known = inspect.signature(importlib.import_module(LAYOUTS[name][0]).pictures).parameters
    for key in given:
        if key not in known:
            raise UsageError(f"layout {name} has no option --{key.replace('_', '-')}")
    return PictureSet(path, name, given, tiles)


def _detect(path: Path) -> str:
    for name, (module, _) in LAYOUTS.items():
        if name in _TREES and not path.is_dir():
            continue
        if importlib.import_module(module).detect(_opened(name, path)):
            return name
    known = "; ".join(f"{name} ({what})" for name, (_, what) in LAYOUTS.items())
    raise UsageError(f"{path} has no layout that is known: {known}; --layout names one")
