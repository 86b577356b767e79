"""Simulated runs of a model: what the intervals and the gate do where the truth is known.

The rate at which a cell is bound is drawn from a beta distribution, of a given mean and spread; the
images of a cell are drawn from its rate. ``spread`` is the intraclass correlation: 0 where all
prompts are equally hard, 1 where each is always right or always wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from bench.statistics.paired import POWER, flip_test, smallest_detectable

#: Flips of a simulated test: the level is exact for any number.
FLIPS = 999
#: Pairs of runs; the chance is known to 3 points (one standard error). Fewer for the largest grids.
REPETITIONS = 200
MANY_CELLS = 2000


def rates(rng: np.random.Generator, cells: int, mean: float, spread: float) -> np.ndarray:
    """Rates of the cells: float64, (C,)."""
    if spread <= 0 or mean in (0.0, 1.0):
        return np.full(cells, mean)
    weight = 1 / spread - 1
    return rng.beta(mean * weight, (1 - mean) * weight, cells)


@dataclass(frozen=True, slots=True)
class Power:
    """What a gate of this size sees.

    Attributes
    ----------
    passed : float
        Chance that an unchanged model passes: that its interval leaves out a loss of the margin.
    finds : float
        Loss that is called a regression with a chance of 80%.
    """

    passed: float
    finds: float


def power_of(
    cells: int,
    seeds: int,
    *,
    score: float,
    spread: float,
    margin: float,
    alpha: float = 0.05,
    seed: int = 0,
) -> Power:
    """Simulate pairs of runs of one model with other noise, and compare each.

    Parameters
    ----------
    cells, seeds : int
        Cells, and images of each.
    score, spread : float
        Binding score of the model, and the intraclass correlation of its cells.
    margin, alpha : float
        Of the gate.
    seed : int
    """
    rng = np.random.default_rng([seed, cells, seeds])
    repetitions = REPETITIONS if cells <= MANY_CELLS else REPETITIONS // 4
    passed, finds = 0, []
    for _ in range(repetitions):
        rate = rates(rng, cells, score, spread)
        before, after = (rng.binomial(seeds, rate) / seeds for _ in range(2))
        tested = flip_test(after - before, rng, images=seeds, alpha=alpha, flips=FLIPS)
        passed += tested.low > -margin
        shares = (float(before.mean()), float(after.mean()), float(cells * seeds))
        finds.append(smallest_detectable(after - before, seeds, alpha, margin, shares=shares))
    return Power(passed / repetitions, float(np.median(finds)))


def seeds_for(
    cells: int,
    *,
    score: float,
    spread: float,
    margin: float,
    power: float = POWER,
    alpha: float = 0.05,
    most: int = 1000,
) -> tuple[int, Power] | None:
    """Return the least number of seeds at which an unchanged model passes with this chance.

    Parameters
    ----------
    cells : int
    score, spread, margin, alpha : float
        As for `power_of`.
    power : float
    most : int

    Returns
    -------
    tuple of int and Power, or None
        None where it takes more than ``most`` images of a prompt.
    """
    # The normal form is near; the simulation decides.
    reach = (special.ndtri(1 - alpha / 2) + special.ndtri(power)) / margin
    images = 2 * score * (1 - score) * (1 - spread) * reach**2
    seeds = max(1, math.floor(0.8 * images / cells))
    while seeds <= most:
        found = power_of(cells, seeds, score=score, spread=spread, margin=margin, alpha=alpha)
        if found.passed >= power:
            return seeds, found
        seeds += max(1, seeds // 10)
    return None


def spread_of(
    means: np.ndarray, noise: np.ndarray, images: np.ndarray
) -> tuple[float, float | None]:
    """Score of a run and the intraclass correlation of its cells.

    Parameters
    ----------
    means, noise, images : ndarray, float64, (C,)
        Of `bench.statistics.sums.CellSums`.

    Returns
    -------
    score : float
    spread : float or None
        The share of the variance of an image that is between the cells; None where cells have one
        image, or nothing varies.
    """
    known = ~np.isnan(means)
    score = float(means[known].mean())
    several = known & ~np.isnan(noise)
    total = score * (1 - score)
    if not several.any() or total < 1e-9:
        return score, None
    within = float((noise * images)[several].mean())
    return score, float(np.clip(1 - within / total, 0.0, 0.99))
