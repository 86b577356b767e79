"""Whether a probability can be believed, and a share trusted: bins of what is said and is true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Bins of `presence`, and of the painted share.
BINS = 10


def reliability(predicted: Sequence[float], true: Sequence[bool]) -> dict[str, Any]:
    """Reliability of a probability.

    Parameters
    ----------
    predicted : sequence of float
        Probabilities in [0, 1].
    true : sequence of bool

    Returns
    -------
    dict
        ``brier``, the mean squared error (Brier 1950); ``ece``, the mean distance of the said from
        the true share over the bins, by their size (Naeini, Cooper and Hauskrecht 2015); ``bins``,
        a list of ``low``, ``high``, ``n``, ``said`` (mean) and ``true`` (share), empty bins left
        out.
    """
    p, y = np.asarray(predicted, dtype=float), np.asarray(true, dtype=float)
    if not p.size:
        return {"brier": None, "ece": None, "bins": []}
    bins = _bins(p, y)
    ece = sum(one["n"] * abs(one["said"] - one["true"]) for one in bins) / p.size
    return {"brier": float(np.mean((p - y) ** 2)), "ece": float(ece), "bins": bins}


def agreement(predicted: Sequence[float], true: Sequence[float]) -> dict[str, Any]:
    """How a measured share follows the true one.

    Parameters
    ----------
    predicted, true : sequence of float
        Shares in [0, 1]; pairs in which either is NaN are left out.

    Returns
    -------
    dict
        ``n``, ``mean_absolute_error``, ``bias`` (mean of said less true), and ``bins`` by the true
        share. None for values that no pair gives.
    """
    pairs = [
        (s, t) for s, t in zip(predicted, true, strict=True) if not (math.isnan(s) or math.isnan(t))
    ]
    if not pairs:
        return {"n": 0, "mean_absolute_error": None, "bias": None, "bins": []}
    s, t = (np.array(column) for column in zip(*pairs, strict=True))
    return {
        "n": len(pairs),
        "mean_absolute_error": float(np.abs(s - t).mean()),
        "bias": float((s - t).mean()),
        "bins": _bins(t, s, key="true", other_key="said"),
    }


def _bins(
    by: np.ndarray, other: np.ndarray, key: str = "said", other_key: str = "true"
) -> list[dict[str, Any]]:
    """Means of both by equal bins of the first; its highest value falls into the last bin."""
    place = np.clip((by * BINS).astype(int), 0, BINS - 1)
    return [
        {
            "low": number / BINS,
            "high": (number + 1) / BINS,
            "n": int(inside.sum()),
            key: float(by[inside].mean()),
            other_key: float(other[inside].mean()),
        }
        for number in range(BINS)
        if (inside := place == number).any()
    ]
