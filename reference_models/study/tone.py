"""Lightness and chroma of what the members draw, against the scenes that they learned from.

A model that never saw pure noise in training begins its sampling with a signal that is not there:
the states that it knows carry some of the picture's mean, pure noise carries none. What it would do
is draw every picture towards the middle; whether it does is measured here, on the same captions and
from the same noises for every member, beside the scenes that these captions are of.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from bench.judge.colour.spaces import to_lab
from bench.statistics.intervals import LEVEL, RESAMPLES, mean_of_cells
from prompts.colours import COLOUR_NAMES
from reference_models.data import training_scenes
from reference_models.local import LocalModel
from reference_models.policies import policy
from reference_models.study.results import Value
from reference_models.weights import find_weights
from reference_models.world.captions import captions
from reference_models.world.render import render
from reference_models.world.scene import WALL, Scenes

#: Scenes that are drawn to choose from, and how many of them are asked for without choosing.
_DRAWN, _UNCAPTIONED = 16_384, 256
#: Pixels of the picture's edge, of 64, in which the background is measured.
_EDGE = 6
SHOWN = "coverage-75"


@dataclass(frozen=True, slots=True, eq=False)
class Captioned:
    """Captions of a kind, and the scenes that they are of: uint8 (N, 64, 64, 3)."""

    captions: list[str]
    pictures: np.ndarray


def captioned(drawn: int = _DRAWN, uncaptioned: int = _UNCAPTIONED) -> dict[str, Captioned]:
    """Scenes as the members were shown: any, and those said to have a black or a white wall."""
    scenes = training_scenes(drawn, torch.Generator().manual_seed(7), policy(SHOWN))
    told = (scenes.says_scenery == WALL) & scenes.says_scenery_colour
    found = {"any": _rendered(scenes[:uncaptioned])}
    for name in ("black", "white"):
        wall = scenes.scenery_term[:, WALL] == COLOUR_NAMES.index(name)
        found[name] = _rendered(scenes[torch.nonzero(told & wall).flatten()])
    return found


def _rendered(scenes: Scenes) -> Captioned:
    pictures = (render(scenes).image * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return Captioned(captions(scenes), pictures)


def tone_of(pictures: Mapping[str, np.ndarray]) -> dict[str, Value]:
    """Mean and spread of lightness, and mean chroma, with intervals over pictures.

    Parameters
    ----------
    pictures : mapping of str to ndarray, uint8 (N, 64, 64, 3)
        By kind of caption, as of `captioned`.

    Returns
    -------
    dict of str to Value
        ``lightness`` and ``spread`` of whole pictures: mean L*, and mean distance of a picture's L*
        from that mean; ``edge_lightness``, ``edge_spread`` and ``edge_chroma`` of the outermost six
        pixels, which are background nearly always; ``black_wall`` and ``white_wall``: L* there.
    """
    means = {name: _means(one) for name, one in pictures.items()}
    whole, edge, chroma = means["any"].T
    return {
        "lightness": _mean(whole),
        "spread": _mean(np.abs(whole - whole.mean())),
        "edge_lightness": _mean(edge),
        "edge_spread": _mean(np.abs(edge - edge.mean())),
        "edge_chroma": _mean(chroma),
        "black_wall": _mean(means["black"][:, 1]),
        "white_wall": _mean(means["white"][:, 1]),
    }


def _means(pictures: np.ndarray) -> np.ndarray:
    """L* of each picture, L* and chroma of its edge: float64 (N, 3)."""
    edge = np.ones(pictures.shape[1:3], dtype=bool)
    edge[_EDGE:-_EDGE, _EDGE:-_EDGE] = False
    rows = []
    for picture in pictures:
        lab = to_lab(picture)
        around = lab[edge]
        rows.append(
            (lab[..., 0].mean(), around[:, 0].mean(), np.hypot(around[:, 1], around[:, 2]).mean())
        )
    return np.array(rows)


def _mean(values: np.ndarray) -> Value:
    rng = np.random.default_rng([0, zlib.crc32(b"tone")])
    low, high = mean_of_cells(values, rng, resamples=RESAMPLES, level=LEVEL) or (None, None)
    return Value(float(values.mean()), low, high, len(values), len(values))


def tone_of_member(name: str, scenes: Mapping[str, Captioned]) -> dict[str, Value]:
    """Draw the captions with a member, each from a noise of its own, and measure."""
    model = LocalModel(find_weights(name))
    drawn = {}
    for kind, one in scenes.items():
        pictures, _ = model.draw(one.captions, range(len(one.captions)))
        drawn[kind] = pictures.numpy()
    return tone_of(drawn)
