"""A picture and its regions in the small form that places are measured in, the light removed."""

from __future__ import annotations

import numpy as np

from bench.judge.places import FIRST_NEIGHBOUR, SUPPORT, Picture, on_lattice, part_support
from bench.judge.resolution import sampled
from bench.judge.white_balance import find_light, remove_light


def picture_of(image: np.ndarray, labels: np.ndarray, neighbours: tuple[str, ...]) -> Picture:
    """Small form of a picture, uint8 (H, W, 3), and its labels, the light removed."""
    return placed(image, labels, neighbours)[0]


def placed(
    image: np.ndarray, labels: np.ndarray, neighbours: tuple[str, ...]
) -> tuple[Picture, np.ndarray | None]:
    """The same, and the light that was removed."""
    byte, labels = on_lattice(sampled(image)), on_lattice(sampled(labels))
    subjects = np.unique(labels[(labels > 0) & (labels < SUPPORT)])
    beside = np.unique(labels[labels >= FIRST_NEIGHBOUR])
    ground = (labels == 0) | (labels == SUPPORT)
    masks = [labels == number for number in (*subjects, *beside)] + [ground]
    light = find_light(byte, np.stack(masks).astype(np.float32), len(subjects))
    if light is not None:
        byte = remove_light(byte, light)
    return part_support(Picture(np.ascontiguousarray(byte), labels, neighbours)), light
