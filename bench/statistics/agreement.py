"""Agreement between raters: coefficients that correct for chance, each also for resampled units.

Ratings are integer codes of categories, a row a unit and a column a rater, -1 where a rater did
not rate. Every coefficient but Kendall's is made of sums over units (`Sums`), so that a bootstrap
is one matrix product.

References
----------
.. [1] Cohen, J., A coefficient of agreement for nominal scales, Educational and Psychological
       Measurement 20 (1960).
.. [2] Fleiss, J., Measuring nominal scale agreement among many raters, Psychological Bulletin 76
       (1971).
.. [3] Krippendorff, K., Computing Krippendorff's alpha-reliability (2011).
.. [4] Passonneau, R., Measuring agreement on set-valued items (MASI), LREC (2006).
.. [5] Kendall, M., The treatment of ties in ranking problems, Biometrika 33 (1945).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

MISSING = -1


@dataclass(frozen=True)
class Sums:
    """A coefficient as sums over units and what is made of them.

    Attributes
    ----------
    parts : ndarray, float64, (N, M)
        What each unit adds.
    finish : callable
        From sums ``(B, M)`` to coefficients ``(B,)``; NaN where they are not defined.
    """

    parts: np.ndarray
    finish: Callable[[np.ndarray], np.ndarray]

    @property
    def value(self) -> float:
        """The coefficient over all units."""
        return float(self.finish(self.parts.sum(axis=0)[None])[0])

    def resampled(self, weights: np.ndarray) -> np.ndarray:
        """Coefficients over weighted units: weights ``(B, N)`` to ``(B,)``."""
        return self.finish(weights @ self.parts)


def cohen_kappa(first: np.ndarray, second: np.ndarray, categories: int) -> Sums:
    """Cohen's kappa of two raters [1]_.

    Parameters
    ----------
    first, second : ndarray of int, (N,)
        Units that either did not rate are left out.
    categories : int
    """

    def finish(sums: np.ndarray) -> np.ndarray:
        table = _shares(sums, categories)
        agreed = np.trace(table, axis1=1, axis2=2)
        chance = (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1)
        return _ratio(agreed - chance, 1 - chance)

    return Sums(_pairs(first, second, categories), finish)


def balanced_accuracy(truth: np.ndarray, predicted: np.ndarray, categories: int) -> Sums:
    """Mean recall over the categories that occur in the truth.

    Parameters
    ----------
    truth, said : ndarray of int, (N,)
    categories : int
    """

    def finish(sums: np.ndarray) -> np.ndarray:
        table = _shares(sums, categories)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = np.diagonal(table, axis1=1, axis2=2) / table.sum(axis=2)
        occurs = ~np.isnan(recall)
        return _ratio(np.where(occurs, recall, 0).sum(axis=1), occurs.sum(axis=1))

    return Sums(_pairs(truth, predicted, categories), finish)


def share_agreed(first: np.ndarray, second: np.ndarray, categories: int) -> Sums:
    """Share of units with the same category."""

    def finish(sums: np.ndarray) -> np.ndarray:
        return np.trace(_shares(sums, categories), axis1=1, axis2=2)

    return Sums(_pairs(first, second, categories), finish)


def fleiss_kappa(ratings: np.ndarray, categories: int) -> Sums:
    """Fleiss' kappa of many raters [2]_.

    Where units have different numbers of raters, each unit weighs the same; units with one rating
    are left out.

    Parameters
    ----------
    ratings : ndarray of int, (N, R)
    categories : int
    """
    counts = _counts(ratings, categories)
    raters = counts.sum(axis=1)
    used = raters >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
        shares = counts / raters[:, None]
    parts = np.where(used[:, None], np.column_stack([np.ones(len(used)), agreed, shares]), 0.0)

    def finish(sums: np.ndarray) -> np.ndarray:
        chance = (_ratio(sums[:, 2:], sums[:, :1]) ** 2).sum(axis=1)
        return _ratio(_ratio(sums[:, 1], sums[:, 0]) - chance, 1 - chance)

    return Sums(np.nan_to_num(parts), finish)


def krippendorff_alpha(ratings: np.ndarray, distance: np.ndarray) -> Sums:
    """Krippendorff's alpha of many raters [3]_; units with one rating are left out.

    Parameters
    ----------
    ratings : ndarray of int, (N, R)
    distance : ndarray, float64, (K, K)
        Squared difference of two categories: `nominal`, `masi`, or ``(a - b) ** 2`` for numbers.
    """
    counts = _counts(ratings, len(distance))
    raters = counts.sum(axis=1)
    counts[raters < 2] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        # Pairs of one value with itself have no distance, so that they need not be taken out.
        unlike = np.einsum("nk,kl,nl->n", counts, distance, counts) / (raters - 1)
    parts = np.column_stack([np.where(raters < 2, 0.0, unlike), counts])

    def finish(sums: np.ndarray) -> np.ndarray:
        held = sums[:, 1:]
        total = held.sum(axis=1)
        observed = _ratio(sums[:, 0], total)
        expected = _ratio(((held @ distance) * held).sum(axis=1), total * (total - 1))
        return 1 - _ratio(observed, expected)

    return Sums(np.nan_to_num(parts), finish)


def kendall_tau_b(first: np.ndarray, second: np.ndarray) -> float:
    """Kendall's tau-b [5]_ of two rows of numbers; NaN where one of them is constant."""
    from scipy import stats

    known = ~(np.isnan(first) | np.isnan(second))
    first, second = first[known], second[known]
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(stats.kendalltau(first, second).statistic)


def nominal(categories: int) -> np.ndarray:
    """Distance 1 between any two categories."""
    return 1.0 - np.eye(categories)


def masi(sets: Sequence[frozenset[str]]) -> np.ndarray:
    """MASI distance between sets [4]_: 1 - Jaccard x monotonicity; 0 between empty ones.

    Monotonicity is 1 for equal sets, 2/3 where one holds the other, 1/3 where they only overlap.
    """

    def one(a: frozenset[str], b: frozenset[str]) -> float:
        if a == b:
            return 0.0
        common = len(a & b)
        if not common:
            return 1.0
        return 1 - common / len(a | b) * (2 / 3 if a <= b or b <= a else 1 / 3)

    return np.array([[one(a, b) for b in sets] for a in sets])


def _pairs(first: np.ndarray, second: np.ndarray, categories: int) -> np.ndarray:
    """For every unit which cell of the square table it falls into; none where one is missing."""
    parts = np.zeros((len(first), categories * categories))
    both = np.flatnonzero((first != MISSING) & (second != MISSING))
    parts[both, first[both] * categories + second[both]] = 1.0
    return parts


def _counts(ratings: np.ndarray, categories: int) -> np.ndarray:
    return (ratings[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)


def _shares(sums: np.ndarray, categories: int) -> np.ndarray:
    return _ratio(sums, sums.sum(axis=1, keepdims=True)).reshape(-1, categories, categories)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return a quotient, NaN where it is not defined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(np.abs(below) > 1e-12, above / below, np.nan))
