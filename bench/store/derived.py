"""``verdicts.parquet`` and ``estimates.json``: made from the other tables, again at will."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records import Estimate, json_fields
from bench.store import files
from bench.store.manifest import versions
from bench.store.run import Run
from prompts.hashing import content_hash

VERDICTS_FILE = "verdicts.parquet"
ESTIMATES_FILE = "estimates.json"

VERDICT_METRICS = (
    "presence",
    "bind",
    "prior",
    "leak_background",
    "leak_neighbour",
    "leak_excess",
    "swap",
    "clip_bind",
    "clip_contrast",
    "clip_disagrees",
    "vqa_presence",
    "vqa_bind",
    "vqa_leak",
    "vqa_disagrees",
    "blipvqa",
    "blipvqa_disagrees",
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
    ]
)


def source_of(run: Run) -> str:
    """Hash of all that derived files are made from: parts, makers, rules, what is estimated."""
    from bench.judge.verdict import DEFAULT
    from bench.statistics.metrics import SHARES

    manifest = run.manifest
    parts = [
        f"{table}/{path.name}/{path.stat().st_size}/{manifest.made_by(table)}"
        for table in manifest.tables()
        if table != "regions"
        for path in files.list_parts(run.folder / table)
    ]
    version = versions().get("binding-bench", "")
    # What is estimated changes with the suite before its version does.
    estimated = (*Estimate.__dataclass_fields__, repr(SHARES))
    return content_hash(manifest.id, version, repr(DEFAULT), *estimated, *parts)


def write_verdicts(run: Run, batches: Iterable[list[dict[str, Any]]]) -> None:
    """Write the table of verdicts whole, batch by batch."""
    schema = VERDICTS.with_metadata({"bench.run": run.manifest.id, "bench.source": source_of(run)})

    def write(file: Any) -> None:
        with pq.ParquetWriter(cast(Any, file), schema, compression="zstd") as writer:
            for rows in batches:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))

    files.write_whole(run.folder / VERDICTS_FILE, write)


def read_verdicts(run: Run) -> pd.DataFrame:
    """Return the table of verdicts.

    Raises
    ------
    StoreError
        It is missing, damaged or of another run.
    """
    path = run.folder / VERDICTS_FILE
    if not path.is_file():
        raise StoreError(f"{path} is missing; `bench show {run.folder}` makes it again")
    try:
        with files.parquet(path) as file:
            schema = file.schema_arrow
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete it: it is made again") from error
    metadata = schema.metadata or {}
    if metadata.get(b"bench.run", b"").decode() != run.manifest.id or table.schema != VERDICTS:
        raise StoreError(f"{path} is of another run or version; delete it: it is made again")
    return table.to_pandas()


def are_current(run: Run) -> bool:
    """Whether both derived files exist and were made from the parts as they are now."""
    try:
        with files.parquet(run.folder / VERDICTS_FILE) as file:
            metadata = file.schema_arrow.metadata or {}
        stored = json.loads((run.folder / ESTIMATES_FILE).read_text(encoding="utf-8"))
        sources = {metadata[b"bench.source"].decode(), stored["source"]}
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
