"""The one way from a run folder to the page: its tables, and its pictures one by one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records import Estimate

_SAMPLE_COLUMNS = (
    "sample_id",
    "cell_id",
    "text",
    "template",
    "control_id",
    "bindings",
    "tags",
    "index",
    "seed",
    "width",
    "height",
    "invalid",
)
_VERDICT_COLUMNS = (
    "sample_id",
    "cell_id",
    "binding",
    "colour",
    "subject",
    "template",
    "tags",
    "index",
    "verdict",
    "words",
)


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder without its pictures.

    Attributes
    ----------
    path : Path
    name : str
        Name of the folder.
    record : dict
        ``run.json``.
    samples, verdicts : DataFrame
        The tables of ``docs/data_format.md``; samples without the picture.
    shares : DataFrame
        Columns ``sample_id, binding, metric, value``: what part of the subject, the neighbours
        and the background each basic colour covers.
    estimates : tuple of Estimate
    """

    path: Path
    name: str
    record: dict[str, Any]
    samples: pd.DataFrame
    verdicts: pd.DataFrame
    shares: pd.DataFrame
    estimates: tuple[Estimate, ...] = field(default=())


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """The stored bytes of one image: the picture, its label map, the frames of its making."""

    sample_id: str
    image: bytes
    labels: bytes | None
    frames: tuple[bytes, ...] = ()


def read_run(path: Path) -> Run:
    """Read everything of a run folder but the pictures.

    Raises
    ------
    bench.errors.StoreError
        Where the folder is not a run, is incomplete, or a file of it cannot be read.
    """
    if not path.is_dir():
        raise StoreError(f"{path}: no such run folder")
    record = _read_json(path / "run.json")
    if not isinstance(record, dict):
        raise StoreError(f"{path / 'run.json'}: expected an object with the description of a run")
    samples = _read_parts(path / "samples", list(_SAMPLE_COLUMNS))
    verdicts = _read_table(path / "verdicts.parquet")
    missing = [name for name in _VERDICT_COLUMNS if name not in verdicts.column_names]
    if missing:
        raise StoreError(f"{path / 'verdicts.parquet'}: column {missing[0]} is missing")
    return Run(
        path=path,
        name=path.resolve().name,
        record=record,
        samples=samples.to_pandas(),
        verdicts=verdicts.to_pandas(),
        shares=_read_shares(path / "scores" / "segmentation"),
        estimates=_read_estimates(path / "estimates.json"),
    )


def read_pictures(run: Run, wanted: Collection[str]) -> Iterator[Picture]:
    """Yield the wanted pictures in the order of the store, a few hundred in memory at a time."""
    labels = _read_labels(run.path / "regions", wanted)
    for part in _parts(run.path / "samples"):
        try:
            with pq.ParquetFile(part) as file:
                names = ["sample_id", "image"]
                if "frames" in file.schema_arrow.names:
                    names.append("frames")
                for batch in file.iter_batches(batch_size=256, columns=names):
                    yield from _pictures_of(batch, wanted, labels)
        except (pa.ArrowException, OSError) as error:
            raise StoreError(f"{part}: cannot be read ({_first_line(error)})") from error


def _pictures_of(
    batch: pa.RecordBatch, wanted: Collection[str], labels: dict[str, bytes]
) -> Iterator[Picture]:
    ids = batch.column("sample_id").to_pylist()
    frames = batch.column("frames") if "frames" in batch.schema.names else None
    for row, sample_id in enumerate(ids):
        if sample_id not in wanted:
            continue
        stored = batch.column("image")[row].as_py()
        if not stored or stored.get("bytes") is None:
            continue
        steps = (frames[row].as_py() or []) if frames is not None else []
        yield Picture(
            sample_id,
            stored["bytes"],
            labels.get(sample_id),
            tuple(step["bytes"] for step in steps if step and step.get("bytes")),
        )


def _read_labels(folder: Path, wanted: Collection[str]) -> dict[str, bytes]:
    labels: dict[str, bytes] = {}
    if not folder.is_dir():
        return labels
    for part in _parts(folder):
        table = _read_table(part, ["sample_id", "labels"])
        for sample_id, value in zip(
            table["sample_id"].to_pylist(), table["labels"].to_pylist(), strict=True
        ):
            if value is not None and sample_id in wanted:
                labels[sample_id] = value
    return labels


def _read_shares(folder: Path) -> pd.DataFrame:
    columns = ["sample_id", "binding", "metric", "value"]
    if not folder.is_dir():
        return pd.DataFrame({name: [] for name in columns})
    tables = []
    for part in _parts(folder):
        table = _read_table(part, columns)
        metric = table["metric"]
        keep = pa.compute.match_substring_regex(metric, "^(subject|background|neighbour)_")
        tables.append(table.filter(keep))
    if not tables:
        return pd.DataFrame({name: [] for name in columns})
    frame = pa.concat_tables(tables).to_pandas(categories=["metric"])
    return frame


def _read_estimates(path: Path) -> tuple[Estimate, ...]:
    if not path.is_file():
        return ()
    stored = _read_json(path)
    if isinstance(stored, dict):
        stored = stored.get("estimates", [])
    names = Estimate.__dataclass_fields__
    found = []
    try:
        for entry in stored:
            values = {name: entry.get(name) for name in names}
            if values["value"] is None:
                values["value"] = float("nan")
            found.append(Estimate(**values))
    except (TypeError, AttributeError, KeyError) as error:
        raise StoreError(f"{path}: not a list of estimates") from error
    return tuple(found)


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _read_parts(folder: Path, columns: list[str]) -> pa.Table:
    parts = _parts(folder)
    if not parts:
        raise StoreError(f"{folder}: no parts, so there is nothing to report; run bench run first")
    return pa.concat_tables([_read_table(part, columns) for part in parts])


def _read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    if not path.is_file():
        raise StoreError(f"{path}: missing; bench show makes the derived tables again")
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"{path}: cannot be read ({_first_line(error)})") from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StoreError(f"{path}: missing, so this is not a run folder") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
