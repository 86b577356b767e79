"""What the colour word added, step by step, from the stored frames of a run and of its controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.judge.accumulation import accumulated, masks_of
from bench.judge.excess import excess
from bench.judge.placed import placed
from bench.judge.places import PLACES, Picture, on_lattice
from bench.judge.resolution import sampled
from bench.judge.white_balance import remove_light
from bench.run.beyond_control import StoredRegions
from bench.store.pictures import decode_png
from bench.store.run import Run

#: Longest side at which frames are read, pixels: means over places need no more.
SIDE = 64
#: The column of the samples table that has the frames of a prediction, where two are kept.
_COLUMNS = ("frames", "conditional")

Place = tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class StoredFilm:
    """An image with its frames, small.

    Attributes
    ----------
    picture : Picture
        The final one, the light removed, with its regions.
    plain : ndarray, uint8, (h, w, 3)
        The final one as it is.
    light : ndarray or None
        What was removed.
    frames : mapping of str to ndarray, uint8, (T, h, w, 3)
        As they are, by prediction.
    """

    picture: Picture
    plain: np.ndarray
    light: np.ndarray | None
    frames: Mapping[str, np.ndarray]


def accumulation_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Rows of the accumulation table (docs/trajectory.md), in the order of the store.

    A control is kept until the last of its images is measured, an image that comes before its
    control until that comes.
    """
    if not run.manifest.kept:
        return
    options = next((one.options for one in run.manifest.scorers.values()), {})
    codes: Mapping[str, str] = dict(options.get("colours", {}))
    due: Counter[Place] = Counter()
    for _, part in run.parts("samples", ["cell_id", "control_id", "index"]):
        due.update(
            (row["control_id"], row["index"])
            for row in part.to_pylist()
            if row["cell_id"] != row["control_id"]
        )
    controls: dict[Place, StoredFilm | None] = {}
    waiting: dict[Place, list[tuple[dict[str, Any], StoredFilm | None]]] = {}
    for row, film in _films(run, due):
        own: Place = (row["cell_id"], row["index"])
        if row["cell_id"] == row["control_id"]:
            controls[own] = film
            ready = waiting.pop(own, [])
        else:
            own = (row["control_id"], row["index"])
            if own not in controls:
                waiting.setdefault(own, []).append((row, film))
                continue
            ready = [(row, film)]
        for image, kept in ready:
            yield from _rows(image, kept, controls[own], codes)
        due[own] -= len(ready)
        if due[own] <= 0:
            controls.pop(own, None)


def _rows(
    row: Mapping[str, Any],
    film: StoredFilm | None,
    control: StoredFilm | None,
    codes: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    if film is None or control is None or film.plain.shape != control.plain.shape:
        return
    for number, binding in enumerate(row["bindings"]):
        colour = binding["colour"]
        if colour is None:
            continue
        masks = masks_of(film.picture, number)
        for prediction, frames in film.frames.items():
            base = control.frames.get(prediction)
            if base is None or base.shape != frames.shape:
                continue
            beyond = _beyond(film, control, prediction, colour, codes.get(colour))
            added = {
                one.place: one
                for one in accumulated(
                    frames, base, masks, codes.get(colour, colour), control.plain
                )
            }
            for place in masks:
                one = added.get(place)
                yield {
                    "sample_id": row["sample_id"],
                    "binding": number,
                    "prediction": prediction,
                    "place": place,
                    "share": float(masks[place].mean()),
                    "distance": None if one is None else one.distance,
                    "added": None if one is None else one.steps.tolist(),
                    "beyond": beyond.get(place),
                }


def _beyond(
    film: StoredFilm, control: StoredFilm, prediction: str, colour: str, code: str | None
) -> dict[str, list[float]]:
    """Leak into each place at each step, as the verdicts measure it on the final picture."""
    found = []
    for frame, base in zip(film.frames[prediction], control.frames[prediction], strict=True):
        picture, beside = (
            Picture(
                frame if one.light is None else remove_light(frame, one.light),
                one.picture.labels,
                one.picture.neighbours,
            )
            for frame, one in ((frame, film), (base, control))
        )
        found.append(excess(picture, beside, colour, code))
    return {
        place: [step[place] for step in found]
        for place in PLACES
        if all(place in step for step in found)
    }


def _films(
    run: Run, due: Mapping[Place, int]
) -> Iterator[tuple[dict[str, Any], StoredFilm | None]]:
    """Rows of the samples with their films; a control of which no image is due has none."""
    regions = StoredRegions(run)
    kept = run.manifest.kept
    columns = ["sample_id", "cell_id", "control_id", "index", "bindings", "image", "invalid"]
    for _, part in run.parts("samples", [*columns, *_COLUMNS[: len(kept)]]):
        for row in part.to_pylist():
            found = regions.take(row["sample_id"])
            image = row.pop("image")["bytes"]
            films = [row.pop(name) for name in _COLUMNS[: len(kept)]]
            unused = row["cell_id"] == row["control_id"] and not due.get(
                (row["cell_id"], row["index"])
            )
            if found is None or row["invalid"] or unused or not films[0]:
                yield row, None
                continue
            ((picture, light),) = placed([(decode_png(image), *found)])
            step = -(-max(picture.labels.shape) // SIDE)
            smaller = Picture(
                np.ascontiguousarray(picture.byte[::step, ::step]),
                np.ascontiguousarray(picture.labels[::step, ::step]),
                picture.neighbours,
            )
            frames = {
                name: np.stack([_small(decode_png(frame["bytes"]), step) for frame in film])
                for name, film in zip(kept, films, strict=True)
                if film
            }
            yield row, StoredFilm(smaller, _small(decode_png(image), step), light, frames)


def _small(image: np.ndarray, step: int) -> np.ndarray:
    return np.ascontiguousarray(on_lattice(sampled(image))[::step, ::step])
