"""When the colour reached the subject on the way from noise, and where it was before that.

Frames of a trajectory are measured at the places of the final image (docs/trajectory.md). The share
of the colour at a place counts as caused by the colour word where it exceeds that of the control,
which began with the same noise, at the same step and place.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.records import Estimate
from bench.statistics.intervals import LEVEL, RESAMPLES, mean_of_cells, share_of_this_list

#: A final share below this is no arrival: the colour is not on the subject, or in a small part.
ARRIVED = 0.22
#: More than the control by this is a colour that stands elsewhere, as for the verdicts.
STANDS = 0.25

PLACES = ("background", "neighbour")
#: What is estimated; the last two are shares of samples.
ARRIVAL_METRICS = (
    "arrival_noise",
    "arrival_step",
    "before_background",
    "before_neighbour",
    "stood_elsewhere",
    "stayed_elsewhere",
)


def excess_elsewhere(image: pd.DataFrame, control: pd.DataFrame | None, colour: str) -> np.ndarray:
    """Share of the colour at each of `PLACES` beyond the control's, step by step.

    Parameters
    ----------
    image : DataFrame
        A row a step, a column a metric: ``background_<term>`` and ``neighbour_<term>``.
    control : DataFrame or None
        The same of the control.
    colour : str
        A basic term.

    Returns
    -------
    ndarray, float64, (T, 2)
        At least 0; 0 where a place is not there.
    """
    found = np.zeros((len(image), len(PLACES)))
    for column, place in enumerate(PLACES):
        name = f"{place}_{colour}"
        here = image[name].to_numpy(float) if name in image else np.full(len(image), np.nan)
        base = 0.0
        if control is not None and name in control:
            base = control[name].reindex(image.index).fillna(0.0).to_numpy(float)
        found[:, column] = np.nan_to_num(np.maximum(here - base, 0.0))
    return found


def arrival_steps(share: np.ndarray) -> np.ndarray:
    """Return the first step from which on the share stays at half of its final value or more.

    Parameters
    ----------
    share : ndarray, float64, (N, T)
        Share of the subject in the requested colour, a row a binding; NaN is not there.

    Returns
    -------
    ndarray, float64, (N,)
        NaN where the final share is below `ARRIVED`.
    """
    if not share.size:
        return np.full(len(share), np.nan)
    short = ~(share >= share[:, -1:] / 2)
    # One past the last step that falls short; the last step never does where it has a value.
    steps = share.shape[1] - np.argmax(short[:, ::-1], axis=1).astype(float)
    steps[~short.any(axis=1)] = 0.0
    return np.where(share[:, -1] >= ARRIVED, steps, np.nan)


def arrival(
    share: np.ndarray, noise: np.ndarray, elsewhere: np.ndarray, requested: np.ndarray
) -> dict[str, float]:
    """What is told of one binding of one image.

    Parameters
    ----------
    share : ndarray (T,)
        Share of the subject in the requested colour, frame by frame.
    noise : ndarray (T,)
        Noise level of each frame.
    elsewhere : ndarray (T, 2)
        Of `excess_elsewhere`.
    requested : ndarray, bool (2,)
        Places where the prompt itself asks for this colour; they do not count.

    Returns
    -------
    dict of str to float
        By `ARRIVAL_METRICS`. The arrival is that of `arrival_steps`. ``before_*`` is
        the greatest excess before it, NaN where there is no frame before. ``stood_elsewhere``: an
        excess ever reached `STANDS`; ``stayed_elsewhere``: it was so at the end, NaN where it never
        did.
    """
    found = dict.fromkeys(ARRIVAL_METRICS, float("nan"))
    elsewhere = np.where(requested, 0.0, elsewhere)
    stood = elsewhere.max(axis=1) >= STANDS
    found["stood_elsewhere"] = float(stood.any())
    if stood.any():
        found["stayed_elsewhere"] = float(stood[-1])
    first = arrival_steps(share[None])[0]
    if np.isnan(first):
        return found
    step = int(first)
    found["arrival_step"], found["arrival_noise"] = float(step), float(noise[step])
    if step:
        for column, place in enumerate(PLACES):
            found[f"before_{place}"] = float(elsewhere[:step, column].max())
    return found


def estimate_arrivals(
    arrivals: pd.DataFrame, groups: Sequence[str], seed: int = 0, resamples: int = RESAMPLES
) -> list[Estimate]:
    """Means over cells with their intervals, as for all other estimates.

    Parameters
    ----------
    arrivals : DataFrame
        A row a binding of an image: ``cell_id``, ``tags``, and the columns `ARRIVAL_METRICS`.
    groups : sequence of str
        ``all`` and tags.
    """
    found = []
    for group in groups:
        rows = arrivals
        if group != "all":
            rows = arrivals[[group in tags for tags in arrivals["tags"]]]
        if rows.empty:
            continue
        columns = list(ARRIVAL_METRICS)
        cells = rows.groupby("cell_id", sort=True)[columns].mean()
        means = cells.to_numpy(float)
        name = group if group == "all" else f"tag:{group}"
        rng = np.random.default_rng([seed, zlib.crc32(f"arrival/{name}".encode())])
        scored = rows[columns].notna().sum()
        for m, metric in enumerate(columns):
            values = means[~np.isnan(means[:, m]), m]
            if metric.endswith("_elsewhere"):
                one_each = np.ones(len(values))
                ends = share_of_this_list(values, one_each * np.nan, one_each, LEVEL)
            else:
                ends = mean_of_cells(values, rng, resamples=resamples, level=LEVEL)
            low, high = ends or (None, None)
            found.append(
                Estimate(
                    metric=metric,
                    group=name,
                    value=float(values.mean()) if len(values) else float("nan"),
                    low=low,
                    high=high,
                    images=len(rows),
                    scored=int(scored[metric]),
                    cells=len(values),
                )
            )
    return found
