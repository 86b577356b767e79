"""A list: a CSV, TSV, JSON-lines or JSON file with the path of each picture and its prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.importers.imagefolder import listed
from bench.importers.picture import ImportedPicture
from bench.importers.tables import read_rows
from bench.importers.trees import FolderTree
from prompts.tables import TABLES


def detect(path: Path) -> bool:
    """Whether a file is such a list, by its ending."""
    return path.is_file() and path.suffix.lower() in TABLES


def pictures(
    path: Path,
    prompt_column: str | None = None,
    image_column: str | None = None,
    images: Path | None = None,
) -> Iterator[ImportedPicture]:
    """Yield the pictures in the order of the list.

    Parameters
    ----------
    path : Path
    prompt_column, image_column : str, optional
    images : Path, optional
        Folder that the paths are relative to; the list's own by default.

    Raises
    ------
    UsageError
        A damaged list, a column that is missing, or a path that leaves the folder.
    """
    tree = FolderTree(images or path.parent)
    for _, picture in listed(tree, read_rows(path), str(path), "", prompt_column, image_column):
        yield picture
