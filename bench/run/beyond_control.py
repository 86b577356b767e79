"""Leaks beyond the control at the same pixels, from the stored pictures and regions of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from bench.judge.places import (
    FIRST_NEIGHBOUR,
    SUPPORT,
    Picture,
    excess,
    on_lattice,
    part_support,
)
from bench.judge.resolution import sampled
from bench.judge.white_balance import find_light, remove_light
from bench.store.pictures import decode_png
from bench.store.run import Run

#: The excess of each binding of an image, by ``excess_<place>``.
Excess = list[dict[str, float]]


class BeyondControl:
    """Answers for one image after the other, in the order of the store.

    Controls are kept small (`bench.judge.places.Picture`); of other images none is.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        options = next((one.options for one in run.manifest.scorers.values()), {})
        self._codes: Mapping[str, str] = dict(options.get("colours", {}))
        self._controls = {
            (row["cell_id"], row["index"]): picture
            for row, picture in _pictures(run, controls=True)
            if picture is not None
        }
        self._images = _pictures(run, controls=False)

    def of(self, sample_id: str) -> Excess:
        """Excess of every binding; empty where the image has no control of its size.

        Images must be asked for in the order of the store; those between are passed over.
        """
        if not self._controls:
            return []
        for row, picture in self._images:
            if row["sample_id"] != sample_id:
                continue
            control = self._controls.get((row["control_id"], row["index"]))
            if picture is None or control is None or control.labels.shape != picture.labels.shape:
                return []
            return [
                self._named(excess(picture, control, colour, self._codes.get(colour)))
                if (colour := binding["colour"])
                else {}
                for binding in row["bindings"]
            ]
        return []

    @staticmethod
    def _named(found: Mapping[str, float]) -> dict[str, float]:
        return {f"excess_{place}": value for place, value in found.items()}


_COLUMNS = ["sample_id", "cell_id", "control_id", "index", "bindings", "image", "invalid"]


def _pictures(run: Run, controls: bool) -> Iterator[tuple[dict[str, Any], Picture | None]]:
    """Rows of the controls, or of the others, each with its picture; None for an invalid one."""
    regions = StoredRegions(run)
    for _, part in run.parts("samples", _COLUMNS):
        is_control = pc.equal(part["cell_id"], part["control_id"])
        for row in part.filter(is_control if controls else pc.invert(is_control)).to_pylist():
            found = regions.take(row["sample_id"])
            image = row.pop("image")["bytes"]
            if found is None or row["invalid"]:
                yield row, None
            else:
                yield row, picture_of(decode_png(image), *found)


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


class StoredRegions:
    """Label maps, read on until that of a sample is found."""

    def __init__(self, run: Run) -> None:
        self._parts = run.parts("regions", ["sample_id", "labels", "neighbours"])
        self._kept: dict[str, tuple[bytes, tuple[str, ...]]] = {}

    def take(self, sample_id: str) -> tuple[np.ndarray, tuple[str, ...]] | None:
        """Labels and names of the neighbours; each sample once, None where there are none."""
        while sample_id not in self._kept:
            following = next(self._parts, None)
            if following is None:
                return None
            for row in following[1].to_pylist():
                self._kept[row["sample_id"]] = (row["labels"], tuple(row["neighbours"]))
        labels, neighbours = self._kept.pop(sample_id)
        return decode_png(labels), neighbours
