"""How far a picture is from those that the judge is certified on: out-of-distribution detection.

The Mahalanobis distance of a network's features to the pictures of each certified kind (Lee et al.
2018). A kind's covariance is that of probabilistic principal components: a few axes of their own
variance, and one variance for all that remains, which a few hundred pictures suffice for. The
distance is told as a multiple of the kind's threshold, so that above 1 is outside; the threshold is
a conformal quantile, beyond which lie at most `ALPHA` of pictures of the kind.

References
----------
Lee, Lee, Lee, Shin. A simple unified framework for detecting out-of-distribution samples and
adversarial attacks. NeurIPS 2018.
Tipping, Bishop. Probabilistic principal component analysis. Journal of the Royal Statistical
Society B 61 (1999) 611-622: equations 4 and 8.
Vovk. Cross-conformal predictors. Annals of Mathematics and Artificial Intelligence 74 (2015) 9-28.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import UsageError

#: Share of held-out pictures of a kind that may lie outside: the level at which errors of the first
#: kind are usually held. The fit sets 3%, so that subjects that are new have room below it.
ALPHA, FITTED_ALPHA = 0.05, 0.03
#: Fewest pictures for which there is a conformal quantile at `ALPHA`.
LEAST_PICTURES = math.ceil(1 / ALPHA) - 1
#: Axes with a variance of their own; of a kind of fewer pictures one for every `PER_AXIS`. From 24
#: on detection rises no more, and false alarms on subjects that are new do (docs/regions.md).
AXES, PER_AXIS = 24, 8
FOLDS = 5
#: Added to the spread of each feature: some are all but constant.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of certified pictures, in standardised features.

    Attributes
    ----------
    mean : ndarray, float32, (F,)
    axes : ndarray, float32, (D, F)
        Orthonormal.
    variances : ndarray, float32, (D,)
        Along the axes.
    rest : float
        Variance along any other direction.
    threshold : float
        The largest distance that is within the kind.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest: float
    threshold: float = 1.0

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Mahalanobis distances of standardised features (N, F): float64 (N,)."""
        apart = features.astype(np.float64) - self.mean
        along = apart @ self.axes.T.astype(np.float64)
        beside = np.maximum((apart**2).sum(1) - (along**2).sum(1), 0.0)
        return np.asarray(np.sqrt((along**2 / self.variances).sum(1) + beside / self.rest))


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What the features of one network are on certified pictures.

    Attributes
    ----------
    weights : str
        Hash of the network's layers that it was made with.
    centre, spread : ndarray, float32, (F,)
        By which features are standardised.
    kinds : mapping of str to Kind
    """

    weights: str
    centre: np.ndarray
    spread: np.ndarray
    kinds: Mapping[str, Kind]

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Features (N, F) with the mean and the spread of all certified kinds together."""
        return np.asarray((values - self.centre) / self.spread)

    def distances(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """For each kind the distances of features (N, F), as multiples of its threshold."""
        z = self.standardised(values)
        return {name: kind.distances(z) / kind.threshold for name, kind in self.kinds.items()}


def fit_kind(features: np.ndarray, axes: int = AXES) -> Kind:
    """Fit a kind to standardised features (N, F), without a threshold."""
    count, width = features.shape
    mean = features.mean(0, dtype=np.float64)
    _, lengths, directions = np.linalg.svd(features - mean, full_matrices=False)
    variances = lengths**2 / count
    kept = max(0, min(axes, count // PER_AXIS, width - 1))
    rest = float(variances[kept:].sum()) / (width - kept)
    floor = max(rest, 1e-6)
    return Kind(
        mean.astype(np.float32),
        directions[:kept].astype(np.float32),
        np.maximum(variances[:kept], floor).astype(np.float32),
        floor,
    )


def conformal_threshold(distances: Sequence[float] | np.ndarray, alpha: float) -> float:
    """The value that a new distance like the given ones exceeds with a chance of at most ``alpha``.

    Raises
    ------
    UsageError
        Too few distances for any such value.
    """
    ordered = np.sort(np.asarray(distances, np.float64))
    rank = math.ceil((1 - alpha) * (len(ordered) + 1))
    if rank > len(ordered):
        raise UsageError(
            f"{len(ordered)} pictures are too few to say what is like them; expected "
            f"{math.ceil(1 / alpha) - 1} or more"
        )
    return float(ordered[rank - 1])


def held_out_distances(
    features: np.ndarray, groups: Sequence[Any] | None = None, axes: int = AXES
) -> np.ndarray:
    """Distance of each picture to the kind that the others make, fold by fold: float64 (N,).

    Parameters
    ----------
    features : ndarray, (N, F)
        Standardised.
    groups : sequence, optional
        What each picture shows; pictures of one thing are held out together, so that the distances
        are those of things that are new.
    """
    names = list(range(len(features))) if groups is None else list(groups)
    order = {name: place for place, name in enumerate(sorted(set(names), key=str))}
    fold = np.array([order[name] % FOLDS for name in names])
    found = np.zeros(len(features))
    for one in np.unique(fold):
        others = fold != one
        found[~others] = fit_kind(features[others], axes).distances(features[~others])
    return found


def with_threshold(
    features: np.ndarray,
    groups: Sequence[Any] | None = None,
    alpha: float = ALPHA,
    axes: int = AXES,
) -> Kind:
    """Fit a kind to standardised features (N, F), and its threshold to those held out in turn."""
    threshold = conformal_threshold(held_out_distances(features, groups, axes), alpha)
    # Of pictures that are all the same: one deviation, or rounding would be outside.
    threshold = max(threshold, 1.0)
    made = fit_kind(features, axes)
    return Kind(made.mean, made.axes, made.variances, made.rest, threshold)


def fit_reference(
    weights: str,
    kinds: Mapping[str, tuple[np.ndarray, Sequence[Any]]],
    alpha: float = FITTED_ALPHA,
    axes: int = AXES,
) -> Reference:
    """Fit all kinds of one network from their features (N, F) and what each picture shows."""
    together = np.concatenate([features for features, _ in kinds.values()]).astype(np.float64)
    centre, spread = together.mean(0), together.std(0) + _LEAST_SPREAD
    fitted = {
        name: with_threshold((features - centre) / spread, groups, alpha, axes)
        for name, (features, groups) in kinds.items()
    }
    return Reference(weights, centre.astype(np.float32), spread.astype(np.float32), fitted)
