"""What the network over photographs says of a noun: where it is about, and whether it is there.

References
----------
Zhou et al. (2016), "Learning Deep Features for Discriminative Localization": class evidence at
each place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bench.judge.regions.imagenet_nouns import classes_of

Result = TypeVar("Result")

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch

    #: Asks for masks (K, h, w) that are grown from seeds (K, h', w'), each beside the others as
    #: rivals (``grow``), and for layers (C, h, w) at the size of the picture, their edges drawn to
    #: those of its colours (``sharpen``).
    Steps = Generator[tuple[str, np.ndarray], np.ndarray, Result]

#: Order of the network's kinds.
WALL, THING, PLATE, FRAME, SUPPORT = range(5)
#: Logistic regression of presence on the peak of ImageNet's classes: intercept and slope, by hand.
BY_CLASSES: tuple[float, float] = (4.2, 1.5)
#: What class evidence is worth where there is surely no thing.
_NO_THING = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class PhotoSight:
    """What the network makes of one picture.

    Attributes
    ----------
    kinds : ndarray, float32 (5, h, w)
        Chance of wall, thing, plate, picture frame and support; sums to 1.
    suite : tuple of (ndarray, ndarray)
        For each network that knows the suite's subjects: the chance of each of them, of other names
        and of none that it knows, and last of all that is none of the suite's, were there a thing,
        float32 (69, n, m) or (28, n, m); and of a thing, (n, m).
    classes : ndarray, float32 (1000, h/8, w/8)
        Chance of ImageNet's classes at each place.
    seen : tuple of Tensor
        What the network grows masks from.
    """

    kinds: np.ndarray
    suite: tuple[tuple[np.ndarray, np.ndarray], ...]
    classes: np.ndarray
    seen: tuple[torch.Tensor, ...]


def class_map(sight: PhotoSight, noun: str) -> tuple[np.ndarray, float]:
    """Where ImageNet's classes of a noun are, and the probability that it is there by them.

    Returns
    -------
    tuple
        Float32 (h/8, w/8), highest 1, and the probability, zero for a noun without classes.
    """
    classes = classes_of(noun)
    if not classes:
        return np.zeros(sight.classes.shape[1:], np.float32), 0.0
    where = sight.classes[list(classes)].sum(0)
    # What looks like it where nothing stands is mostly the texture of a wall or floor.
    where = where * (_NO_THING + (1 - _NO_THING) * resized(sight.kinds[THING], where.shape))
    logit = BY_CLASSES[0] + BY_CLASSES[1] * logit_of(peak(where))
    return (where / max(float(where.max()), 1e-6)).astype(np.float32), _sigmoid(logit)


def logit_of(chance: float) -> float:
    """Logarithm of the odds, finite at 0 and 1."""
    return float(np.log((chance + 0.01) / (1.01 - chance)))


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def resized(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Means over the cells of a coarser grid that need not divide the finer one."""
    if x.shape == size:
        return x
    rows, columns = (_cells(*lengths) for lengths in zip(x.shape, size, strict=True))
    return np.asarray(rows @ np.asarray(x, dtype=np.float32) @ columns.T)


@lru_cache(maxsize=64)
def _cells(length: int, count: int) -> np.ndarray:
    """Weights of places in the cells of a coarser axis, float32 (count, length)."""
    from PIL import Image

    each = Image.fromarray(np.eye(length, dtype=np.float32))
    return np.asarray(each.resize((length, count), Image.Resampling.BOX), dtype=np.float32)


def peak(evidence: np.ndarray) -> float:
    """The mean of the three highest places: one place alone may be a chance likeness."""
    return float(np.sort(evidence.ravel())[-3:].mean())
