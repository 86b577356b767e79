"""Rows of CSV, JSON lines and Parquet files, one after the other, with the place of each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UsageError

#: Endings that are read as tables of text.
TEXT = (".csv", ".tsv", ".jsonl", ".ndjson")
#: Longer lines are no metadata; with a limit a file of one line cannot fill the memory.
LONGEST_LINE = 1 << 20
#: Rows of a Parquet file that are in memory at once.
ROWS = 16

Placed = tuple[str, dict[str, Any]]


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[Placed]:
    """Yield the rows of a file by its ending: ``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``.

    Raises
    ------
    UsageError
        With file and line, where it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from parquet_rows(path, columns)
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (_json_rows if "json" in suffix or suffix == ".ndjson" else _csv_rows)(
                path, file
            )
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None


def _lines(path: Path, file: Any) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise UsageError(f"{path}: a line of more than {LONGEST_LINE} characters")
        yield line


def _csv_rows(path: Path, file: Any) -> Iterator[Placed]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    try:
        for values in reader:
            place = f"{path}:{reader.line_num}"
            if not any(value.strip() for value in values):
                continue
            if header is None:
                header = [value.strip() for value in values]
                continue
            if len(values) > len(header):
                raise UsageError(
                    f"{place}: {len(values)} fields under {len(header)} columns; quote a prompt "
                    "that holds the delimiter"
                )
            yield place, dict(zip(header, values, strict=False))
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _json_rows(path: Path, file: Any) -> Iterator[Placed]:
    for number, line in enumerate(_lines(path, file), 1):
        if line.isspace():
            continue
        place = f"{path}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{place}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise UsageError(f"{place}: expected a JSON object, got {line.strip()[:60]!r}")
        yield place, row


def parquet_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[Placed]:
    """Yield the rows of a Parquet file, few at a time.

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
                    yield f"{path} row {number}", row
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"cannot read {path}: {reason}") from None


def parquet_schema(path: Path) -> Any:
    """Return the columns of a Parquet file, as pyarrow tells them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"cannot read {path}: {reason}") from None
