"""Sums per cell: all that the estimates need to know of the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.statistics.metrics import MEANS, SHARES


@dataclass(frozen=True)
class CellSums:
    """Numerators and denominators of every metric in every cell of a group.

    Attributes
    ----------
    metrics : tuple of str, M
    hits : ndarray, float64, (C, M)
        Sum of the metric over the judgements of the cell.
    counts : ndarray, float64, (C, M)
        Number of judgements over which it is summed.
    images : int
        Distinct images of the group.
    scored : ndarray, int64, (M,)
        Of these, images with at least one judgement in the metric.
    """

    metrics: tuple[str, ...]
    hits: np.ndarray
    counts: np.ndarray
    images: int
    scored: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """For every metric the number of cells in which it was measured: int64, (M,)."""
        return (self.counts > 0).sum(axis=0)

    @property
    def means(self) -> np.ndarray:
        """Mean of each metric in each cell, NaN where it was not measured: float64, (C, M)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.hits / self.counts


class Judgements:
    """The verdict table as arrays: one row a binding of an image.

    Parameters
    ----------
    verdicts : DataFrame
        Columns of ``verdicts.parquet``: at least ``sample_id``, ``cell_id``, ``verdict``; the
        columns of `MEANS` where they were measured.
    """

    def __init__(self, verdicts: pd.DataFrame) -> None:
        self.cell, self.cell_ids = pd.factorize(verdicts["cell_id"], sort=True)
        self.sample, _ = pd.factorize(verdicts["sample_id"])
        kinds, names = pd.factorize(verdicts["verdict"])
        self.metrics = (*(share.name for share in SHARES), *MEANS)
        rows = len(verdicts)
        self._values = np.full((rows, len(self.metrics)), np.nan)
        for column, share in enumerate(SHARES):
            hit = np.isin(names, share.hits)
            counted = np.isin(names, share.among)
            self._values[:, column] = np.where(counted, hit.astype(float), np.nan)[kinds]
        for column, name in enumerate(MEANS, start=len(SHARES)):
            if name in verdicts:
                self._values[:, column] = verdicts[name].to_numpy(dtype=float, na_value=np.nan)

    def sums(self, rows: np.ndarray, metrics: tuple[str, ...] | None = None) -> CellSums:
        """Sum the metrics per cell over some rows.

        Parameters
        ----------
        rows : ndarray of bool or int
            The judgements of the group.
        metrics : tuple of str, optional
            All where it is omitted.
        """
        metrics = metrics or self.metrics
        columns = [self.metrics.index(name) for name in metrics]
        values = self._values[rows][:, columns]
        measured = ~np.isnan(values)
        _, cell = np.unique(self.cell[rows], return_inverse=True)
        size = int(cell.max()) + 1 if len(cell) else 0
        hits = np.empty((size, len(metrics)))
        counts = np.empty_like(hits)
        for column in range(len(metrics)):
            ok = measured[:, column]
            counts[:, column] = np.bincount(cell, ok, size)
            hits[:, column] = np.bincount(cell[ok], values[ok, column], size)
        sample = self.sample[rows]
        images = np.unique(sample)
        if len(images) == len(sample):
            scored = measured.sum(axis=0)
        else:
            scored = np.array([len(np.unique(sample[ok])) for ok in measured.T], dtype=np.int64)
        return CellSums(metrics, hits, counts, len(images), scored)
