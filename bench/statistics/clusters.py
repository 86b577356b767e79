"""Variance of a mean over cells whose subjects and colours are drawn, not given.

Cells form a crossed design: those of one subject share what is hard about the subject, those of one
colour what is hard about the colour. The variance by two-way clusters adds the two and takes off
what was counted twice; a small sample of clusters widens it by G / (G - 1).

References
----------
.. [1] Cameron, A., Gelbach, J., Miller, D., Robust inference with multiway clustering, Journal of
       Business and Economic Statistics 29 (2011).
.. [2] Owen, A., The pigeonhole bootstrap, Annals of Applied Statistics 1 (2007): the same variance
       by resampling, somewhat larger.
"""

from __future__ import annotations

import numpy as np


def variance_of_mean(
    influence: np.ndarray, cell: np.ndarray, subject: np.ndarray, colour: np.ndarray
) -> tuple[float, float]:
    """Two-way cluster variance [1]_ of a mean, and its degrees of freedom.

    Parameters
    ----------
    influence : ndarray, float64, (N,)
        What each judgement adds to the mean, less the mean: they add up to 0.
    cell, subject, colour : ndarray of int, (N,)
        Codes from 0 on.

    Returns
    -------
    variance, degrees : float
        The variance is at least that of the cells, of the subjects and of the colours alone: the
        difference of estimates may be too small, or negative, by chance. Degrees of freedom are
        the smaller number of clusters less one; a dimension with a single cluster is given, not
        drawn, and does not count. NaN where neither has two.
    """
    subjects, colours = subject.max() + 1, colour.max() + 1
    counts = [count for count in (subjects, colours) if count > 1]
    if not counts:
        return float("nan"), float("nan")
    by_cell = _clustered(influence, cell)
    by_subject = _clustered(influence, subject)
    by_colour = _clustered(influence, colour)
    _, pair = np.unique(subject * colours + colour, return_inverse=True)
    both = by_subject + by_colour - _clustered(influence, pair)
    return float(max(both, by_subject, by_colour, by_cell)), float(min(counts) - 1)


def _clustered(influence: np.ndarray, code: np.ndarray) -> float:
    sums = np.bincount(code, influence)
    count = int(np.count_nonzero(np.bincount(code)))
    return 0.0 if count < 2 else float((sums**2).sum() * count / (count - 1))
