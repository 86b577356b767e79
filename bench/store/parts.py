"""Parts: the Parquet files that a table of a run consists of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.store import files
from bench.store.schema import ADDED, FORMAT, schema_of, with_metadata


class DamagedError(StoreError):
    """A part cannot be read.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, error: Exception) -> None:
        self.path = path
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        super().__init__(
            f"{path} is damaged ({reason}); the command that made the run sets it aside and makes "
            "its rows again"
        )


def read_part(
    path: Path, table: str, run: str, made_by: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """One part, checked: it is whole, it has our columns, it belongs to this run.

    Raises
    ------
    StoreError
        The part is damaged, foreign, or made by other options; the message names the file.
    """
    with _open(path, table, run) as file:
        maker = (file.schema_arrow.metadata or {}).get(b"bench.made_by", b"").decode()
        if maker != made_by:
            raise StoreError(
                f"{path} was made by other options than run.json tells (an interrupted change of "
                "the scorers or the segmenter?); finish it with the `bench run` that made it"
            )
        schema = schema_of(table)
        names = schema.names if columns is None else list(columns)
        there = set(file.schema_arrow.names)
        try:
            part = file.read(columns=[name for name in names if name in there])
        except (pa.ArrowException, OSError) as error:
            raise DamagedError(path, error) from error
        for place, name in enumerate(names):
            if name not in there:
                nulls = pa.nulls(len(part), schema.field(name).type)
                part = part.add_column(place, schema.field(name), nulls)
        return part


def made_by(path: Path, table: str, run: str) -> str:
    """Digest of what made the rows of a part, from its footer."""
    with _open(path, table, run) as file:
        return (file.schema_arrow.metadata or {}).get(b"bench.made_by", b"").decode()


def _open(path: Path, table: str, run: str) -> pq.ParquetFile:
    try:
        file = files.parquet(path, page_checksum_verification=True, memory_map=False)
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(path, error) from error
    try:
        metadata = file.schema_arrow.metadata or {}
        if metadata.get(b"bench.table", b"").decode() != table:
            raise StoreError(f"{path} is foreign: not a part of the table {table!r} of a run")
        if metadata[b"bench.format"].decode() != FORMAT:
            raise StoreError(
                f"{path} has format {metadata[b'bench.format'].decode()}, this bench reads {FORMAT}"
            )
        owner = metadata.get(b"bench.run", b"").decode()
        if owner != run:
            raise StoreError(
                f"{path} is foreign: it belongs to run {owner or '?'}, not {run}; move it away"
            )
        wanted, found = schema_of(table), file.schema_arrow.remove_metadata()
        lacks = [name for name in ADDED.get(table, ()) if name not in found.names]
        if not found.equals(pa.schema([field for field in wanted if field.name not in lacks])):
            raise StoreError(f"{path} is foreign: its columns are not those of {table!r}")
    except StoreError:
        file.close()
        raise
    return file


class PartWriter:
    """Collects the rows of one table and writes them as parts.

    Parameters
    ----------
    folder : Path
        Folder of the table.
    table : str
        ``samples``, ``regions`` or ``scores/<scorer>``.
    run : str
        Id of the run.
    made_by : str
        Digest of what makes the rows.
    suffix : str
        Ends the names of the parts; one for each of several writers.
    """

    def __init__(self, folder: Path, table: str, run: str, made_by: str, suffix: str = "") -> None:
        self.folder = folder
        self._ending = f"-{suffix}.parquet" if suffix else ".parquet"
        self.schema = with_metadata(table, run, made_by)
        self._batches: list[pa.RecordBatch] = []
        self._next = 1 + max(map(_number, files.list_parts(folder)), default=0)

    @property
    def bytes(self) -> int:
        """Size of what is collected and not yet written."""
        return sum(batch.nbytes for batch in self._batches)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows to the part in hand."""
        if rows:
            self._batches.append(as_batch(rows, self.schema))

    def close_part(self) -> Path | None:
        """Write the part in hand whole, and begin the next; None where it has no rows."""
        if not self._batches:
            return None
        table = pa.Table.from_batches(self._batches, schema=self.schema)
        path = self.folder / f"part-{self._next:06d}{self._ending}"
        write_part(table, path)
        self._batches = []
        self._next += 1
        # What a large picture took is not needed for the next part.
        pa.default_memory_pool().release_unused()
        return path


def as_batch(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a batch; of a picture that comes alone, as large ones do, no byte is copied."""
    if len(rows) > 1 or not rows[0].get("image"):
        return pa.RecordBatch.from_pylist(list(rows), schema=schema)
    image = rows[0]["image"]
    data = image["bytes"]
    ends = pa.array([0, len(data)], pa.int32()).buffers()[1]
    alone = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(data)])
    batch = pa.RecordBatch.from_pylist([{**rows[0], "image": None}], schema=schema)
    place, field = schema.get_field_index("image"), schema.field("image")
    column = pa.StructArray.from_arrays(
        [alone, pa.array([image["path"]], pa.string())], fields=list(field.type)
    )
    return batch.set_column(place, field, column)


def write_part(table: pa.Table, path: Path) -> None:
    """Write one part whole; the schema's metadata says whose it is."""
    files.write_whole(path, lambda file: _write(table, file))


#: Columns with few distinct values.
_REPEATED = ("cell_id", "text", "template", "control_id", "segmenter", "metric", "reason")


def _write(table: pa.Table, file: BinaryIO) -> None:
    leaves = [leaf for field in table.schema for leaf in _leaves(field.name, field.type)]
    # A picture is compressed already, each is another, and its bytes are no range to look for.
    plain = [leaf for leaf in leaves if not leaf.endswith(".bytes")]
    name = getattr(file, "name", None)
    # Of each page that goes to a file of Python's Arrow makes a copy.
    with nullcontext(file) if name is None else pa.OSFile(name, mode="wb") as sink:
        pq.write_table(
            table,
            cast(Any, sink),
            compression={leaf: "zstd" if leaf in plain else "none" for leaf in leaves},
            use_dictionary=[name for name in table.column_names if name in _REPEATED],
            write_statistics=cast(Any, plain),
            write_page_checksum=True,
            row_group_size=4096,
        )


def _leaves(path: str, kind: pa.DataType) -> list[str]:
    """Paths of the columns that Parquet makes of one of ours."""
    if pa.types.is_list(kind):
        return _leaves(f"{path}.list.element", kind.value_type)
    if pa.types.is_struct(kind):
        return [leaf for field in kind for leaf in _leaves(f"{path}.{field.name}", field.type)]
    return [path]


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("part-").split("-")[0]
    return int(digits) if digits.isdigit() else 0


def iterate(
    folder: Path,
    table: str,
    run: str,
    made_by: str,
    columns: Sequence[str] | None = None,
    names: Collection[str] | None = None,
) -> Iterator[tuple[Path, pa.Table]]:
    """Return the parts of a table one after the other, each checked, never all in memory."""
    for path in files.list_parts(folder):
        if names is not None and path.name not in names:
            continue
        yield path, read_part(path, table, run, made_by, columns)
