"""Several trainings of one member pooled: the training is the unit, not the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True, slots=True)
class Pooled:
    """A metric over the seeds of a training.

    Attributes
    ----------
    values : tuple of float
        One a training.
    mean : float
    low, high : float or None
        95% t-interval of the mean over trainings, within [0, 1]; None for fewer than two.
    """

    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None


def pooled(values: Sequence[float], level: float = 0.95) -> Pooled:
    """Pool the values of several trainings.

    Parameters
    ----------
    values : sequence of float
        Shares, one a training, at least one.
    level : float

    Notes
    -----
    mean +- t(n - 1) s / sqrt(n), cut to [0, 1]. Each value is itself an estimate over cells; what
    of its spread comes from the cells is part of s, for all trainings drew the same prompts from
    the same noises.
    """
    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return Pooled(tuple(array.tolist()), mean, None, None)
    reach = float(special.stdtrit(len(array) - 1, 0.5 + level / 2))
    half = reach * float(array.std(ddof=1)) / float(np.sqrt(len(array)))
    return Pooled(tuple(array.tolist()), mean, max(0.0, mean - half), min(1.0, mean + half))
