"""Sums per cell: all that the estimates need to know of the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.statistics.clusters import variance_of_mean
from bench.statistics.metrics import MEANS, OPINIONS, OUTSIDE, SHARES


@dataclass(frozen=True)
class CellSums:
    """Means of every metric in every cell of a group, and how they vary.

    Attributes
    ----------
    metrics : tuple of str, M
    means : ndarray, float64, (C, M)
        NaN where the cell has no judgement in the metric.
    noise : ndarray, float64, (C, M)
        Variance of the mean from the images of the cell; NaN where fewer than two were measured.
    cell_images : ndarray, int64, (C, M)
        Images of the cell that were measured.
    variance, degrees : ndarray, float64, (M,)
        Of the mean over the cells, by clusters of subjects and colours
        (`bench.statistics.clusters`).
    images : int
        Distinct images of the group.
    """

    metrics: tuple[str, ...]
    means: np.ndarray
    noise: np.ndarray
    cell_images: np.ndarray
    variance: np.ndarray
    degrees: np.ndarray
    images: int

    @property
    def cells(self) -> np.ndarray:
        """For every metric the number of cells in which it was measured: int64, (M,)."""
        return (self.cell_images > 0).sum(axis=0)

    @property
    def scored(self) -> np.ndarray:
        """For every metric the images with at least one judgement in it: int64, (M,)."""
        return self.cell_images.sum(axis=0)


class Judgements:
    """The verdict table as arrays: one row a binding of an image.

    Parameters
    ----------
    verdicts : DataFrame
        Columns of ``verdicts.parquet``: at least ``sample_id``, ``cell_id``, ``colour``,
        ``subject``, ``verdict``; the columns of `MEANS` and
        `OPINIONS` where they were measured.
    """

    def __init__(self, verdicts: pd.DataFrame) -> None:
        self.cell, self.cell_ids = pd.factorize(verdicts["cell_id"], sort=True)
        self.sample, _ = pd.factorize(verdicts["sample_id"])
        self._clusters = [
            pd.factorize(verdicts[name], use_na_sentinel=False)[0] for name in ("subject", "colour")
        ]
        kinds, names = pd.factorize(verdicts["verdict"])
        means = MEANS + tuple(
            name
            for name in (*OPINIONS, OUTSIDE)
            if name in verdicts and verdicts[name].notna().any()
        )
        self.metrics = (*(share.name for share in SHARES), *means)
        rows = len(verdicts)
        self._values = np.full((rows, len(self.metrics)), np.nan)
        for column, share in enumerate(SHARES):
            hit = np.isin(names, share.hits)
            counted = np.isin(names, share.among)
            self._values[:, column] = np.where(counted, hit.astype(float), np.nan)[kinds]
        for column, name in enumerate(means, start=len(SHARES)):
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
        clusters = [codes[rows] for codes in self._clusters]
        return sum_cells(
            self._values[rows][:, columns], metrics, self.cell[rows], self.sample[rows], *clusters
        )


def sum_cells(
    values: np.ndarray,
    metrics: tuple[str, ...],
    cell: np.ndarray,
    image: np.ndarray,
    subject: np.ndarray,
    colour: np.ndarray,
) -> CellSums:
    """Sum judgements by cell.

    Parameters
    ----------
    values : ndarray, float64, (N, M)
        NaN where a judgement was not measured in the metric.
    metrics : tuple of str, M
    cell, image, subject, colour : ndarray of int, (N,)
        Codes of each judgement. Two bindings of one image vary together and count as one image.
    """
    cell, image, subject, colour = (_dense(codes) for codes in (cell, image, subject, colour))
    cells, images = (int(codes.max()) + 1 if len(codes) else 0 for codes in (cell, image))
    cell_of = np.zeros(images, dtype=np.intp)
    cell_of[image] = cell
    shape = (cells, len(metrics))
    means, noise, counts = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64)
    variance, degrees = np.full(len(metrics), np.nan), np.full(len(metrics), np.nan)
    for m, column in enumerate(values.T):
        ok = ~np.isnan(column)
        if not ok.any():
            continue
        value, where = column[ok], cell[ok]
        total = np.bincount(where, minlength=cells)
        with np.errstate(invalid="ignore", divide="ignore"):
            means[:, m] = np.bincount(where, value, cells) / total
            measured = np.bincount(image[ok], minlength=images) > 0
            counts[:, m] = np.bincount(cell_of[measured], minlength=cells)
            # A mean is a ratio: of what an image adds, less its share of the mean.
            residual = np.bincount(image[ok], value - means[where, m], images)
            n = counts[:, m]
            spread = np.bincount(cell_of, residual**2, cells)
            noise[:, m] = np.where(n > 1, spread / total**2 * n / (n - 1), np.nan)
        known = total > 0
        influence = (value - means[known, m].mean()) / (known.sum() * total[where])
        variance[m], degrees[m] = variance_of_mean(
            influence, where, _dense(subject[ok]), _dense(colour[ok])
        )
    return CellSums(metrics, means, noise, counts, variance, degrees, images)


def _dense(codes: np.ndarray) -> np.ndarray:
    """Codes from 0 on without gaps."""
    return np.unique(codes, return_inverse=True)[1]
