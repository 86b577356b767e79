"""What the page uses of the benchmark without importing it: the command lends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: From ``uint8 (N, 3)`` sRGB to ``int (N,)``: the basic term of each, an index into
#: `prompts.colours.BASIC`.
Naming = Callable[[np.ndarray], np.ndarray]

#: From the differences of cells ``float64 (C,)``, the name of the metric and group, and the level,
#: to the interval of their mean; None, None with fewer than two cells.
Interval = Callable[[np.ndarray, str, float], tuple[float | None, float | None]]


def no_interval(
    differences: np.ndarray, name: str, level: float
) -> tuple[float | None, float | None]:
    """Give no interval: what a page has that was lent none."""
    return None, None


@dataclass(frozen=True, slots=True)
class Lent:
    """Functions of the benchmark that a page is built with.

    Attributes
    ----------
    naming : callable or None
        Without it the page has no colour-name and leak overlays.
    interval : callable
        Without it differences between runs have no interval.
    """

    naming: Naming | None = None
    interval: Interval = no_interval
