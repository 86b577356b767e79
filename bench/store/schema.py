"""Columns of the tables of a run. ``docs/data_format.md`` tells their meaning."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

#: Version of the columns. It changes when an old reader would misread a new file.
FORMAT = "1"

_BINDINGS = pa.list_(
    pa.field("item", pa.struct([("colour", pa.string()), ("subject", pa.string())]))
)

_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

SAMPLES = pa.schema(
    [
        ("sample_id", pa.string()),
        ("cell_id", pa.string()),
        ("text", pa.string()),
        ("template", pa.string()),
        ("control_id", pa.string()),
        ("bindings", _BINDINGS),
        ("scenery", _BINDINGS),
        ("tags", pa.list_(pa.field("item", pa.string()))),
        ("index", pa.int32()),
        ("seed", pa.int64()),
        ("image", _PICTURE),
        ("frames", pa.list_(pa.field("item", _PICTURE))),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("invalid", pa.string()),
        ("seconds", pa.float64()),
        ("conditional", pa.list_(pa.field("item", _PICTURE))),
    ]
)

#: Columns that parts of earlier releases lack; they are read as null.
ADDED: dict[str, tuple[str, ...]] = {"samples": ("conditional",)}

REGIONS = pa.schema(
    [
        ("sample_id", pa.string()),
        ("segmenter", pa.string()),
        ("labels", pa.binary()),
        ("found", pa.list_(pa.field("item", pa.float32()))),
        ("neighbours", pa.list_(pa.field("item", pa.string()))),
    ]
)

SCORES = pa.schema(
    [
        ("sample_id", pa.string()),
        ("binding", pa.int8()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("reason", pa.string()),
    ]
)

TRAJECTORY = pa.schema(
    [
        ("sample_id", pa.string()),
        ("binding", pa.int8()),
        ("step", pa.int16()),
        ("noise", pa.float64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("reason", pa.string()),
    ]
)


def schema_of(table: str) -> pa.Schema:
    """Columns of a table: ``samples``, ``regions``, ``scores/<scorer>`` or ``trajectory``."""
    if table == "samples":
        return SAMPLES
    if table == "regions":
        return REGIONS
    if table.startswith("scores/"):
        return SCORES
    if table == "trajectory":
        return TRAJECTORY
    raise KeyError(table)


def with_metadata(table: str, run: str, made_by: str) -> pa.Schema:
    """Return the schema that is written: columns, the run it belongs to, and what made its rows.

    The samples also carry the description that lets the ``datasets`` library show the pictures.
    """
    metadata = {
        "bench.format": FORMAT,
        "bench.table": table,
        "bench.run": run,
        "bench.made_by": made_by,
    }
    schema = schema_of(table)
    if table == "samples":
        metadata["huggingface"] = json.dumps({"info": {"features": _features(schema)}})
    return schema.with_metadata(metadata)


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Return the columns in the words of the ``datasets`` library."""
    return {field.name: _feature(field.type) for field in schema}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if kind == _PICTURE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"_type": "List", "feature": _feature(kind.value_type)}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"_type": "Value", "dtype": "float64" if kind == pa.float64() else str(kind)}
