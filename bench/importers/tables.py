"""Rows of the tables of a set: text by `prompts.tables`, and Parquet, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from bench.errors import UsageError
from prompts.errors import PromptError
from prompts.tables import read_table

#: Rows of a Parquet file that are in memory at once.
ROWS = 16

Placed = tuple[str, dict[str, Any]]


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[Placed]:
    """Yield the rows of a file by its ending: one of `prompts.tables.TABLES`, or ``.parquet``.

    Raises
    ------
    UsageError
        With file and line, where it cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        yield from parquet_rows(path, columns)
        return
    try:
        for place, row in read_table(path):
            yield str(place), row
    except PromptError as error:
        raise UsageError(str(error)) from None


def parquet_rows(
    path: Path | IO[bytes], columns: Sequence[str] | None = None, label: str = ""
) -> Iterator[Placed]:
    """Yield the rows of a Parquet file, few at a time; ``label`` names an open one.

    Raises
    ------
    UsageError
        It is damaged, or no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # A row group of pictures can be larger than the memory: it is read through a buffer.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            number = 0
            for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{label or path} row {number}", row
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(label or path, error) from None


def parquet_schema(path: Path) -> Any:
    """Return the columns of a Parquet file, as pyarrow gives them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: object, error: Exception) -> UsageError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UsageError(f"cannot read {path}: {reason}")
