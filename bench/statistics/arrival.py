"""When the colour reached the subject on the way from noise, and where it was before that.

Frames of a trajectory are measured at the places of the final image (docs/trajectory.md). What
counts at a place is the colour that the control, which began with the same noise, does not have at
the same step and pixels.
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
#: What is told of an arrival, for the prediction that the frames show and, under the prefix
#: ``conditional_``, for that of the prompt alone where a model is guided.
OF_PREDICTION = ("arrival_noise", "arrival_step", "arrived_first", "never_arrived")
CONDITIONAL = "conditional_"
#: What is estimated; those of `_SHARES` are shares of samples.
ARRIVAL_METRICS = (
    *OF_PREDICTION,
    *(CONDITIONAL + name for name in OF_PREDICTION),
    "before_background",
    "before_neighbour",
    "stood_elsewhere",
    "stayed_elsewhere",
)
_SHARES = ("arrived_first", "never_arrived", "_elsewhere")


def arrival_steps(share: np.ndarray, final: np.ndarray | None = None) -> np.ndarray:
    """Return the first step from which on the share stays at half of its final value or more.

    Parameters
    ----------
    share : ndarray, float64, (N, T)
        Share of the subject in the requested colour, a row a binding; NaN is not there.
    final : ndarray, float64, (N,), optional
        That of the final picture; of the last step by default.

    Returns
    -------
    ndarray, float64, (N,)
        NaN where the final share is below `ARRIVED`; T where the last step falls short too.
    """
    if not share.size:
        return np.full(len(share), np.nan)
    final = share[:, -1] if final is None else final
    short = ~(share >= final[:, None] / 2)
    # One past the last step that falls short.
    steps = share.shape[1] - np.argmax(short[:, ::-1], axis=1).astype(float)
    steps[~short.any(axis=1)] = 0.0
    return np.where(final >= ARRIVED, steps, np.nan)


def arrival(share: np.ndarray, noise: np.ndarray, final: float) -> dict[str, float]:
    """When the colour of one binding came for good, and how far that is known.

    Parameters
    ----------
    share : ndarray (T,)
        Share of the subject in the requested colour, frame by frame.
    noise : ndarray (T,)
        Noise level of each frame.
    final : float
        The share in the final picture.

    Returns
    -------
    dict of str to float
        By `OF_PREDICTION`; all NaN where the final share is below `ARRIVED`. ``arrived_first``: it
        was there in the first frame, so that nothing is known but that it came no later
        (left-censored). ``never_arrived``: the last frame falls short (right-censored), and step
        and noise are NaN.
    """
    found = dict.fromkeys(OF_PREDICTION, float("nan"))
    (step,) = arrival_steps(share[None], np.array([final]))
    if np.isnan(step):
        return found
    found["arrived_first"], found["never_arrived"] = float(step == 0), float(step == len(share))
    if step < len(share):
        found["arrival_step"], found["arrival_noise"] = float(step), float(noise[int(step)])
    return found


def elsewhere(excess: np.ndarray, step: float) -> dict[str, float]:
    """Where the colour was beside the subject.

    Parameters
    ----------
    excess : ndarray (T, 2)
        Leak into each of `PLACES` beyond the control, frame by frame; NaN where there is none.
    step : float
        Of the arrival; NaN where there was none.

    Returns
    -------
    dict of str to float
        ``before_*`` is the greatest excess before the arrival, NaN where there is no frame before.
        ``stood_elsewhere``: an excess ever reached `STANDS`; ``stayed_elsewhere``: it was so at the
        end, NaN where it never did. All NaN where neither place could be compared.
    """
    found = dict.fromkeys(ARRIVAL_METRICS[-4:], float("nan"))
    known = ~np.isnan(excess).all(axis=0)
    if not known.any():
        return found
    stood = np.nan_to_num(excess).max(axis=1) >= STANDS
    found["stood_elsewhere"] = float(stood.any())
    if stood.any():
        found["stayed_elsewhere"] = float(stood[-1])
    if step > 0:
        for column, place in enumerate(PLACES):
            if known[column]:
                most = float(excess[: int(step), column].max())
                found[f"before_{place}"] = max(0.0, most)
    return found


def estimate_arrivals(
    arrivals: pd.DataFrame, groups: Sequence[str], seed: int = 0, resamples: int = RESAMPLES
) -> list[Estimate]:
    """Means over cells with their intervals, as for all other estimates.

    Parameters
    ----------
    arrivals : DataFrame
        A row a binding of an image: ``cell_id``, ``tags``, ``colour``, and the columns
        `ARRIVAL_METRICS`.
    groups : sequence of str
        ``all``, ``colour:NAME`` and tags.
    """
    found = []
    for group in groups:
        rows = arrivals
        _, _, colour = group.partition(":")
        if colour:
            rows = arrivals[arrivals["colour"] == colour]
        elif group != "all":
            rows = arrivals[[group in tags for tags in arrivals["tags"]]]
        if rows.empty:
            continue
        columns = list(ARRIVAL_METRICS)
        cells = rows.groupby("cell_id", sort=True)[columns].mean()
        means = cells.to_numpy(float)
        name = group if colour or group == "all" else f"tag:{group}"
        rng = np.random.default_rng([seed, zlib.crc32(f"arrival/{name}".encode())])
        scored = rows[columns].notna().sum()
        for m, metric in enumerate(columns):
            values = means[~np.isnan(means[:, m]), m]
            if metric.endswith(_SHARES):
                one_each = np.ones(len(values))
                ends = share_of_this_list(values, one_each * np.nan, one_each, LEVEL)
            else:
                ends = mean_of_cells(values, rng, resamples=resamples, level=LEVEL)
            low, high = ends or (None, None)
            if metric.endswith("_noise") and low is not None and high is not None:
                # A t-quantile knows nothing of the scale.
                low, high = max(0.0, low), min(1.0, high)
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
