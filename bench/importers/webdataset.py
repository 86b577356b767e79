"""WebDataset: tar files in which ``key.png`` or ``key.jpg`` stands beside ``key.txt`` or ``.json``.

The members of one key follow each other, as the format asks. Nothing is unpacked to the disk.
"""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import MAX_BYTES, SUFFIXES, Picture, UnreadableError, inside, said_of

ENDINGS = (".tar", ".tar.gz", ".tgz")
#: Texts are at most this long.
MAX_TEXT = 1 << 20


def files(root: Path) -> list[Path]:
    """Return the tar files of a set, sorted."""
    if root.is_file():
        return [root] if root.name.lower().endswith(ENDINGS) else []
    return sorted(path for path in root.rglob("*.t*") if path.name.lower().endswith(ENDINGS))


def detect(root: Path) -> bool:
    """Whether it is such a file, or a folder of such files."""
    return bool(files(root))


def pictures(root: Path, prompt_column: str | None = None) -> Iterator[Picture]:
    """Yield the pictures in the order of the files and their members.

    Raises
    ------
    UsageError
        A damaged file, or a text that cannot be read.
    """
    for path in files(root):
        if root.is_dir():
            inside(root, path.relative_to(root).as_posix(), "set")
        try:
            yield from _of_one(path, prompt_column)
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise UsageError(f"cannot read {path}: {error}") from None


@dataclass(slots=True)
class _Group:
    """Members of one key."""

    key: str
    said: dict[str, Any] = field(default_factory=dict)
    read: list[tuple[str, Callable[[], bytes]]] = field(default_factory=list)


def _of_one(path: Path, column: str | None) -> Iterator[Picture]:
    group: _Group | None = None
    with tarfile.open(path, "r:*") as archive:
        while (member := archive.next()) is not None:
            # The archive would remember every member that it has seen.
            archive.members = []  # type: ignore[attr-defined]
            if not member.isfile():
                if not member.isdir():
                    raise UsageError(
                        f"{path}: member {member.name!r} is refused: it is a link or a device, "
                        "no file"
                    )
                continue
            folder, _, name = member.name.rpartition("/")
            stem, dot, ending = name.partition(".")
            if not stem:
                continue
            key = f"{folder}/{stem}" if folder else stem
            if group is None or group.key != key:
                if group is not None:
                    yield from _pictures(path, group, column)
                group = _Group(key)
            _add(archive, member, f"{dot}{ending}".lower(), group, path)
    if group is not None:
        yield from _pictures(path, group, column)
    else:
        raise UsageError(f"{path} is an empty archive")


def _add(
    archive: tarfile.TarFile, member: tarfile.TarInfo, ending: str, group: _Group, path: Path
) -> None:
    """Take in one member of a group: a picture or a text; others are left alone."""
    place = f"{path}:{member.name}"
    if ending in SUFFIXES:
        if member.size > MAX_BYTES:
            group.read.append((member.name, _too_large(place, member.size)))
        else:
            data = _content(archive, member, place)
            group.read.append((member.name, lambda: data))
    elif ending in (".txt", ".json"):
        if member.size > MAX_TEXT:
            raise UsageError(f"{place}: {member.size:,} bytes are too many for a prompt")
        text = _content(archive, member, place)
        if ending == ".txt":
            group.said["prompt"] = _decoded(text, place).strip()
        else:
            group.said = {**_object(_decoded(text, place), place), **group.said}


def _pictures(path: Path, group: _Group, column: str | None) -> Iterator[Picture]:
    said = said_of(group.said, column)
    for name, read in group.read:
        yield Picture(f"{path.name}:{name}", said, read)
    if said and not group.read:
        name = f"{path.name}:{group.key}"
        yield Picture(name, said, _missing(name))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, place: str) -> bytes:
    file = archive.extractfile(member)
    data = file.read() if file is not None else b""
    if len(data) != member.size:
        raise UsageError(f"{place} is cut off: {len(data):,} of {member.size:,} bytes")
    return data


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: not UTF-8 text ({error.reason})") from None


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise UsageError(f"{place}: expected a JSON object")
    return row


def _too_large(place: str, size: int) -> Callable[[], bytes]:
    def read() -> bytes:
        raise UnreadableError("too large a file", f"{place} has {size:,} bytes")

    return read


def _missing(place: str) -> Callable[[], bytes]:
    def read() -> bytes:
        raise UnreadableError("missing file", f"{place}: a prompt without a picture")

    return read
