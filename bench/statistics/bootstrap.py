"""Intervals of a mean over cells: a cluster bootstrap with the cell as the cluster.

Whole cells are drawn with replacement, each with all of its images. Drawing images within the drawn
cells as well would count the variance within cells twice, because the mean of a cell carries it
already: in simulation such intervals are 15 to 20% too wide (``docs/statistics.md``).

The interval is BCa (bias-corrected and accelerated), with the normal quantile replaced by
``t(C - 1) * sqrt(C / (C - 1))`` for C cells, so that it holds its level with ten cells too.

References
----------
.. [1] Efron, B., Better bootstrap confidence intervals, JASA 82 (1987).
.. [2] Hesterberg, T., What teachers should know about the bootstrap, The American Statistician 69
       (2015): the expanded percentile interval.
.. [3] Davison, A., Hinkley, D., Bootstrap Methods and their Application (1997), section 3.8.
"""

from __future__ import annotations

import numpy as np
from scipy import special

RESAMPLES = 2000
LEVEL = 0.95

#: Largest number of weights in memory at once.
_CHUNK = 4_000_000


def resampled_means(means: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Means over cells of bootstrap samples of the cells.

    Parameters
    ----------
    means : ndarray, float64, (C, M)
        A row a cell, a column a metric; NaN where it was not measured.
    rng : numpy.random.Generator
    resamples : int

    Returns
    -------
    ndarray, float64, (resamples, M)
        NaN where a sample has no cell with the metric.
    """
    cells = len(means)
    measured = ~np.isnan(means)
    both = np.hstack([np.where(measured, means, 0.0), measured])
    out = np.empty((resamples, both.shape[1]))
    step = max(1, _CHUNK // max(cells, 1))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(0, cells, (size, cells))
        drawn += cells * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * cells).reshape(size, cells)
        out[start : start + size] = weights.astype(np.float64) @ both
    split = means.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return out[:, :split] / out[:, split:]


def intervals(
    means: np.ndarray,
    rng: np.random.Generator,
    *,
    shares: np.ndarray | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> np.ndarray:
    """Intervals of the mean over cells.

    Parameters
    ----------
    means : ndarray, float64, (C, M)
        A row a cell, a column a metric; NaN where it was not measured.
    rng : numpy.random.Generator
    shares : ndarray of bool, (M,), optional
        Which columns lie in [0, 1]. Where all cells of such a column agree, the bootstrap has
        nothing to draw from, and the exact binomial interval with the cells as trials is given.
    resamples : int
    level : float

    Returns
    -------
    ndarray, float64, (M, 2)
        NaN where fewer than two cells were measured, or all agree on what is no share.
    """
    columns = means.shape[1]
    out = np.full((columns, 2), np.nan)
    if len(means) < 2:
        return out
    draws = resampled_means(means, rng, resamples)
    for column in range(columns):
        values = means[:, column]
        values = values[~np.isnan(values)]
        if len(values) < 2:
            continue
        if np.ptp(values) <= 1e-12:
            if shares is not None and shares[column]:
                out[column] = agreed(values[0], len(values), level)
            continue
        found = draws[:, column]
        out[column] = bca(values, found[~np.isnan(found)], level)
    return out


def bca(values: np.ndarray, draws: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """BCa interval of a mean, expanded for few cells.

    Parameters
    ----------
    values : ndarray, float64, (C,)
        Means of the cells, not all the same.
    draws : ndarray, float64, (B,)
        Bootstrap means.
    level : float
    """
    count = len(values)
    mean = values.mean()
    deviations = values - mean
    acceleration = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    slack = 1e-9 * max(1.0, abs(mean))
    below = (draws < mean - slack).mean() + 0.5 * (np.abs(draws - mean) <= slack).mean()
    bias = special.ndtri(np.clip(below, 1 / len(draws), 1 - 1 / len(draws)))
    reach = special.stdtrit(count - 1, 0.5 + level / 2) * np.sqrt(count / (count - 1))
    at = [_shifted(bias, sign * reach, acceleration) for sign in (-1, 1)]
    low, high = np.quantile(draws, at)
    return min(float(low), float(mean)), max(float(high), float(mean))


def _shifted(bias: float, z: float, acceleration: float) -> float:
    """Probability at which BCa reads the bootstrap distribution."""
    total = bias + z
    stretch = 1 - acceleration * total
    if stretch <= 0:
        return 1.0 if total > 0 else 0.0
    return float(special.ndtr(bias + total / stretch))


def agreed(share: float, cells: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper-Pearson interval of a share on which all cells agree, cells as trials."""
    hits = share * cells
    tail = (1 - level) / 2
    low = float(special.betaincinv(hits, cells - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, cells - hits, 1 - tail)) if hits < cells else 1.0
    return low, high


def difference(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float]:
    """Interval of the difference of two independent estimates from their own intervals (MOVER).

    Parameters
    ----------
    first, second : tuple of float
        Value, low, high; the result is for first minus second.

    References
    ----------
    .. [1] Zou, G., Donner, A., Construction of confidence limits about effect measures, Statistics
           in Medicine 27 (2008).
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    low = a - b - np.hypot(a - a_low, b_high - b)
    high = a - b + np.hypot(a_high - a, b - b_low)
    return float(low), float(high)
