"""Archives: tar files in which ``key.png`` stands beside ``key.txt`` or ``key.json``; zip files.

What is in an archive is read as the same files in a folder would be: GenEval's layout, an
imagefolder with its metadata, or pictures with their prompts beside them.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from bench.errors import UsageError
from bench.importers import beside, geneval, imagefolder
from bench.importers.archives import ENDINGS, TARS, open_archive
from bench.importers.picture import ImportedPicture, inside
from bench.importers.trees import Tree, natural


def files(root: Path) -> list[Path]:
    """Return the archives of a set, sorted."""
    if root.is_file():
        return [root] if root.name.lower().endswith(ENDINGS) else []
    found = (path for path in root.rglob("*") if path.name.lower().endswith(ENDINGS))
    return sorted((path for path in found if path.is_file()), key=lambda path: natural(str(path)))


def detect(root: Path) -> bool:
    """Whether it is an archive, or a folder of archives."""
    return bool(files(root))


def pictures(
    root: Path,
    prompt_column: str | None = None,
    image_column: str | None = None,
    *,
    sheets: bool = False,
) -> Iterator[ImportedPicture]:
    """Yield the pictures in the order of the archives and their members.

    Raises
    ------
    UsageError
        A damaged archive, or a text that cannot be read.
    """
    for path in files(root):
        if root.is_dir():
            inside(root, path.relative_to(root).as_posix(), "set")
        with open_archive(path) as tree:
            try:
                yield from _pictures(tree, prompt_column, image_column, sheets, path)
            except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
                raise UsageError(f"cannot read {path}: {error}") from None


def _pictures(
    tree: Tree, prompt: str | None, image: str | None, sheets: bool, path: Path
) -> Iterator[ImportedPicture]:
    if geneval.detect(tree):
        return geneval.pictures(tree, prompt)
    if imagefolder.detect(tree):
        return imagefolder.pictures(tree, prompt, image)
    tar = path.name.lower().endswith(TARS)
    return beside.pictures(tree, prompt, sheets=sheets, missing=tar)
