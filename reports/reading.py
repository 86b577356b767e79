"""The one way from a run folder to the page: its tables, and its pictures one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import StoreError
from bench.records import Estimate
from bench.store.derived import read_estimates, read_verdicts
from bench.store.run import Run
from prompts.colours import COLOUR_NAMES

_SAMPLE_COLUMNS = (
    "sample_id",
    "cell_id",
    "text",
    "template",
    "control_id",
    "tags",
    "bindings",
    "index",
    "seed",
)

#: Places whose share in each basic colour scorers measure.
PLACES = ("subject", "neighbour", "background", "support")

#: Shares of a place in a term, as scorers call them.
_SHARES = tuple(f"{place}_{term}" for place in PLACES for term in COLOUR_NAMES)


@dataclass(frozen=True, eq=False)
class RunTables:
    """A run folder without its pictures.

    Attributes
    ----------
    stored : bench.store.run.Run
        The folder, opened once; pictures and frames are read through it.
    name : str
        Name of the run.
    record : dict
        ``run.json``.
    samples, verdicts : DataFrame
        The tables of ``docs/data_format.md``; samples without the picture.
    shares : DataFrame
        Columns ``sample_id, binding, metric, value``: what part of each of `PLACES` each basic
        colour covers.
    estimates : tuple of Estimate
    """

    stored: Run
    name: str
    record: dict[str, Any]
    samples: pd.DataFrame
    verdicts: pd.DataFrame
    shares: pd.DataFrame
    estimates: tuple[Estimate, ...] = field(default=())

    def estimate(self, metric: str, group: str = "all") -> Estimate | None:
        """Return an estimate; None where it was not made or has no value."""
        for one in self.estimates:
            if one.metric == metric and one.group == group and one.value == one.value:
                return one
        return None


@dataclass(frozen=True, eq=False, slots=True)
class StoredPicture:
    """The stored bytes of one image: the picture, its label map, the frames of its making."""

    sample_id: str
    image: bytes
    labels: bytes | None
    frames: tuple[bytes, ...] = ()


def read_run(stored: Run) -> RunTables:
    """Read everything of a run folder but the pictures.

    The derived files must be there; `bench.run.derive.current_estimates` makes them.

    Raises
    ------
    bench.errors.StoreError
        Where the run has no images yet, or a file of it cannot be read.
    """
    parts = [part for _, part in stored.parts("samples", _SAMPLE_COLUMNS)]
    samples = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
    if samples.empty:
        raise StoreError(f"{stored.folder} has no images yet; there is nothing to report")
    return RunTables(
        stored=stored,
        name=stored.manifest.name or stored.folder.resolve().name,
        record=stored.manifest.model_dump(mode="json"),
        samples=samples,
        verdicts=read_verdicts(stored),
        shares=_read_shares(stored),
        estimates=tuple(read_estimates(stored)),
    )


def _read_shares(stored: Run) -> pd.DataFrame:
    """Shares of the first scorer that gives them."""
    columns = ["sample_id", "binding", "metric", "value"]
    for scorer in stored.manifest.scorers:
        tables = []
        for _, part in stored.parts(f"scores/{scorer}", columns):
            chosen = part.filter(pc.is_in(part["metric"], pa.array(_SHARES)))
            if len(chosen):
                at = chosen.schema.get_field_index("metric")
                metric = chosen["metric"].dictionary_encode()
                tables.append(chosen.set_column(at, "metric", metric))
        if tables:
            return pa.concat_tables(tables).unify_dictionaries().to_pandas()
    return pd.DataFrame({name: [] for name in columns})


def read_pictures(
    run: RunTables, wanted: Collection[str], frames: bool = False
) -> Iterator[StoredPicture]:
    """Yield the wanted pictures in the order of the store, one part in memory at a time.

    Parameters
    ----------
    run : RunTables
    wanted : collection of str
        Sample ids.
    frames : bool
        Read the steps of their making too.
    """
    ids = pa.array(sorted(wanted), pa.string())
    labels: dict[str, bytes] = {}
    for _, part in run.stored.parts("regions", ["sample_id", "labels"]):
        chosen = part.filter(pc.is_in(part["sample_id"], ids))
        labels.update(
            zip(chosen["sample_id"].to_pylist(), chosen["labels"].to_pylist(), strict=True)
        )
    columns = ["sample_id", "image", *(["frames"] if frames else [])]
    for _, part in run.stored.parts("samples", columns):
        chosen = part.filter(pc.is_in(part["sample_id"], ids))
        for batch in chosen.to_batches(max_chunksize=128):
            for row in batch.to_pylist():
                image = (row["image"] or {}).get("bytes")
                if image is None:
                    continue
                steps = row.get("frames") or []
                yield StoredPicture(
                    row["sample_id"],
                    image,
                    labels.get(row["sample_id"]),
                    tuple(step["bytes"] for step in steps if step and step.get("bytes")),
                )
