"""Tests and intervals of a difference between two runs, over the cells of a grid.

The cell is the unit: ``d_c`` is the mean difference (after minus before) over the images of cell c
that both runs have. Under the hypothesis that nothing changed the two runs are exchangeable within
a cell, so the sign of every ``d_c`` may be flipped: the test compares the sum of the differences
with its distribution under all flips. With one image a cell this is McNemar's exact test. The test
is two-sided, so that it says the same as the interval that is printed beside it.

References
----------
.. [1] McNemar, Q., Note on the sampling error of the difference between correlated proportions,
       Psychometrika 12 (1947).
.. [2] Phipson, B., Smyth, G., Permutation p-values should never be zero, Statistical Applications
       in Genetics and Molecular Biology 9 (2010).
.. [3] Holm, S., A simple sequentially rejective multiple test procedure, Scandinavian Journal of
       Statistics 6 (1979).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from bench.statistics.bootstrap import LEVEL, RESAMPLES, bca, resampled_means

#: Random flips, where there are too many to try all.
FLIPS = 9999
#: Up to so many cells that changed, all flips are tried.
EXACT = 13
POWER = 0.8
_CHUNK = 4_000_000
#: Sums closer than this are the same.
_SLACK = 1e-9


def flip_p(differences: np.ndarray, rng: np.random.Generator, *, flips: int = FLIPS) -> np.ndarray:
    """Two-sided p-values of a change: how often flipped signs give a sum as far from zero.

    Parameters
    ----------
    differences : ndarray, float64, (C, M)
        A row a cell, a column a metric; NaN where the cell has no pair.
    rng : numpy.random.Generator
    flips : int

    Returns
    -------
    ndarray, float64, (M,)
        1 where nothing changed.
    """
    known = np.where(np.isnan(differences), 0.0, differences)
    p = np.array([_exact_p(column[column != 0]) for column in known.T])
    drawn = np.flatnonzero(np.isnan(p))
    if len(drawn):
        p[drawn] = _drawn_p(known[:, drawn], rng, flips)
    return p


def _exact_p(changed: np.ndarray) -> float:
    """P-value over all flips, from the cells that changed; NaN where there are too many."""
    if len(changed) == 0:
        return 1.0
    if np.ptp(np.abs(changed)) < _SLACK:
        most = max(int((changed < 0).sum()), int((changed > 0).sum()))
        return float(min(1.0, 2 * special.bdtrc(most - 1, len(changed), 0.5)))
    if len(changed) > EXACT:
        return float("nan")
    bits = np.arange(2 ** len(changed))[:, None] >> np.arange(len(changed))
    sums = (1.0 - 2.0 * (bits & 1)) @ changed
    return float((np.abs(sums) >= abs(changed.sum()) - _SLACK).mean())


def _drawn_p(known: np.ndarray, rng: np.random.Generator, flips: int) -> np.ndarray:
    """P-values of columns by random flips."""
    changed = known[(known != 0).any(axis=1)]
    observed = np.abs(changed.sum(axis=0)) - _SLACK
    as_far = np.zeros(known.shape[1])
    step = max(1, _CHUNK // len(changed))
    for start in range(0, flips, step):
        size = min(step, flips - start)
        signs = rng.integers(0, 2, (size, len(changed)), dtype=np.int8) * 2.0 - 1.0
        as_far += (np.abs(signs @ changed) >= observed).sum(axis=0)
    return (as_far + 1) / (flips + 1)


def mean_interval(
    differences: np.ndarray,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float | None, float | None]:
    """Interval of the mean difference over cells: paired cluster bootstrap, BCa.

    Where no cell changed, the bound is that of a change which C cells did not show.

    Parameters
    ----------
    differences : ndarray, float64, (C,)
        Without NaN.
    """
    cells = len(differences)
    if cells < 2:
        return None, None
    if np.ptp(differences) < 1e-12:
        mean = float(differences[0])
        unseen = 1 - ((1 - level) / 2) ** (1 / cells)
        return max(mean - unseen, -1.0), min(mean + unseen, 1.0)
    draws = resampled_means(differences[:, None], rng, resamples)[:, 0]
    return bca(differences, draws, level)


def smallest_detectable(
    differences: np.ndarray, images: float, alpha: float, margin: float = 0.0
) -> float:
    """Return the loss that would be found with a chance of 80%.

    Found is a loss that is significant and reaches the margin: from the standard error
    ``e = s / sqrt(C)`` of C cells of spread s it is ``max(z(1 - alpha / 2) e, margin) + z(0.8) e``.
    It is never less than the loss at which enough images turn for a sign test to reach alpha and
    for the margin to be reached, which counts where the two runs hardly differ.

    Parameters
    ----------
    differences : ndarray, float64, (C,)
        Without NaN.
    images : float
        Mean number of pairs a cell.
    alpha : float
        Level of the two-sided test.
    margin : float
        Smallest loss that counts; 0 for significance alone.
    """
    cells = len(differences)
    if cells < 2:
        return 1.0
    trials = cells * max(images, 1.0)
    least = max(np.ceil(np.log2(2 / alpha)), np.ceil(margin * trials))
    turned = special.gammaincinv(least, POWER) / trials
    error = differences.std(ddof=1) / np.sqrt(cells)
    normal = max(special.ndtri(1 - alpha / 2) * error, margin) + special.ndtri(POWER) * error
    return float(min(1.0, max(turned, normal)))


def holm(p: np.ndarray) -> np.ndarray:
    """P-values adjusted for their number by Holm's step-down rule.

    Parameters
    ----------
    p : ndarray, float64, (M,)

    Returns
    -------
    ndarray, float64, (M,)
        Never below ``p``, never above 1; in the order given.
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return out
