"""Stored images with all their scores, one after the other, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.store.rows import cell_from
from bench.store.run import WITHOUT_PICTURE, Run
from bench.store.schema import TRAJECTORY
from prompts.cells import Cell

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Scored:
    """An image without its picture, and for each binding its metrics by name."""

    cell: Cell
    sample_id: str
    index: int
    invalid: str
    metrics: tuple[dict[str, float], ...]

    @property
    def is_control(self) -> bool:
        """Whether the prompt asks for no colour."""
        return self.cell.id == self.cell.control_id


#: Metrics of the trajectory table that are read unless others are asked for.
TRAJECTORY_METRICS = (
    "presence",
    "bind",
    "prior",
    "leak_background",
    "leak_neighbour",
    "swap",
)


def read_trajectory(run: Run, metrics: Sequence[str] | None = TRAJECTORY_METRICS) -> DataFrame:
    """Read the scores of the predicted clean images of a run, step by step.

    Parameters
    ----------
    run : Run
    metrics : sequence of str or None
        Those wanted; None for all that were measured.

    Returns
    -------
    pandas.DataFrame
        A row a (sample, binding, step, metric), with the columns ``sample_id``, ``binding``,
        ``step`` (0 is the first kept), ``noise`` (1 pure noise, 0 clean), ``metric``, ``value`` and
        ``reason``. Empty where the run keeps no frames.
    """
    tables = [TRAJECTORY.empty_table()]
    if run.manifest.trajectory is not None:
        for _, part in run.parts("trajectory"):
            if metrics is not None:
                part = part.filter(pc.is_in(part["metric"], pa.array(metrics, pa.string())))
            tables.append(part.replace_schema_metadata())
    return pa.concat_tables(tables).to_pandas()


def scored_images(run: Run) -> Iterator[Scored]:
    """Images that have the scores of every scorer of the run, in the order of the store."""
    streams = [_Scores(run, f"scores/{name}") for name in run.manifest.scorers]
    cells: dict[str, Cell] = {}
    for _, part in run.parts("samples", WITHOUT_PICTURE):
        for row in part.to_pylist():
            found = [stream.take(row["sample_id"]) for stream in streams]
            if any(one is None for one in found):
                continue
            cell = cells.get(row["cell_id"])
            if cell is None:
                cell = cells[row["cell_id"]] = cell_from(row)
            metrics: tuple[dict[str, float], ...] = tuple({} for _ in cell.bindings)
            for one in reversed(found):
                assert one is not None
                for binding, values in one:
                    if binding < len(metrics):
                        metrics[binding].update(values)
            yield Scored(cell, row["sample_id"], row["index"], row["invalid"] or "", metrics)


class _Scores:
    """The scores of one scorer, read on until a sample is found.

    The engine writes scores in the order of the images, so little is ever kept; parts in any other
    order only cost memory.
    """

    def __init__(self, run: Run, table: str) -> None:
        self._parts = run.parts(table)
        self._kept: dict[str, tuple[_Pivot, int, int]] = {}

    def take(self, sample_id: str) -> list[tuple[int, dict[str, float]]] | None:
        """For each binding its metrics; None where the sample was not scored."""
        while sample_id not in self._kept:
            following = next(self._parts, None)
            if following is None:
                return None
            self._kept.update(_Pivot(following[1]).places())
        pivot, start, stop = self._kept.pop(sample_id)
        return [pivot.row(place) for place in range(start, stop)]


class _Pivot:
    """The scores of one part, a row a binding of an image and a column a metric."""

    def __init__(self, part: pa.Table) -> None:
        metric = part["metric"].combine_chunks().dictionary_encode()
        sample = part["sample_id"].combine_chunks().dictionary_encode()
        self.metrics: list[str] = metric.dictionary.to_pylist()
        self.samples: list[str] = sample.dictionary.to_pylist()
        binding = part["binding"].to_numpy().astype(np.int64)
        key = sample.indices.to_numpy().astype(np.int64) * 256 + binding
        self.keys, rows = np.unique(key, return_inverse=True)
        self.values = np.full((len(self.keys), len(self.metrics)), np.nan)
        self.given = np.zeros(self.values.shape, dtype=bool)
        columns = metric.indices.to_numpy()
        self.values[rows, columns] = part["value"].to_numpy()
        self.given[rows, columns] = True

    def places(self) -> Iterator[tuple[str, tuple[_Pivot, int, int]]]:
        """For each sample its rows."""
        sample = self.keys // 256
        firsts = np.diff(sample, prepend=-1) > 0
        starts = np.flatnonzero(firsts).tolist()
        stops = [*starts[1:], len(sample)]
        for start, stop in zip(starts, stops, strict=True):
            yield self.samples[sample[start]], (self, start, stop)

    def row(self, place: int) -> tuple[int, dict[str, float]]:
        """Binding and metrics of a row."""
        values = self.values[place].tolist()
        given = self.given[place].tolist()
        metrics = {
            name: value
            for name, value, there in zip(self.metrics, values, given, strict=True)
            if there
        }
        return int(self.keys[place] % 256), metrics
