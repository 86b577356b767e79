"""The layouts that a set of pictures can have, and which one a path has."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import Picture
from bench.registry import unknown

#: Name of a layout, its module, and what it is. The order is that of detection.
LAYOUTS: dict[str, tuple[str, str]] = {
    "geneval": ("bench.importers.geneval", "GenEval: 00000/metadata.jsonl, 00000/samples/0000.png"),
    "imagefolder": ("bench.importers.imagefolder", "pictures, metadata.csv, .jsonl or .parquet"),
    "list": ("bench.importers.listing", "CSV, TSV or JSONL of path and prompt"),
    "webdataset": (
        "bench.importers.webdataset",
        "tar of key.png or key.jpg and key.txt or key.json",
    ),
    "parquet": ("bench.importers.parquet", "Parquet of pictures (bytes) and prompts"),
}


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
    """

    path: Path
    layout: str
    options: dict[str, Any]

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures, in an order that does not change while the files do not."""
        module = importlib.import_module(LAYOUTS[self.layout][0])
        try:
            yield from module.pictures(self.path, **self.options)
        except OSError as error:
            raise UsageError(f"cannot read {self.path}: {error}") from error


def open_set(path: Path, layout: str | None = None, **options: Any) -> PictureSet:
    """Find out the layout of a path.

    Parameters
    ----------
    path : Path
        A file or a folder.
    layout : str, optional
        Its layout, where it is not to be found out.
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
    return PictureSet(path, name, given)


def _detect(path: Path) -> str:
    for name, (module, _) in LAYOUTS.items():
        if importlib.import_module(module).detect(path):
            return name
    known = "; ".join(f"{name} ({what})" for name, (_, what) in LAYOUTS.items())
    raise UsageError(f"{path} has no layout that is known: {known}; --layout names one")
