"""The colour naming model: eleven terms as a softmax of cubic forms in CIELAB.

With ``z = ((L - 50) / 50, a / 80, b / 80)`` and ``f(z)`` the 20 monomials of degree 0 to 3, the
share of people who call a colour by the term ``c`` is

    p(c) = exp(w_c . f) / sum_k exp(w_k . f)

and the membership is ``p`` sharpened by the exponent ``SHARPNESS`` and normalised again. A survey
mixes people and screens, each with their own boundary, which makes its transitions wider than any
one person's; the exponent narrows them and moves no boundary.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import resources
from itertools import combinations_with_replacement

import numpy as np

from bench.judge.colour.spaces import CELLS, cube, to_lab
from prompts.colours import COLOUR_NAMES

DEGREE = 3
SHARPNESS = 2.0


def features(lab: np.ndarray) -> np.ndarray:
    """Expand CIELAB (..., 3) to 20 monomials of its scaled coordinates: float64 (..., 20)."""
    scaled = (np.asarray(lab, dtype=np.float64) - [50.0, 0.0, 0.0]) / [50.0, 80.0, 80.0]
    axes = [scaled[..., axis] for axis in range(3)]
    result = np.empty((*scaled.shape[:-1], 20))
    forms = [one for n in range(DEGREE + 1) for one in combinations_with_replacement(axes, n)]
    for index, form in enumerate(forms):
        result[..., index] = math.prod(form)
    return result


@cache
def weights() -> np.ndarray:
    """Fitted weights, float64 (20, 11), from ``terms.json``."""
    text = resources.files("bench.judge.colour").joinpath("terms.json").read_text()
    model = json.loads(text)
    if tuple(model["terms"]) != COLOUR_NAMES:
        raise RuntimeError("terms.json lists other colour terms than prompts.COLOUR_NAMES: refit")
    return np.array(model["weights"])


def shares_of_lab(lab: np.ndarray, sharpness: float = SHARPNESS) -> np.ndarray:
    """Memberships of CIELAB colours: float64 (..., 11), sums of 1, from (..., 3)."""
    logits = features(lab) @ weights() * sharpness
    logits -= logits.max(axis=-1, keepdims=True)
    odds = np.exp(logits)
    return odds / odds.sum(axis=-1, keepdims=True)


@cache
def table() -> np.ndarray:
    """Memberships at the cells of `bench.judge.colour.spaces.cube`: float32 (262144, 11)."""
    shares = np.empty((CELLS, len(COLOUR_NAMES)), np.float32)
    # A part at a time: between the colours and their shares stand 20 forms of each.
    for part, colours in zip(np.split(shares, 16), np.split(cube(), 16), strict=True):
        part[:] = shares_of_lab(to_lab(colours))
    return shares
