"""What is made from the tables of a run, again at will: verdicts, accumulation, estimates."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records import Estimate, json_fields
from bench.statistics.metrics import OPINIONS, OUTSIDE
from bench.store import files
from bench.store.manifest import versions
from bench.store.run import Run
from prompts.hashing import content_hash

if TYPE_CHECKING:
    import pandas as pd

VERDICTS_FILE = "verdicts.parquet"
ESTIMATES_FILE = "estimates.json"
ACCUMULATION_FILE = "accumulation.parquet"

VERDICT_METRICS = (
    "presence",
    "bind",
    "prior",
    "leak_background",
    "leak_neighbour",
    "leak_excess",
    "swap",
    *OPINIONS,
    "ood",
)

VERDICTS = pa.schema(
    [
        ("sample_id", pa.string()),
        ("cell_id", pa.string()),
        ("binding", pa.int8()),
        ("colour", pa.string()),
        ("subject", pa.string()),
        ("template", pa.string()),
        ("tags", pa.list_(pa.field("item", pa.string()))),
        ("index", pa.int32()),
        ("verdict", pa.string()),
        ("rule", pa.string()),
        ("value", pa.float64()),
        ("threshold", pa.float64()),
        ("words", pa.string()),
        *((name, pa.float64()) for name in VERDICT_METRICS),
        ("observed", pa.string()),
        (OUTSIDE, pa.float64()),
        ("nearest_kind", pa.string()),
    ]
)

#: What the colour word added, step by step: a row a binding, prediction and place.
ACCUMULATION = pa.schema(
    [
        ("sample_id", pa.string()),
        ("binding", pa.int8()),
        ("prediction", pa.dictionary(pa.int8(), pa.string())),
        ("place", pa.dictionary(pa.int8(), pa.string())),
        ("share", pa.float32()),
        ("distance", pa.float32()),
        ("added", pa.list_(pa.field("item", pa.float32()))),
        ("beyond", pa.list_(pa.field("item", pa.float32()))),
    ]
)


def source_of(run: Run) -> str:
    """Hash of all that derived files are made from: parts, makers, rules, what is estimated."""
    from bench.judge.readings import usual_parts_hash
    from bench.judge.scorers.measured import REVISION
    from bench.judge.verdict import DEFAULT
    from bench.statistics.arrival import ARRIVAL_METRICS
    from bench.statistics.metrics import SHARES

    manifest = run.manifest
    parts = [
        f"{table}/{path.name}/{path.stat().st_size}/{manifest.made_by(table)}"
        for table in manifest.tables()
        if table != "regions"
        for path in files.list_parts(run.folder / table)
    ]
    version = versions().get("binding-bench", "")
    # What is estimated, and the columns, change with the suite before its version does.
    estimated = (*Estimate.__dataclass_fields__, repr(SHARES))
    estimated += tuple(VERDICTS.names)
    if manifest.kept:
        estimated += (*ARRIVAL_METRICS, *ACCUMULATION.names)
    rules = (repr(DEFAULT), usual_parts_hash(), str(REVISION))
    return content_hash(manifest.id, version, *rules, *estimated, *parts)


def write_verdicts(run: Run, batches: Iterable[list[dict[str, Any]]]) -> None:
    """Write the table of verdicts whole, batch by batch."""
    _write_table(run, VERDICTS_FILE, VERDICTS, batches)


def write_accumulation(run: Run, batches: Iterable[list[dict[str, Any]]]) -> None:
    """Write the table of what the colour words added whole, batch by batch."""
    _write_table(run, ACCUMULATION_FILE, ACCUMULATION, batches)


def _write_table(
    run: Run, name: str, columns: pa.Schema, batches: Iterable[list[dict[str, Any]]]
) -> None:
    schema = columns.with_metadata({"bench.run": run.manifest.id, "bench.source": source_of(run)})

    def write(file: Any) -> None:
        with pq.ParquetWriter(cast(Any, file), schema, compression="zstd") as writer:
            for rows in batches:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))

    files.write_whole(run.folder / name, write)


def read_verdicts(run: Run) -> pd.DataFrame:
    """Return the table of verdicts.

    Raises
    ------
    StoreError
        It is missing, damaged or of another run.
    """
    return _read_table(run, VERDICTS_FILE, VERDICTS)


def read_accumulation(run: Run) -> pd.DataFrame:
    """Return the table of what the colour words added, without rows where no frames are kept.

    Raises
    ------
    StoreError
        It is missing, damaged or of another run.
    """
    if not run.manifest.kept:
        return ACCUMULATION.empty_table().to_pandas()
    return _read_table(run, ACCUMULATION_FILE, ACCUMULATION)


def _read_table(run: Run, name: str, columns: pa.Schema) -> pd.DataFrame:
    path = run.folder / name
    if not path.is_file():
        raise StoreError(f"{path} is missing; `bench show {run.folder}` makes it again")
    try:
        with files.parquet(path) as file:
            schema = file.schema_arrow
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete it: it is made again") from error
    metadata = schema.metadata or {}
    if metadata.get(b"bench.run", b"").decode() != run.manifest.id or table.schema != columns:
        raise StoreError(f"{path} is of another run or version; delete it: it is made again")
    return table.to_pandas()


def are_current(run: Run) -> bool:
    """Whether the derived files exist and were made from the parts as they are now."""
    tables = [VERDICTS_FILE, *([ACCUMULATION_FILE] if run.manifest.kept else [])]
    try:
        stored = json.loads((run.folder / ESTIMATES_FILE).read_text(encoding="utf-8"))
        sources = {stored["source"]}
        for name in tables:
            with files.parquet(run.folder / name) as file:
                metadata = file.schema_arrow.metadata or {}
            sources.add(metadata[b"bench.source"].decode())
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        return False
    return sources == {source_of(run)}


def write_estimates(run: Run, estimates: Sequence[Estimate]) -> None:
    """Write the estimates, one a line; NaN becomes null."""
    lines = ",\n".join(" " + json.dumps(json_fields(one)) for one in estimates)
    text = f'{{"format": 1, "source": "{source_of(run)}", "estimates": [\n{lines}\n]}}\n'
    files.write_text(run.folder / ESTIMATES_FILE, text)


def read_estimates(run: Run) -> list[Estimate]:
    """Return the stored estimates.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    path = run.folder / ESTIMATES_FILE
    text = files.read_text(path)
    try:
        entries = json.loads(text)["estimates"]
        return [
            Estimate(**{**entry, "value": math.nan if entry["value"] is None else entry["value"]})
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete it: it is made again") from error
