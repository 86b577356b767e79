"""Test and interval of a difference between two runs, over the cells of a grid: one procedure.

The cell is the unit: ``d_c`` is the mean over its images after minus that before. Under the
hypothesis that nothing changed the two runs are exchangeable within a cell, so the sign of every
``d_c`` may be flipped: the test compares the sum of the differences with its distribution under all
flips. With one image a cell this is McNemar's exact test [1]_.

The interval is the same test turned round: all changes ``delta`` for which the flips of
``d_c - delta`` do not reject. A flip of the cells J against the rest reaches the observed sum where
``delta`` lies between the mean of ``d`` over J and that over the rest, so that the ends of the
interval are quantiles of the means of random halves (Hartigan's typical values [2]_), and the
interval leaves out 0 exactly where p is at most alpha.

References
----------
.. [1] McNemar, Q., Note on the sampling error of the difference between correlated proportions,
       Psychometrika 12 (1947).
.. [2] Hartigan, J., Using subsample values as typical values, JASA 64 (1969).
.. [3] Phipson, B., Smyth, G., Permutation p-values should never be zero, Statistical Applications
       in Genetics and Molecular Biology 9 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from bench.statistics.intervals import clopper_pearson, difference

#: Random flips, where there are too many to try all.
FLIPS = 9999
#: Up to so many cells, or cells that changed, all flips are tried.
EXACT = 13
#: With fewer cells that changed, the ends are never inside those of the exact binomial form.
FEW_CHANGED = 10
POWER = 0.8
_CHUNK = 4_000_000
#: Sums closer than this are the same.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Tested:
    """A two-sided p-value and the interval of the same test, in [-1, 1]."""

    p: float
    low: float
    high: float


def flip_test(
    differences: np.ndarray,
    rng: np.random.Generator,
    *,
    images: float = 1.0,
    alpha: float = 0.05,
    flips: int = FLIPS,
) -> Tested:
    """Test whether two runs differ, and by how much, by flips of the signs of their cells.

    Parameters
    ----------
    differences : ndarray, float64, (C,)
        After minus before, without NaN, in [-1, 1].
    rng : numpy.random.Generator
    images : float
        Mean number of images a cell that can have changed: those of the smaller run.
    alpha : float
        The interval is that of 1 - alpha. It leaves out 0 where and only where p <= alpha.
    flips : int

    Returns
    -------
    Tested
        p is 1 where nothing changed. Where hardly anything did, the interval is at least that of
        the exact binomial form with the images as trials: no change seen in N images is no proof
        that there is none.
    """
    cells = len(differences)
    if cells == 0:
        return Tested(1.0, -1.0, 1.0)
    low, high, p = _typical_values(differences, rng, alpha, flips)
    exact = _exact_p(differences[np.abs(differences) > _SLACK])
    if exact is not None:
        p = exact
    changed = int((np.abs(differences) > _SLACK).sum())
    if changed < FEW_CHANGED:
        few = _few_changed(differences, cells * max(images, 1.0), 1 - alpha)
        # Where nothing changed there is nothing to flip: the exact form stands alone.
        low, high = (min(low, few[0]), max(high, few[1])) if changed else few
    mean = differences.mean()
    if p > alpha:
        low, high = min(low, 0.0), max(high, 0.0)
    elif mean < 0:
        high = min(high, -_SLACK)
    else:
        low = max(low, _SLACK)
    return Tested(p, max(low, -1.0), min(high, 1.0))


def _typical_values(
    differences: np.ndarray, rng: np.random.Generator, alpha: float, flips: int
) -> tuple[float, float, float]:
    """Ends of the interval, and p of no change, by flips."""
    cells = len(differences)
    lows, highs, as_far = [], [], 0
    total = differences.sum()
    whole = cells <= EXACT
    count = 2**cells if whole else flips
    step = max(1, _CHUNK // cells)
    for start in range(0, count, step):
        size = min(step, count - start)
        if whole:
            taken = (np.arange(start, start + size)[:, None] >> np.arange(cells)) & 1
        else:
            taken = rng.integers(0, 2, (size, cells), dtype=np.int8)
        taken = taken.astype(np.float64)
        inside, number = taken @ differences, taken.sum(axis=1)
        as_far += int((np.abs(total - 2 * inside) >= abs(total) - _SLACK).sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            halves = np.stack([inside / number, (total - inside) / (cells - number)])
        # None flipped, or all: never less extreme than what was observed.
        empty = (number == 0) | (number == cells)
        lows.append(np.where(empty, -np.inf, halves.min(axis=0)))
        highs.append(np.where(empty, np.inf, halves.max(axis=0)))
    # Random flips count the observed signs as one more, so that p is never 0.
    extra = 0 if whole else 1
    rejected = int(np.floor(alpha * (count + extra) + _SLACK)) - extra
    p = (as_far + extra) / (count + extra)
    if rejected < 0:
        return -1.0, 1.0, p
    low = np.partition(np.concatenate(lows), rejected)[rejected]
    high = np.partition(-np.concatenate(highs), rejected)[rejected]
    return float(low), float(-high), p


def _exact_p(changed: np.ndarray) -> float | None:
    """P-value over all flips of the cells that changed; None where there are too many."""
    if len(changed) == 0:
        return 1.0
    if np.ptp(np.abs(changed)) < _SLACK:
        most = max(int((changed < 0).sum()), int((changed > 0).sum()))
        return float(min(1.0, 2 * special.bdtrc(most - 1, len(changed), 0.5)))
    if len(changed) > EXACT:
        return None
    bits = np.arange(2 ** len(changed))[:, None] >> np.arange(len(changed))
    sums = (1.0 - 2.0 * (bits & 1)) @ changed
    return float((np.abs(sums) >= abs(changed.sum()) - _SLACK).mean())


def _few_changed(differences: np.ndarray, trials: float, level: float) -> tuple[float, float]:
    """Interval from the exact intervals of the share of images gained and of that lost (MOVER)."""
    shares = [np.maximum(sign * differences, 0.0).mean() for sign in (1, -1)]
    gained, lost = ((share, *clopper_pearson(share, trials, level)) for share in shares)
    return difference(gained, lost)


def retraining_test(after: float, before: np.ndarray, alpha: float = 0.05) -> Tested:
    """Test whether a run is another training of the recipe of several runs.

    Under that hypothesis its score is one more draw from where theirs come from: the prediction
    interval of one more value, with ``t(K - 1)`` and the standard error ``s sqrt(1 + 1 / K)``.

    Parameters
    ----------
    after : float
        Score of the run.
    before : ndarray, float64, (K,)
        Scores of the runs of the baseline, two or more, over the same cells.
    alpha : float

    References
    ----------
    .. [1] Hahn, G., Meeker, W., Statistical Intervals (1991), section 4.7.
    """
    degrees = len(before) - 1
    error = before.std(ddof=1) * np.sqrt(1 + 1 / len(before))
    change = float(after - before.mean())
    if error < _SLACK:
        return Tested(float(abs(change) < _SLACK), change, change)
    reach = float(special.stdtrit(degrees, 1 - alpha / 2) * error)
    p = float(2 * special.stdtr(degrees, -abs(change) / error))
    return Tested(p, change - reach, change + reach)


def smallest_detectable(
    differences: np.ndarray,
    images: float,
    alpha: float,
    margin: float = 0.0,
    before: np.ndarray | None = None,
    shares: tuple[float, float, float] | None = None,
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
    before : ndarray, float64, (K,), optional
        Scores of several runs of the baseline: the loss must show beyond their spread too.
    shares : tuple of float, optional
        For a share of images: its value before, after, and the images after, in all. A loss from
        near 1 brings a variance of its own, which two runs that do not differ do not show.
    """
    cells = len(differences)
    if cells < 2:
        return 1.0
    trials = cells * max(images, 1.0)
    least = max(np.ceil(np.log2(2 / alpha)), np.ceil(margin * trials))
    turned = special.gammaincinv(least, POWER) / trials
    variance = differences.var(ddof=1) / cells
    found = 0.0
    # The error depends on the loss: a few rounds settle it.
    for _ in range(8 if shares else 1):
        error = np.sqrt(variance + _added(found, shares) if found else variance)
        found = max(special.ndtri(1 - alpha / 2) * error, margin) + special.ndtri(POWER) * error
    found = max(turned, found)
    if before is not None and len(before) > 1 and (spread := before.std(ddof=1)) > _SLACK:
        degrees, error = len(before) - 1, spread * np.sqrt(1 + 1 / len(before))
        reach = float(special.stdtrit(degrees, 1 - alpha / 2))
        found = max(
            found, error * _noncentral(degrees, reach), margin + special.ndtri(POWER) * error
        )
    return float(min(1.0, found))


def _added(loss: float, shares: tuple[float, float, float] | None) -> float:
    """Variance that a loss adds to that of the two runs as they are."""
    if shares is None:
        return 0.0
    before, after, images = shares
    lower = max(before - loss, 0.0)
    return max(0.0, (lower * (1 - lower) - after * (1 - after)) / images)


def _noncentral(degrees: int, reach: float) -> float:
    """Shift, in standard errors, at which t exceeds ``reach`` with a chance of `POWER`."""
    from scipy import optimize, stats

    def short(shift: float) -> float:
        return float(stats.nct.sf(reach, degrees, shift)) - POWER

    return float(optimize.brentq(short, 0.0, 40.0 + 4 * reach))
