"""Caption files read line by line: plain text and JSON lines, also compressed by gzip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from prompts.errors import PromptError, shown, unknown
from prompts.tables import open_text, rows_of

#: Keys that hold a caption, where none is named.
CAPTION_KEYS: tuple[str, ...] = ("caption", "text", "prompt")
#: Characters read at once: a longer line is read as several, so that memory stays bounded.
LONGEST_LINE = 1 << 20


def read_text_captions(path: str | Path) -> Iterator[str]:
    """Yield the lines of a text file that are not blank. Bytes outside UTF-8 are replaced."""
    with _open(path) as file:
        while line := file.readline(LONGEST_LINE):
            if not line.isspace():
                yield line


def read_jsonl_captions(path: str | Path, key: str | None = None) -> Iterator[str]:
    """Yield the captions of a file with one JSON object a line; null captions are left out.

    Parameters
    ----------
    path : str or Path
    key : str, optional
        Key of the caption; by default the first of ``caption``, ``text`` and ``prompt`` that the
        first object has.

    Raises
    ------
    PromptError
        With file and line, where a line is not an object or has no caption.
    """
    with _open(path) as file:
        for place, row in rows_of(file, str(path), ".jsonl"):
            if key is None:
                key = caption_key(row, str(place))
            if key not in row:
                raise unknown("caption key", key, row, f"({place})")
            caption = row[key]
            if caption is None:
                continue
            if not isinstance(caption, str):
                raise place.error(f"{key} must be a text, got {shown(caption)}", "captions")
            yield caption


def caption_key(keys: object, place: str) -> str:
    """Choose the key or column that holds captions among those there are."""
    names = [str(name) for name in cast("list[object]", keys)]
    for name in CAPTION_KEYS:
        if name in names:
            return name
    raise PromptError(
        f"{place}: no caption among {shown(', '.join(names))}; "
        f"expected one of {', '.join(CAPTION_KEYS)}",
        "captions",
    )


def _open(path: str | Path) -> IO[str]:
    try:
        return open_text(path, errors="replace")
    except OSError as error:
        raise PromptError(
            f"cannot read the captions {path}: {error.strerror or error}", "captions"
        ) from None
