"""Files of a set by their names: in a folder, a tar or a zip archive.

Nothing is unpacked to the disk. A name is a relative path with ``/``. In a folder it may not lead
out, by ``..`` or a symbolic link; in an archive such a member, a link or a device is refused.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from bench.importers.picture import (
    check_inside,
    clean_path,
    reader,
)
from bench.importers.tables import Placed, read_rows


def natural(name: str) -> list[tuple[int, str]]:
    """Order in which 2 stands before 10."""
    return [
        (int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)
    ]


class Tree(Protocol):
    """Files by their names.

    Attributes
    ----------
    label : str
        What stands before a name for people: empty, or ``set.tar:``.
    names : sequence of str
        All files but hidden ones, in an order that does not change while they do not.
    """

    label: str

    @property
    def names(self) -> Sequence[str]:
        """All files."""
        ...

    def reader(self, name: str) -> Callable[[], bytes]:
        """Return what reads a file, or raises `UnreadableError`, when it is called."""
        ...

    def locate(self, base: str, given: object, place: str) -> str:
        """Return the name of a file that metadata in the folder ``base`` names; refuse others."""
        ...

    def rows(self, name: str) -> Iterator[Placed]:
        """Yield the rows of a table, each with its place."""
        ...


class FolderTree:
    """The files below a folder; links to folders are not followed."""

    label = ""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[Path, dict[str, str]] = {}

    @property
    def names(self) -> Sequence[str]:
        """All files, sorted folder by folder."""
        found: list[str] = []
        for folder, inner, names in os.walk(self.root):
            inner[:] = sorted((name for name in inner if name[0] != "."), key=natural)
            base = Path(folder).relative_to(self.root)
            names = sorted((name for name in names if name[0] != "."), key=natural)
            found += [(base / name).as_posix() for name in names]
        return found

    def reader(self, name: str) -> Callable[[], bytes]:
        """Return what reads a file; a link out of the folder is refused at once."""
        path = self.root / name
        check_inside(self.root, path, name)
        return reader(path)

    def locate(self, base: str, given: object, place: str) -> str:
        """Return the name of a file, whatever its slashes and its Unicode form.

        A path that begins with the names of its own folders (``set/a.png`` in ``set/list.csv``) is
        read from where it was written, if there is no such file within.
        """
        folder = self.root / base
        parts = clean_path(given, folder, place)
        kept = parts
        if not (folder / PurePosixPath(*parts)).exists():
            for start in self._starts(folder, parts):
                found = self._spelled(folder, parts[start:])
                if found is not None:
                    kept = found
                    break
        path = folder.joinpath(*kept)
        check_inside(folder, path, place)
        return path.relative_to(self.root).as_posix()

    def _starts(self, folder: Path, parts: Sequence[str]) -> Iterator[int]:
        yield 0
        above = folder.resolve().parts
        for count in range(min(len(parts) - 1, len(above)), 0, -1):
            if tuple(parts[:count]) == above[-count:]:
                yield count

    def _spelled(self, folder: Path, parts: Sequence[str]) -> list[str] | None:
        """Names as the disk spells them, or None where one is not there."""
        found: list[str] = []
        for part in parts:
            name = self._folder(folder).get(unicodedata.normalize("NFC", part))
            if name is None:
                return None
            found.append(name)
            folder = folder / name
        return found

    def _folder(self, folder: Path) -> dict[str, str]:
        if folder not in self._listed:
            try:
                names = os.listdir(folder)
            except OSError:
                names = []
            self._listed[folder] = {unicodedata.normalize("NFC", name): name for name in names}
        return self._listed[folder]

    def rows(self, name: str) -> Iterator[Placed]:
        """Yield the rows of a table."""
        check_inside(self.root, self.root / name, name)
        return read_rows(self.root / name)
