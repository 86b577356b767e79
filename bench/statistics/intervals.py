"""Intervals of a mean over cells (prompts), for the two questions that may be asked of it.

*This list of prompts*: the prompts are given, and only the noise of the images is drawn anew. Its
variance is that within the cells. *Prompts like these*: the subjects and colours of the prompts are
drawn too, so that all cells of a subject, or of a colour, move together. Its variance is that of
two-way clusters (`bench.statistics.clusters`).

Shares of verdicts get the exact binomial interval on the number of independent trials that has the
same variance (Korn and Graubard); other metrics get a t interval. ``docs/statistics.md`` has the
coverage of each in simulation.

References
----------
.. [1] Clopper, C., Pearson, E., The use of confidence or fiducial limits illustrated in the case of
       the binomial, Biometrika 26 (1934).
.. [2] Korn, E., Graubard, B., Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data, Survey Methodology 24 (1998).
.. [3] Hoeffding, W., On the distribution of the number of successes in independent trials, Annals
       of Mathematical Statistics 27 (1956): a sum of unlike trials varies less than the binomial.
.. [4] Efron, B., Better bootstrap confidence intervals, JASA 82 (1987): BCa.
.. [5] Hesterberg, T., What teachers should know about the bootstrap, The American Statistician 69
       (2015): the expanded percentile interval.
"""

from __future__ import annotations

import numpy as np
from scipy import special

RESAMPLES = 2000
LEVEL = 0.95
#: Below this a metric that is no share of verdicts has no interval: with skewed values neither t
#: nor the bootstrap holds its level (0.87 to 0.91 for exponential ones).
LEAST_CELLS = 10

Interval = tuple[float, float]

#: Largest number of weights in memory at once.
_CHUNK = 4_000_000
_SLACK = 1e-12


def clopper_pearson(share: float, trials: float, level: float = LEVEL) -> Interval:
    """Exact binomial interval of a share [1]_; the number of trials may be broken.

    Parameters
    ----------
    share : float
        In [0, 1].
    trials : float
        More than 0.
    level : float
    """
    tail = (1 - level) / 2
    hits = share * trials
    misses = trials - hits
    low = float(special.betaincinv(hits, misses + 1, tail)) if hits > _SLACK else 0.0
    high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > _SLACK else 1.0
    return low, high


def share_of_this_list(
    means: np.ndarray, noise: np.ndarray, images: np.ndarray, level: float = LEVEL
) -> Interval | None:
    """Interval of a share of verdicts over this list of prompts.

    It is the exact interval on as many trials as would vary as the images within their cells do,
    and never on fewer than the images: unlike rates make the sum vary less [3]_. Where every cell
    has one image it is the exact binomial interval, which is honest and wide. Its ends are never
    inside those of a share on which all cells agree, with the cells as trials.

    Parameters
    ----------
    means : ndarray, float64, (C,)
        Share in each cell, without NaN.
    noise : ndarray, float64, (C,)
        Variance of each mean from its images; NaN where the cell has one image.
    images : ndarray, float64, (C,)
        Images of each cell.
    level : float

    Returns
    -------
    tuple of float, or None
        None for fewer than two cells.
    """
    cells = len(means)
    if cells < 2:
        return None
    mean = float(means.mean())
    trials = cells**2 / (1 / images).sum()
    # A cell with one image tells nothing of its noise: it counts as a binomial trial.
    known = np.where(np.isnan(noise), mean * (1 - mean), noise)
    # One image more that differs: no difference seen is no proof that there is none.
    variance = known.sum() / cells**2 + 1 / trials**2
    low, high = clopper_pearson(mean, max(trials, mean * (1 - mean) / variance), level)
    unseen = ((1 - level) / 2) ** (1 / cells)
    return min(low, unseen), max(high, 1 - unseen)


def share_of_prompts_like_these(
    means: np.ndarray, variance: float, degrees: float, level: float = LEVEL
) -> Interval | None:
    """Interval of a share of verdicts over prompts like these [2]_.

    Parameters
    ----------
    means : ndarray, float64, (C,)
        Share in each cell, without NaN.
    variance : float
        Of the mean, by clusters; NaN where there are none.
    degrees : float
        Degrees of freedom of the variance.
    level : float

    Returns
    -------
    tuple of float, or None
        Never narrower than the exact interval with the cells as trials. None without clusters.
    """
    cells = len(means)
    if cells < 2 or np.isnan(variance):
        return None
    mean = float(means.mean())
    trials = float(cells)
    if variance > _SLACK:
        trials = min(trials, mean * (1 - mean) / variance)
    if degrees < cells - 1:
        tail = 0.5 + level / 2
        narrow, wide = special.stdtrit(cells - 1, tail), special.stdtrit(degrees, tail)
        trials *= (narrow / wide) ** 2
    return clopper_pearson(mean, max(trials, 1.0), level)


def mean_of_this_list(
    means: np.ndarray,
    noise: np.ndarray,
    images: np.ndarray,
    rng: np.random.Generator,
    *,
    bounded: bool,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of a measured metric over this list of prompts.

    Where every cell has two images or more: t from the variance within the cells. Else the spread
    of the cells stands for the noise, which can only be too wide: `mean_of_cells`.

    Parameters
    ----------
    means, noise, images : ndarray, float64, (C,)
        As for `share_of_this_list`.
    rng : numpy.random.Generator
    bounded : bool
        The metric lies in [0, 1].
    resamples : int
    level : float
    """
    cells = len(means)
    if cells < LEAST_CELLS or np.isnan(noise).any() or np.ptp(means) <= _SLACK:
        return mean_of_cells(means, rng, bounded=bounded, resamples=resamples, level=level)
    degrees = (images - 1).sum()
    # The variance of each cell has its own degrees of freedom (Satterthwaite).
    squares = (noise**2 / (images - 1)).sum()
    if squares > 0:
        degrees = noise.sum() ** 2 / squares
    error = np.sqrt(noise.sum()) / cells
    return student(means.mean(), error, max(degrees, 1.0), level)


def mean_of_cells(
    means: np.ndarray,
    rng: np.random.Generator,
    *,
    bounded: bool = False,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of a measured metric from the spread of its cells: BCa and t, the wider end of each.

    Parameters
    ----------
    means : ndarray, float64, (C,)
        Without NaN.
    rng : numpy.random.Generator
    bounded : bool
        The metric lies in [0, 1]: where all cells agree, the exact interval with the cells as
        trials.
    resamples : int
    level : float

    Returns
    -------
    tuple of float, or None
        None for fewer than `LEAST_CELLS` cells, or where all agree on what is not bounded.
    """
    cells = len(means)
    if cells < 2:
        return None
    if np.ptp(means) <= _SLACK:
        return clopper_pearson(float(means[0]), cells, level) if bounded else None
    if cells < LEAST_CELLS:
        return None
    low, high = student(means.mean(), np.sqrt(means.var(ddof=1) / cells), cells - 1, level)
    draws = resampled_means(means, rng, resamples)
    skewed = bca(means, draws, level)
    return min(low, skewed[0]), max(high, skewed[1])


def student(mean: float, error: float, degrees: float, level: float = LEVEL) -> Interval:
    """Student's interval of a mean with this standard error."""
    reach = float(special.stdtrit(degrees, 0.5 + level / 2) * error)
    return float(mean) - reach, float(mean) + reach


def resampled_means(means: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Means of bootstrap samples of the cells.

    Parameters
    ----------
    means : ndarray, float64, (C,)
    rng : numpy.random.Generator
    resamples : int

    Returns
    -------
    ndarray, float64, (resamples,)
    """
    cells = len(means)
    step = max(1, _CHUNK // cells)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return np.concatenate(
        [means[rng.integers(0, cells, (size, cells))].mean(axis=1) for size in sizes]
    )


def bca(values: np.ndarray, draws: np.ndarray, level: float = LEVEL) -> Interval:
    """BCa interval of a mean [4]_, expanded for few cells [5]_.

    The normal quantile is replaced by ``t(C - 1) * sqrt(C / (C - 1))`` for C cells.

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


def difference(first: tuple[float, float, float], second: tuple[float, float, float]) -> Interval:
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
