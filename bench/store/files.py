"""The edge to the file system: everything that a run writes passes through this file.

A file appears whole or not at all: it is written under a hidden name, flushed to the disk and
renamed; in an object store an upload does that by itself. Errors of the system become one clear
line.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from bench.errors import BenchError, StoreError, UsageError
from bench.store import paths

_ADVICE = {
    errno.ENOSPC: "free some space and run again: what is finished is kept",
    errno.EDQUOT: "the quota is used up; free some space and run again: what is finished is kept",
    errno.EFBIG: "the file size limit is reached; raise it and run again: what is finished is kept",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder, or change its permissions",
    errno.EPERM: "choose another folder, or change its permissions",
    errno.ENAMETOOLONG: "choose a shorter --out or --name",
}

_ELSEWHERE = "choose another folder"

#: Names that begin so are being written, or were left by a process that was killed.
TEMPORARY = ".tmp-"


@contextlib.contextmanager
def clear_errors(action: str, path: Path, advice: str = "") -> Iterator[None]:
    """Turn an OSError into a StoreError that names the action, the path and the remedy.

    Of a remote store any error: each has kinds of its own. ``advice`` is the remedy where the error
    does not tell a better one.
    """
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        if not isinstance(error, OSError):
            if not paths.is_remote(path):
                raise
            reason = " ".join(str(error).split())
            reason = f"{type(error).__name__}: {reason}"
        else:
            reason = os.strerror(error.errno) if error.errno else str(error)
            advice = _ADVICE.get(error.errno or 0, advice)
        raise StoreError(
            f"cannot {action} {path}: {reason}" + (f"; {advice}" if advice else "")
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and its parents where they are missing; an object store has none."""
    if paths.appears_whole(path):
        return
    with clear_errors("make the folder", path):
        path.mkdir(parents=True, exist_ok=True)


def require_writable(folder: Path) -> None:
    """See that a folder can be written, or made where there is none, and leave nothing behind.

    Raises
    ------
    UsageError
        A file stands where a folder is to be, or the drive is not there.
    StoreError
        The system or the store refuses: no permission, a read-only or a full disk, no such bucket.
    """
    if paths.is_remote(folder):
        make_folder(folder)
        system, name = paths.file_system(folder), paths.name_there(folder / _probe_name())
        with clear_errors("write to", folder, _ELSEWHERE):
            system.pipe_file(name, b".")
            system.rm_file(name)
        return
    there = _nearest(folder)
    if not there.is_dir():
        raise UsageError(
            f"{folder} cannot be a folder: {there} is a file; choose another --out or --name"
        )
    probe = there / _probe_name()
    action = "write to" if there == folder.absolute() else "make the folder"
    with clear_errors(action, folder, _ELSEWHERE):
        try:
            with probe.open("xb") as file:
                file.write(b".")
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()


def _nearest(folder: Path) -> Path:
    """Return the folder, or what is there of the way to it; a link that leads nowhere is there."""
    way = folder.absolute()
    for path in (way, *way.parents):
        with clear_errors("write to", folder, _ELSEWHERE):
            try:
                path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            return path
    raise UsageError(f"{folder} cannot be made: there is no {way.anchor}; choose another --out")


def _probe_name() -> str:
    return f"{TEMPORARY}{uuid.uuid4().hex[:8]}-probe"


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader, now or after a power cut, sees all of it or none.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.
    write : callable
        Given the open binary file.

    Raises
    ------
    StoreError
        The disk is full, the folder cannot be written, and the like. Nothing is left behind.
    """
    make_folder(path.parent)
    if paths.is_remote(path):
        _upload(path, write)
        return
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    with clear_errors("write", path):
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)


def _upload(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file of a remote store whole."""
    buffer = io.BytesIO()
    write(buffer)
    system, name = paths.file_system(path), paths.name_there(path)
    with clear_errors("write", path):
        if paths.appears_whole(path):
            system.pipe_file(name, buffer.getvalue())
            return
        temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}-{path.name}")
        system.pipe_file(paths.name_there(temporary), buffer.getvalue())
        system.mv(paths.name_there(temporary), name)


def parquet(path: Path, **options: Any) -> pq.ParquetFile:
    """Open a Parquet file, wherever it is."""
    if paths.is_remote(path):
        options["filesystem"] = paths.file_system(path)
        return pq.ParquetFile(paths.name_there(path), **options)
    return pq.ParquetFile(path, **options)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def read_text(path: Path) -> str:
    """Read a text file in UTF-8."""
    with clear_errors("read", path):
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise StoreError(f"cannot read {path}: it is not UTF-8 text") from error


def list_parts(folder: Path) -> list[Path]:
    """Return the finished parts of a table by name; none where there is no folder."""
    with clear_errors("read the folder", folder):
        if not folder.is_dir():
            return []
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix == ".parquet" and not path.name.startswith(".")
        )


def remove(path: Path) -> None:
    """Remove a file; none there is no error."""
    with clear_errors("remove", path):
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed process was writing. Only for who holds the lock of the run."""
    if paths.appears_whole(folder):
        return 0
    with clear_errors("clean", folder):
        leftovers = list(folder.rglob(f"{TEMPORARY}*"))
        for path in leftovers:
            path.unlink(missing_ok=True)
    return len(leftovers)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
