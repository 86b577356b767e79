"""Tar and zip archives as trees; nothing is unpacked to the disk, and what is read is bounded."""

from __future__ import annotations

import io
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import MAX_BYTES, UnreadableError, clean_path
from bench.importers.tables import Placed, parquet_rows
from bench.importers.trees import Tree, natural
from prompts.errors import PromptError, shown
from prompts.tables import encoding_of, rows_of

TARS = (".tar", ".tar.gz", ".tgz")
ENDINGS = (*TARS, ".zip")
#: Bytes of one text of an archive, and of all texts of a tar, which stay in memory.
MAX_TEXT = 1 << 20
MAX_TEXTS = 1 << 28
#: Endings of texts in an archive.
TEXTS = (".txt", ".caption", ".json", ".jsonl", ".csv", ".tsv", ".ndjson")
#: Files of an archive; a directory of more would fill the memory.
MAX_MEMBERS = 4_000_000
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, SyntaxError),
)


class _Archive:
    """What tar and zip have in common: names as they stand, and a map of their NFC forms."""

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, f"{path.name}:"
        self._members: dict[str, Any] = {}
        self._forms: dict[str, str] = {}

    @property
    def names(self) -> Sequence[str]:
        """All files, in the order of the archive."""
        return list(self._members)

    def _add(self, given: str, member: Any) -> None:
        parts = clean_path(given, self.path, f"{self.path}: member {given!r}")
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            return
        name = "/".join(parts)
        if name in self._members:
            raise UsageError(f"{self.path}: member {name!r} is there twice; keep one")
        if len(self._members) >= MAX_MEMBERS:
            raise UsageError(f"{self.path} has more than {MAX_MEMBERS:,} files; split it")
        self._members[name] = member
        self._forms[unicodedata.normalize("NFC", name)] = name

    def locate(self, base: str, given: object, place: str) -> str:
        """Return the name of a member, whatever its slashes and its Unicode form."""
        parts = clean_path(given, self.path, place)
        inner = PurePosixPath(base, *parts).as_posix()
        for name in (inner, "/".join(parts)):
            found = self._forms.get(unicodedata.normalize("NFC", name))
            if found is not None:
                return found
        return inner

    def reader(self, name: str) -> Callable[[], bytes]:
        """Return what reads a member."""
        return lambda: self._content(name)

    def _content(self, name: str) -> bytes:
        place = f"{self.label}{name}"
        if name not in self._members:
            raise UnreadableError("missing file", f"{place}: no such member")
        size = self._size(name)
        limit = MAX_TEXT if name.lower().endswith(TEXTS[:3]) else MAX_BYTES
        if size > limit:
            raise UnreadableError("too large a file", f"{place} has {size:,} bytes")
        try:
            data = self._read(name)
        except _DAMAGED as error:
            raise UnreadableError("damaged file", f"{place}: {error}") from None
        if len(data) != size:
            raise UsageError(f"{place} is cut off: {len(data):,} of {size:,} bytes")
        return data

    def _size(self, name: str) -> int:
        raise NotImplementedError

    def _read(self, name: str) -> bytes:
        raise NotImplementedError

    def rows(self, name: str) -> Iterator[Placed]:
        """Yield the rows of a table of the archive."""
        place = f"{self.path}:{name}"
        suffix = PurePosixPath(name).suffix.lower()
        try:
            data = self._content(name)
        except UnreadableError as error:
            raise UsageError(str(error)) from None
        if suffix == ".parquet":
            yield from parquet_rows(io.BytesIO(data), label=place)
            return
        file = io.TextIOWrapper(io.BytesIO(data), encoding_of(data[:4]), newline="")
        try:
            for where, row in rows_of(file, place, suffix):
                yield str(where), row
        except UnicodeDecodeError as error:
            raise UsageError(f"{place}: not UTF-8 text ({error.reason})") from None
        except PromptError as error:
            raise UsageError(str(error)) from None


class ZipTree(_Archive):
    """The files of a zip archive, sorted."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        super().__init__(path)
        self._zip = archive
        for info in sorted(self._zip.infolist(), key=lambda info: natural(info.filename)):
            if info.is_dir():
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                raise UsageError(f"{path}: member {info.filename!r} is refused: it is a link")
            if info.flag_bits & 1:
                raise UsageError(f"{path}: member {info.filename!r} is encrypted; unpack it first")
            self._add(info.filename, info)

    def _size(self, name: str) -> int:
        return int(self._members[name].file_size)

    def _read(self, name: str) -> bytes:
        # A member that unpacks to more than it says is not read further.
        with self._zip.open(self._members[name]) as file:
            return file.read(self._size(name) + 1)


class TarTree(_Archive):
    """The files of a tar archive, compressed or not, in its order.

    The members are listed first and the texts kept, so that the pictures can be read in one pass
    whatever the order; of a picture only its place in the archive stays in memory.
    """

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        super().__init__(path)
        self._tar = archive
        self._texts: dict[str, bytes] = {}
        kept = 0
        while (member := self._tar.next()) is not None:
            # The archive would remember every member that it has seen.
            self._tar.members = []  # type: ignore[attr-defined]
            if member.isdir():
                continue
            if not member.isfile() or member.issparse():
                raise UsageError(
                    f"{path}: member {member.name!r} is refused: it is a link or a device, no file"
                )
            name = member.name.removeprefix("./")
            self._add(name, (member.offset_data, member.size))
            if name in self._members and name.lower().endswith(TEXTS) and member.size <= MAX_TEXT:
                file = self._tar.extractfile(member)
                self._texts[name] = file.read() if file is not None else b""
                kept += member.size
                if kept > MAX_TEXTS:
                    raise UsageError(f"{path} has more than {MAX_TEXTS:,} bytes of text; split it")
        if not self._members:
            raise UsageError(f"{path} is an empty archive")

    def _size(self, name: str) -> int:
        return int(self._members[name][1])

    def _read(self, name: str) -> bytes:
        if name in self._texts:
            return self._texts[name]
        offset, size = self._members[name]
        file: Any = self._tar.fileobj
        file.seek(offset)
        data: bytes = file.read(size)
        return data


@contextmanager
def open_archive(path: Path) -> Iterator[Tree]:
    """Open a tar or zip archive as a tree.

    Raises
    ------
    UsageError
        It is damaged, encrypted, or has a member that leads out of it.
    """
    with ExitStack() as stack:
        try:
            if path.name.lower().endswith(".zip"):
                tree: Tree = ZipTree(path, stack.enter_context(zipfile.ZipFile(path)))
            else:
                tree = TarTree(path, stack.enter_context(tarfile.open(path, "r:*")))
        except _DAMAGED as error:
            raise UsageError(f"cannot read {path}: {shown(error)[1:-1]}") from None
        yield tree
