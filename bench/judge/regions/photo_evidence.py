"""What the network over photographs says of a noun: where it is about, and whether it is there.

References
----------
Zhou et al. (2016), "Learning Deep Features for Discriminative Localization": class evidence at
each place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.imagenet_nouns import classes_of
from prompts.subjects import SUBJECT_NAMES

if TYPE_CHECKING:
    import torch

#: Order of the network's kinds.
WALL, THING, PLATE, FRAME, SUPPORT = range(5)
#: Logistic regressions of presence: on the peak of ImageNet's classes (intercept, slope), and on
#: the scores of the suite's names by the decoder and by the small network (intercept, slopes).
#: The second is fitted by ``python -m bench.cli.fit presence``; the first was set by hand.
BY_CLASSES: tuple[float, float] = (4.2, 1.5)
BY_NAMES: tuple[float, float, float] = (2.61, 0.99, 0.62)


@dataclass(frozen=True, slots=True, eq=False)
class PhotoSight:
    """What the network makes of one picture.

    Attributes
    ----------
    kinds : ndarray, float32 (5, h, w)
        Chance of wall, thing, plate, picture frame and support; sums to 1.
    suite : tuple of (ndarray, ndarray)
        For each network that knows the suite's subjects: the chance of each of them and of
        anything else, were there a thing, float32 (28, n, m); and of a thing, (n, m).
    classes : ndarray, float32 (1000, h/8, w/8)
        Chance of ImageNet's classes at each place.
    seen : tuple of Tensor
        What the network grows masks from.
    """

    kinds: np.ndarray
    suite: tuple[tuple[np.ndarray, np.ndarray], ...]
    classes: np.ndarray
    seen: tuple[torch.Tensor, ...]


def name_map(sight: PhotoSight, noun: str) -> tuple[np.ndarray, float] | None:
    """Evidence of a noun at coarse places, and the probability that it is there; None for no name.

    Returns
    -------
    tuple or None
        Float32 (h/8, w/8), highest 1, and the probability.
    """
    found = []
    classes = classes_of(noun)
    if classes:
        of_classes = sight.classes[list(classes)].sum(0)
        logit = BY_CLASSES[0] + BY_CLASSES[1] * logit_of(peak(of_classes))
        found.append((_sigmoid(logit), of_classes))
    if noun in SUBJECT_NAMES:
        place = SUBJECT_NAMES.index(noun)
        maps = [name[place] * thing for name, thing in sight.suite]
        scores = name_scores(sight, noun)
        logit = BY_NAMES[0] + float(np.dot(BY_NAMES[1:], [logit_of(s) for s in scores]))
        size = sight.classes.shape[1:]
        both = sum(resized(m, size) * max(s, 0.01) for m, s in zip(maps, scores, strict=True))
        found.append((_sigmoid(logit), np.asarray(both)))
    if not found:
        return None
    chance, where = max(found, key=lambda one: one[0])
    return (where / max(float(where.max()), 1e-6)).astype(np.float32), chance


def name_scores(sight: PhotoSight, noun: str) -> list[float]:
    """How surely some thing is a subject of the suite, by each network that knows its name."""
    place = SUBJECT_NAMES.index(noun)
    return [suite_score(name[place], thing) for name, thing in sight.suite]


def logit_of(chance: float) -> float:
    """Logarithm of the odds, finite at 0 and 1."""
    return float(np.log((chance + 0.01) / (1.01 - chance)))


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def suite_score(named: np.ndarray, thing: np.ndarray) -> float:
    """How surely some thing is one of the suite's subjects: the best mean over near places."""
    from scipy.ndimage import uniform_filter

    weight = uniform_filter(thing, 3, mode="constant")
    local = uniform_filter(named * thing, 3, mode="constant") / (weight + 0.03)
    return float(local.max())


def resized(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Means over the cells of a coarser grid that need not divide the finer one."""
    from PIL import Image

    if x.shape == size:
        return x
    image = Image.fromarray(np.asarray(x, dtype=np.float32))
    return np.asarray(image.resize(size[::-1], Image.Resampling.BOX), dtype=np.float32)


def peak(evidence: np.ndarray) -> float:
    """The mean of the three highest places: one place alone may be a chance likeness."""
    return float(np.sort(evidence.ravel())[-3:].mean())
