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
    Picture,
    UnreadableError,
    find_column,
    inside,
    reader,
    said_of,
)
from bench.importers.tables import parquet_rows, parquet_schema

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
) -> Iterator[Picture]:
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
            picture = row.pop(column)
            short = place.removeprefix(f"{base}/")
            yield Picture(short, said_of(row, prompt_column), _read(picture, base, place))


def _columns(path: Path, prompt: str | None, image: str | None) -> tuple[str, list[str]]:
    """Columns of the picture, and of what is said of it."""
    import pyarrow as pa

    schema = parquet_schema(path)
    column = find_column(schema.names, IMAGE_KEYS, image, "picture", str(path))
    find_column(schema.names, PROMPT_KEYS, prompt, "prompt", str(path))
    kind = schema.field(column).type
    struct = pa.types.is_struct(kind) and "bytes" in {field.name for field in kind}
    if not (struct or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise UsageError(
            f"{path}: column {column!r} holds {kind}: expected the bytes of image files, or "
            "struct<bytes, path> as `datasets` writes it"
        )
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    if prompt is not None and prompt not in texts:
        raise UsageError(f"{path}: column {prompt!r} holds {schema.field(prompt).type}, no text")
    return column, texts


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
