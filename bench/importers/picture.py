"""One picture of a set: where it stands, what is said of it, and how its bytes are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from bench.errors import UsageError
from bench.importers.snapshot import is_blob

#: Endings of picture files.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"})
#: Larger files are not read: no picture of at most 64 megapixels needs more.
MAX_BYTES = 256 * 2**20
#: Names that a prompt goes by, the first before the others.
PROMPT_KEYS = ("prompt", "text", "caption")


class UnreadableError(Exception):
    """The bytes of a picture cannot be had.

    Attributes
    ----------
    kind : str
        Why, in few words that many pictures share.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, eq=False)
class ImportedPicture:
    """A picture that exists.

    Attributes
    ----------
    place : str
        Where it stands within the set, for people: ``00000/samples/0000.png``.
    said : mapping
        What is said of it: ``prompt``, and where it is said ``colour``, ``subject``, ``hex``,
        ``colour2``, ... as `prompts.prompt_list` reads them. Empty where nothing is.
    read : callable
        Gives the bytes of its file, or raises `UnreadableError`; good until the next picture is
        asked for.
    why_not : str
        Why it cannot be matched, where that is known before its prompt is read.
    is_sample : bool
        False for a file that the layout calls no sample, such as a mask or a contact sheet: it is
        left out, counted apart, with ``why_not`` for the reason.
    tile : tuple of int, optional
        ``row, column, rows, columns``: the part of a contact sheet that is the picture.
    """

    place: str
    said: Mapping[str, Any]
    read: Callable[[], bytes]
    why_not: str = ""
    is_sample: bool = True
    tile: tuple[int, int, int, int] | None = None


def said_of(row: Mapping[str, Any], column: str | None = None) -> dict[str, Any]:
    """Return the fields of a row with its prompt under ``prompt``.

    Parameters
    ----------
    row : mapping
    column : str, optional
        Where the prompt stands; the first of `PROMPT_KEYS` that is not empty by default.
    """
    names = PROMPT_KEYS if column is None else (column,)
    prompt = next((row[name] for name in names if row.get(name) not in (None, "", [])), None)
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    rest = {key: value for key, value in row.items() if key not in (*PROMPT_KEYS, column)}
    return rest if prompt is None else {"prompt": prompt, **rest}


def find_column(
    names: Iterable[str], known: Iterable[str], given: str | None, what: str, place: str
) -> str:
    """Return the name of a column: the one given, else the first known one that is there.

    Raises
    ------
    UsageError
        There is none; the message names those that there are.
    """
    names = list(names)
    wanted = list(known) if given is None else [given]
    for name in wanted:
        if name in names:
            return name
    option = {"path": "--image-column", "picture": "--image-column", "prompt": "--prompt-column"}
    raise UsageError(
        f"{place} has no column for the {what}: expected {', '.join(wanted)}, found "
        f"{', '.join(map(repr, names[:12])) or 'none'}; name it with {option[what]}"
    )


def inside(root: Path, given: object, place: str) -> Path:
    """Return the path of a file that metadata names, where it lies in its folder.

    Parameters
    ----------
    root : Path
        The folder that nothing may leave, but to a blob where it is a snapshot of the hub's cache.
    given : object
        What the metadata says; untrusted.
    place : str
        Where it says so.

    Raises
    ------
    UsageError
        It is no relative path, or leads out of the folder, by ``..`` or by a symbolic link.
    """
    path = root.joinpath(*clean_path(given, root, place))
    check_inside(root, path, place)
    return path


def clean_path(given: object, root: Path, place: str) -> list[str]:
    """Return the steps of a relative path, written with slashes or backslashes.

    Raises
    ------
    UsageError
        It is none, is absolute, or leads out of ``root`` by ``..``.
    """
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise UsageError(f"{place}: {str(given)[:80]!r} is no path of a picture")
    windows = PureWindowsPath(given)
    if PurePosixPath(given).is_absolute() or windows.drive or windows.root:
        raise UsageError(
            f"{place}: path {given!r} is refused: it is absolute; paths are relative to {root}"
        )
    if ".." in windows.parts or ".." in PurePosixPath(given).parts:
        raise UsageError(f"{place}: path {given!r} is refused: it leads out of {root}")
    if not windows.parts:
        raise UsageError(f"{place}: {given!r} is no path of a picture")
    return list(windows.parts)


def check_inside(root: Path, path: Path, place: str) -> None:
    """Refuse a path that a symbolic link leads out of its folder.

    In a snapshot of the hub's cache the links lead to the blobs of the same repository: these are
    the files of the snapshot.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{place}: path {str(path)!r} is refused: {error}") from None
    if not real.is_relative_to(root.resolve()) and not is_blob(real, root):
        raise UsageError(
            f"{place}: path {str(path)!r} is refused: a symbolic link leads out of {root} to "
            f"{real}; copy the file into the folder"
        )


def read_file(path: Path) -> bytes:
    """Read the bytes of a picture file.

    Raises
    ------
    UnreadableError
        It is missing, no regular file, too large, or cannot be read.
    """
    try:
        if not path.is_file():
            kind = "no regular file" if path.exists() else "missing file"
            raise UnreadableError(kind, f"{path}: {kind}")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableError("too large a file", f"{path} has {size:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError("unreadable file", f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UnreadableError("missing file", f"{path}: {error}") from None


def reader(path: Path) -> Callable[[], bytes]:
    """Return what reads a file when it is asked."""
    return lambda: read_file(path)
