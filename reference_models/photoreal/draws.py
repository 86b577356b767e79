"""Random numbers of a scene; the test set has stretches that training never draws from."""

from __future__ import annotations

import numpy as np

#: Training draws shape parameters from the first share of their range, the test set from the rest
#: beyond a gap.
_TRAIN, _TEST = 0.62, 0.7


class Draws:
    """A seeded source of parameters.

    Parameters
    ----------
    seed : sequence of int
    test : bool
        Whether shape parameters come from the stretch that is kept for the test set.
    """

    def __init__(self, seed: tuple[int, ...], test: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.test = test

    def shape(self, first: float, last: float) -> float:
        """A parameter of a shape: training near ``first``, the test set near ``last``."""
        u = self.rng.uniform(_TEST, 1.0) if self.test else self.rng.uniform(0.0, _TRAIN)
        return float(first + (last - first) * u)

    def uniform(self, low: float, high: float) -> float:
        """Any value between two ends."""
        return float(self.rng.uniform(low, high))

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return bool(self.rng.random() < p)

    def pick(self, options: list[str] | tuple[str, ...]) -> str:
        """One of several words."""
        return str(options[int(self.rng.integers(len(options)))])
