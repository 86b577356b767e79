"""The folder that an export writes into, and never leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bench.errors import UsageError
from bench.store import files

#: Names the files of an export, so that the next one with ``--force`` can take them away.
MARK = ".bench-export.json"


class Staged:
    """Files of an export on their way; they appear in the target together, at the end."""

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self.names: list[str] = []

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file.

        Raises
        ------
        UsageError
            The name leads out of the folder.
        """
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or not place.parts:
            raise UsageError(f"{name!r} leads out of the folder of the export")
        path = self._stage / place
        files.make_folder(path.parent)
        with files.clear_errors("write", path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.names.append(place.as_posix())


@contextmanager
def staged(out: Path, *, force: bool, mark: bool = True) -> Iterator[Staged]:
    """Give a place to write to, and move all of it into the folder when the block ends well.

    A fresh folder appears whole or not at all. With ``force`` the files of an earlier export are
    taken away first, and files of the same names replaced; others are left alone.

    Parameters
    ----------
    out : Path
    force : bool
        Write into a folder that holds something.
    mark : bool
        Leave a list of the files in `MARK`.

    Raises
    ------
    UsageError
        ``out`` is a file, holds something and ``force`` is not given, or has a symbolic link
        where a file should go.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out takes a folder")
    used = out.is_dir() and any(out.iterdir())
    if used and not force:
        raise UsageError(f"{out} is not empty; choose another folder, or add --force")
    stage = out / ".tmp-export" if used else out.resolve().with_name(f".tmp-export-{out.name}")
    if stage.is_symlink():
        raise UsageError(f"{stage} is a symbolic link; remove it")
    shutil.rmtree(stage, ignore_errors=True)
    files.make_folder(stage)
    try:
        writer = Staged(stage)
        yield writer
        if mark:
            writer.write(MARK, json.dumps({"files": sorted(writer.names)}) + "\n")
        with files.clear_errors("write", out):
            if used:
                _remove_earlier(out)
                for name in writer.names:
                    _move(stage / name, out, name)
            else:
                if out.is_dir():
                    out.rmdir()
                stage.replace(out.resolve())
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move(source: Path, out: Path, name: str) -> None:
    target = _inside(out, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)


def _inside(out: Path, name: str) -> Path:
    """Path of a file in the folder; nothing on the way may be a link."""
    path = out
    for step in PurePosixPath(name).parts:
        path = path / step
        if path.is_symlink():
            raise UsageError(f"{path} is a symbolic link; an export does not follow it: remove it")
    return path


def _remove_earlier(out: Path) -> None:
    mark = out / MARK
    if not mark.is_file() or mark.is_symlink():
        return
    try:
        names = [str(name) for name in json.loads(files.read_text(mark))["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{mark} is damaged ({error}); remove it") from error
    for name in names:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts:
            raise UsageError(f"{mark} names {name!r}, out of the folder; remove it")
        path = _inside(out, name)
        path.unlink(missing_ok=True)
        for parent in list(path.parents)[: len(place.parts) - 1]:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
