"""Parquet: a column of pictures, as bytes or as ``datasets`` writes them, and one of prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import (
    MAX_BYTES,
    PROMPT_KEYS,
    ImportedPicture,
    UnreadableError,
    find_column,
    inside,
    reader,
    said_of,
)
from bench.importers.tables import parquet_rows, parquet_schema
from prompts.list_fields import KNOWN

IMAGE_KEYS = ("image", "img", "picture", "bytes", "image_bytes", "jpg", "jpeg", "png", "webp")


def files(root: Path) -> list[Path]:
    """Return the Parquet files of a set, sorted."""
    if root.is_file():
        return [root] if root.suffix.lower() == ".parquet" else []
    return sorted(path for path in root.rglob("*.parquet") if not path.name.startswith("."))


def detect(root: Path) -> bool:
    """Whether it is such a file, or a folder of such files."""
    return bool(files(root))


def pictures(
    root: Path, prompt_column: str | None = None, image_column: str | None = None
) -> Iterator[ImportedPicture]:
    """Yield the pictures in the order of the files and their rows.

    Raises
    ------
    UsageError
        A damaged file, a column that is missing or of another type, a path that leaves the folder.
    """
    base = root if root.is_dir() else root.parent
    for path in files(root):
        if root.is_dir():
            inside(root, path.relative_to(root).as_posix(), "set")
        column, texts = _columns(path, prompt_column, image_column)
        for place, row in parquet_rows(path, [column, *texts]):
            value = row.pop(column)
            said = said_of(row, prompt_column)
            short = place.removeprefix(f"{base}/")
            several = isinstance(value, list)
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                name = f"{short} picture {number}" if several else short
                yield ImportedPicture(name, said, _read(one, base, place))


def _columns(path: Path, prompt: str | None, image: str | None) -> tuple[str, list[str]]:
    """Columns of the picture, and of what is said of it."""
    schema = parquet_schema(path)
    column = find_column(schema.names, IMAGE_KEYS, image, "picture", str(path))
    text = find_column(schema.names, PROMPT_KEYS, prompt, "prompt", str(path))
    kind = schema.field(column).type
    if not _is_picture(kind):
        raise UsageError(
            f"{path}: column {column!r} holds {kind}: expected the bytes of image files, or "
            "struct<bytes, path> as `datasets` writes it; write a table of paths as CSV"
        )
    if not _is_text(schema.field(text).type):
        raise UsageError(f"{path}: column {text!r} holds {schema.field(text).type}, no text")
    wanted = {text, *PROMPT_KEYS, *KNOWN}
    return column, [name for name in schema.names if name in wanted and name != column]


def _is_picture(kind: Any) -> bool:
    """Bytes, a struct with bytes, or a list of either."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    struct = pa.types.is_struct(kind) and "bytes" in {field.name for field in kind}
    return struct or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_text(kind: Any) -> bool:
    """Text, also as categories (a dictionary), or a list of texts."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        (pa.types.is_string(kind), pa.types.is_large_string(kind), pa.types.is_string_view(kind))
    )


def _read(value: Any, base: Path, place: str) -> Callable[[], bytes]:
    if isinstance(value, dict):
        data, path = value.get("bytes"), value.get("path")
        if data is None and path:
            return reader(inside(base, path, place))
        value = data
    return partial(_bytes, value, place)


def _bytes(value: bytes | None, place: str) -> bytes:
    if value is None:
        raise UnreadableError("missing file", f"{place}: no bytes")
    if len(value) > MAX_BYTES:
        raise UnreadableError("too large a file", f"{place} has {len(value):,} bytes")
    return value
