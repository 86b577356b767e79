"""A file of training captions, of any size and form, counted into a manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import UsageError
from prompts.caption_files import caption_key, read_jsonl_captions, read_text_captions
from prompts.captions import count_captions
from prompts.colours import BASIC, Colour
from prompts.errors import PromptError
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, Subject

#: Rows of a Parquet file read at once.
BATCH_ROWS = 16384


def read_manifest(
    path: str | Path,
    colours: Sequence[Colour] = BASIC,
    subjects: Sequence[Subject] = SUBJECT_LIST,
    key: str | None = None,
) -> TrainingManifest:
    """Count a file of captions, or load a manifest that was saved.

    Parameters
    ----------
    path : str or Path
        ``.txt`` (one caption a line), ``.jsonl`` or ``.ndjson``, ``.parquet``, or ``.json`` for a
        saved manifest. Text and JSON lines may be compressed (``.gz``). Any other ending is read
        as text.
    colours, subjects : sequence
        What to look for.
    key : str, optional
        Key or column of the caption; by default ``caption``, ``text`` or ``prompt``.

    Raises
    ------
    UsageError
        Where the file cannot be read or holds no caption.
    """
    try:
        if str(path).lower().endswith(".json"):
            return TrainingManifest.load(path)
        manifest = count_captions(read_captions(path, key), colours, subjects)
    except PromptError as error:
        raise UsageError(str(error)) from error
    except (OSError, EOFError) as error:
        raise UsageError(f"cannot read the captions {path}: {error}") from error
    if manifest.captions == 0:
        raise UsageError(f"{path} holds no caption: expected one a line")
    return manifest


def read_captions(path: str | Path, key: str | None = None) -> Iterator[str]:
    """Yield the captions of a file, in order, without holding more than a batch of them."""
    name = str(path).lower().removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return read_parquet_captions(path, key)
    if name.endswith((".jsonl", ".ndjson")):
        return read_jsonl_captions(path, key)
    return read_text_captions(path)


def read_parquet_captions(path: str | Path, key: str | None = None) -> Iterator[str]:
    """Yield the captions of one column of a Parquet file, batch by batch; nulls are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            column = key or caption_key(names, str(path))
            if column not in names:
                raise UsageError(
                    f"{path} has no column {column!r}: expected one of {', '.join(names)}"
                )
            kind = file.schema_arrow.field(column).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise UsageError(f"{path}: column {column!r} must hold text, it holds {kind}")
            for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
                yield from (text for text in batch.column(0).to_pylist() if text is not None)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"cannot read the captions {path}: {error}") from error
