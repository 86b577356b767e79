"""The imagefolder of the ``datasets`` library: pictures, and ``metadata.csv|jsonl|parquet``.

Each metadata file stands beside its pictures or above them; its column ``file_name`` is a path
relative to it, and ``prompt``, ``text`` or ``caption`` is what the picture was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bench.errors import UsageError
from bench.importers.picture import SUFFIXES, Picture, find_column, inside, reader, said_of
from bench.importers.tables import read_rows

FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
#: Names that a path goes by, here and in lists.
PATH_KEYS = ("file_name", "path", "file", "filename", "image", "image_path", "image_file")


def detect(root: Path) -> bool:
    """Whether a folder has this layout."""
    return root.is_dir() and next(_metadata(root), None) is not None


def pictures(
    root: Path, prompt_column: str | None = None, image_column: str | None = None
) -> Iterator[Picture]:
    """Yield the pictures in the order of their metadata, then those that no metadata names.

    Raises
    ------
    UsageError
        Damaged metadata, a column that is missing, or a path that leaves the folder.
    """
    named: set[int] = set()
    for path in _metadata(root):
        inside(root, path.relative_to(root).as_posix(), "metadata")
        for picture, file in listed(path, path.parent, root, prompt_column, image_column):
            named.add(hash(str(file)))
            yield picture
    for file in _files(root):
        if file.suffix.lower() in SUFFIXES and hash(str(file)) not in named:
            place = file.relative_to(root).as_posix()
            yield Picture(place, {}, reader(file), "no metadata names it")


def listed(
    path: Path,
    base: Path,
    root: Path,
    prompt_column: str | None = None,
    image_column: str | None = None,
) -> Iterator[tuple[Picture, Path]]:
    """Yield the pictures that a table names, each with its file.

    Parameters
    ----------
    path : Path
        The table.
    base : Path
        Folder that its paths are relative to, and may not leave.
    root : Path
        Folder that places are told from.
    prompt_column, image_column : str, optional
        Columns by other names than the usual ones.
    """
    column: str | None = None
    for place, row in read_rows(path):
        if column is None:
            column = find_column(row, PATH_KEYS, image_column, "path", str(path))
            if prompt_column is not None:
                find_column(row, (), prompt_column, "prompt", str(path))
        if row.get(column) in (None, ""):
            raise UsageError(f"{place}: {column} is empty: expected the path of a picture")
        file = inside(base, row[column], place)
        said = said_of({key: value for key, value in row.items() if key != column}, prompt_column)
        yield Picture(file.relative_to(root).as_posix(), said, reader(file)), file


def _metadata(root: Path) -> Iterator[Path]:
    for file in _files(root):
        if file.name in FILES:
            yield file


def _files(root: Path) -> Iterator[Path]:
    """All files below a folder, sorted, without following links to folders."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder) / name
