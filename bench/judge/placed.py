"""A picture and its regions in the small form that places are measured in, the light removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.judge.places import (
    SUPPORT,
    WALL,
    Picture,
    numbers_in,
    on_lattice,
    part_support,
)
from bench.judge.resolution import sampled
from bench.judge.white_balance import find_lights, remove_light

#: Pixels of a picture, uint8 (H, W, 3), their labels, and the names of neighbours.
Labelled = tuple[np.ndarray, np.ndarray, tuple[str, ...]]


def picture_of(image: np.ndarray, labels: np.ndarray, neighbours: tuple[str, ...]) -> Picture:
    """Small form of a picture, uint8 (H, W, 3), and its labels, the light removed."""
    return placed([(image, labels, neighbours)])[0][0]


def placed(pictures: Sequence[Labelled]) -> list[tuple[Picture, np.ndarray | None]]:
    """Small forms of some pictures, of any sizes, and the light that was removed from each."""
    bytes_ = [on_lattice(sampled(image)) for image, *_ in pictures]
    labels = [on_lattice(sampled(of_image)) for _, of_image, _ in pictures]
    masks, subjects = [], []
    for own in labels:
        numbers = numbers_in(own)
        subjects.append(sum(WALL < number < SUPPORT for number in numbers))
        things = [number for number in numbers if number not in (WALL, SUPPORT)]
        layers = np.empty((len(things) + 1, *own.shape), np.float32)
        for layer, number in zip(layers[:-1], things, strict=True):
            np.equal(own, number, out=layer, casting="unsafe")
        layers[-1] = (own == WALL) | (own == SUPPORT)
        masks.append(layers)
    lights = find_lights(bytes_, masks, subjects)
    found = []
    for byte, own, (*_, neighbours), light in zip(bytes_, labels, pictures, lights, strict=True):
        plain = byte if light is None else remove_light(byte, light)
        picture = Picture(np.ascontiguousarray(plain), own, neighbours)
        found.append((part_support(picture), light))
    return found
