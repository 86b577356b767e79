"""What the intervals promise, simulated: tables of ``python -m benchmarks.statistics``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from bench.statistics.intervals import difference, mean_of_cells, mean_of_this_list
from bench.statistics.simulation import rates
from bench.statistics.sums import Judgements
from bench.statistics.tabulate import estimates_of


def grid_frame(bound: np.ndarray) -> pd.DataFrame:
    """Verdicts from bound or not, bool (subjects, colours, images)."""
    subject, colour, image = (axis.ravel() for axis in np.indices(bound.shape))
    cell = subject * bound.shape[1] + colour
    return pd.DataFrame(
        {
            "sample_id": cell * bound.shape[2] + image,
            "cell_id": cell,
            "colour": colour,
            "subject": subject,
            "verdict": np.where(bound.ravel(), "bound", "wrong"),
        }
    )


def ends_of(bound: np.ndarray) -> Any:
    """The estimate of the binding score, both intervals."""
    judgements = Judgements(grid_frame(bound))
    sums = judgements.sums(np.ones(bound.size, dtype=bool), ("binding_score",))
    return estimates_of(sums, "all", np.random.default_rng(0), 600, 0.95)[0]


def crossed_rates(rng: np.random.Generator, shape: tuple[int, int], mean: float, spreads: Any):
    """Rates with effects of subject, colour and cell on the logit."""
    offset = _offset(mean, float(np.hypot(np.hypot(*spreads[:2]), spreads[2])))
    subjects, colours = shape
    effects = rng.normal(0, spreads[0], (subjects, 1)) + rng.normal(0, spreads[1], (1, colours))
    return expit(offset + effects + rng.normal(0, spreads[2], shape))


@functools.cache
def _offset(mean: float, spread: float) -> float:
    draws = spread * np.random.default_rng(0).normal(size=400_000)
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + draws).mean() < mean else (low, middle)
    return middle


#: Subjects, colours, images, mean, and the spread of the cells (ICC) or of subject, colour, cell.
SHARES = [
    ((8, 1), 1, 0.90, 0.3),
    ((8, 1), 1, 0.60, 0.3),
    ((8, 1), 4, 0.90, 0.3),
    ((12, 1), 1, 0.85, 0.3),
    ((27, 1), 1, 0.95, 0.3),
    ((27, 1), 2, 0.95, 0.3),
    ((26, 4), 1, 0.90, 0.3),
    ((26, 4), 1, 0.98, 0.3),
    ((26, 4), 1, 0.99, 0.3),
    ((26, 4), 1, 0.995, 0.3),
    ((26, 4), 4, 0.90, 0.3),
    ((26, 4), 4, 0.98, 0.3),
    ((26, 4), 4, 0.99, 0.3),
    ((39, 11), 1, 0.95, 0.3),
    ((39, 11), 1, 0.99, 0.3),
    ((39, 11), 1, 0.998, 0.3),
    ((39, 11), 2, 0.95, 0.3),
    ((39, 11), 4, 0.90, 0.8),
    ((26, 4), 4, 0.95, 0.8),
    ((26, 4), 4, 0.98, 0.8),
    ((27, 11), 1, 0.90, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (0.7, 0.3, 0.5)),
    ((27, 11), 4, 0.98, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (0.5, 1.5, 0.5)),
]


def shares(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage of both intervals of a share: of the rates of this list, and of their population."""
    for shape, images, mean, spread in SHARES:
        rng = np.random.default_rng(1)
        held, widths = np.zeros(2), np.zeros(2)
        for _ in range(repetitions):
            if isinstance(spread, tuple):
                rate = crossed_rates(rng, shape, mean, spread)
            else:
                rate = rates(rng, shape[0] * shape[1], mean, spread).reshape(shape)
            one = ends_of(rng.random((*shape, images)) < rate[..., None])
            ends = (one.low, one.high), (one.population_low, one.population_high)
            for k, ((low, high), truth) in enumerate(zip(ends, (rate.mean(), mean), strict=True)):
                held[k] += low - 1e-12 <= truth <= high + 1e-12
                widths[k] += high - low
        yield {
            "subjects x colours": f"{shape[0]} x {shape[1]}",
            "images": images,
            "mean": mean,
            "spread": "/".join(map(str, np.atleast_1d(spread))),
            "this list: coverage": held[0] / repetitions,
            "width": widths[0] / repetitions,
            "prompts like these: coverage": held[1] / repetitions,
            "width ": widths[1] / repetitions,
        }


def gaps(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage of a gap between two groups of cells, one image each, over this list."""
    for first, second, p, q in (
        (84, 20, 0.98, 0.98),
        (84, 20, 0.95, 0.85),
        (340, 89, 0.95, 0.90),
        (23, 12, 0.95, 0.90),
    ):
        rng = np.random.default_rng(2)
        held, width = 0, 0.0
        for _ in range(repetitions):
            truth, found = [], []
            for cells, mean in ((first, p), (second, q)):
                rate = rates(rng, cells, mean, 0.3)
                one = ends_of((rng.random(cells) < rate)[:, None, None])
                truth.append(rate.mean())
                found.append((one.value, one.low, one.high))
            low, high = difference(*found)
            held += low - 1e-12 <= truth[0] - truth[1] <= high + 1e-12
            width += high - low
        yield {
            "cells": f"{first}, {second}",
            "means": f"{p}, {q}",
            "coverage": held / repetitions,
            "width": width / repetitions,
        }


def edge(repetitions: int) -> Iterator[dict[str, Any]]:
    """The interval near the boundary, by the number of images that are wrong."""
    for cells, images in ((11, 1), (104, 1), (104, 4), (429, 1), (429, 4)):
        row: dict[str, Any] = {"cells": cells, "images": images}
        for wrong in range(4):
            bound = np.ones((cells, 1, images), dtype=bool)
            bound[:wrong, 0, 0] = False
            one = ends_of(bound)
            row[f"{wrong} wrong"] = f"{100 * one.low:.1f} to {100 * one.high:.1f}"
        yield row


def measured(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage for measured metrics, by the cells, and by the images where cells have several."""
    for cells in (3, 9, 10, 12, 27, 104):
        row: dict[str, Any] = {"cells": cells}
        for name in ("normal", "exponential"):
            for images in (1, 4):
                rng = np.random.default_rng(cells)
                held = told = 0
                for _ in range(repetitions):
                    draw = rng.normal if name == "normal" else rng.exponential
                    centre = 0.0 if name == "normal" else 1.0
                    between = draw(size=cells) if images > 1 else np.zeros(cells)
                    noise = draw(size=(cells, images)) - centre
                    means = (between[:, None] + noise).mean(axis=1)
                    count = np.full(cells, float(images))
                    if images == 1:
                        found = mean_of_cells(means, rng, resamples=600)
                    else:
                        variance = noise.var(axis=1, ddof=1) / images
                        found = mean_of_this_list(
                            means, variance, count, rng, bounded=False, resamples=600
                        )
                    if found is not None:
                        told += 1
                        held += found[0] <= between.mean() <= found[1]
                row[f"{name}, {images} image" + "s" * (images > 1)] = (
                    held / told if told > repetitions / 2 else "none"
                )
        yield row
