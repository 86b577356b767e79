"""Leaks beyond the control at the same pixels: while a run is made, or from what it has stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.judge.excess import excess
from bench.judge.placed import picture_of, placed
from bench.judge.places import Picture, clear_of, labels_of
from bench.judge.resolution import sampled_regions
from bench.records import Regions
from bench.store.pictures import decode_png
from bench.store.run import Run
from prompts.cells import Binding

#: The excess of each binding of an image, by ``excess_<place>``.
Excess = list[dict[str, float]]

#: An image, its control, and what was asked for.
_Pair = tuple[Picture | None, Picture | None, Sequence[Binding]]
#: Images that wait for their control while a run is made, and controls that are kept for images to
#: come, which come soon after; what is lost by it is read again.
MOST_WAITING = MOST_CONTROLS = 2048


class SeenImage(NamedTuple):
    """An image in the small form in which it is held against its control.

    Attributes
    ----------
    sample_id : str
    place : tuple of str and int
        Its control and its index.
    bindings : sequence of Binding, or None
        None of a control.
    picture : Picture or None
        None of one that is void.
    """

    sample_id: str
    place: tuple[str, int]
    bindings: Sequence[Binding] | None
    picture: Picture | None = None


def seen_images(
    images: Sequence[SeenImage], pixels: Sequence[np.ndarray | None], regions: Sequence[Regions]
) -> list[SeenImage]:
    """Images with their small forms, from pictures uint8 (H, W, 3); of a void one there is none."""
    valid = [
        (image, labels_of(sampled_regions(its)), tuple(its.neighbours))
        for image, its in zip(pixels, regions, strict=True)
        if image is not None
    ]
    pictures = iter(placed(valid))
    return [
        one if image is None else one._replace(picture=next(pictures)[0])
        for one, image in zip(images, pixels, strict=True)
    ]


class ExcessInRun:
    """What the images of a run have beyond their controls, told while they are in memory.

    Parameters
    ----------
    run : Run
    whole : bool
        Whether every image of the run comes by here.

    Attributes
    ----------
    found : dict of str to list
        `Excess` by sample.
    """

    def __init__(self, run: Run, whole: bool) -> None:
        self.found: dict[str, Excess] = {}
        self._codes, self._whole = _codes(run), whole
        self._controls: dict[tuple[str, int], Picture | None] = {}
        self._waiting: dict[tuple[str, int], list[SeenImage]] = {}
        self._gone: set[tuple[str, int]] = set()

    def add(self, seen: Sequence[SeenImage]) -> None:
        """Take in some images, each before or after its control."""
        for one in seen:
            if one.bindings is None:
                self._controls[one.place] = one.picture
        ready: list[SeenImage] = []
        for one in seen:
            if one.bindings is None:
                ready += self._waiting.pop(one.place, ())
            elif one.place in self._controls:
                ready.append(one)
            elif one.place not in self._gone:
                self._waiting.setdefault(one.place, []).append(one)
        pairs = [(one.picture, self._controls[one.place], one.bindings or ()) for one in ready]
        found = excesses(pairs, self._codes)
        self.found.update(zip((one.sample_id for one in ready), found, strict=True))
        for place in list(self._controls)[:-MOST_CONTROLS]:
            self._gone.add(place)
            del self._controls[place]
        if sum(map(len, self._waiting.values())) > MOST_WAITING:
            self._waiting.clear()
            self._whole = False

    def close(self) -> dict[str, Excess]:
        """All that was found; nothing of an image whose control the run does not have."""
        if self._whole:
            self.found.update({one.sample_id: [] for one in self.waiting()})
        return self.found

    def waiting(self) -> list[SeenImage]:
        """Images whose control has not come."""
        return [one for images in self._waiting.values() for one in images]


def _codes(run: Run) -> Mapping[str, str]:
    options = next((one.options for one in run.manifest.scorers.values()), {})
    return dict(options.get("colours", {}))


def excesses(pairs: Sequence[_Pair], codes: Mapping[str, str]) -> list[Excess]:
    """Excess of images beyond their controls; empty without a picture, or a control of its size.

    Parameters
    ----------
    pairs : sequence of tuple
        Pictures of any sizes, their controls, and their bindings.
    codes : mapping of str to str
        Codes of colours that the user named.
    """
    found: list[Excess] = [[] for _ in pairs]
    # The bands around outlines of many pictures take hardly longer than those of one.
    sizes: dict[tuple[int, ...], list[tuple[int, Picture, Picture, Sequence[Binding]]]] = {}
    for number, (picture, control, bindings) in enumerate(pairs):
        if picture is None or control is None or control.labels.shape != picture.labels.shape:
            continue
        of_size = sizes.setdefault(picture.labels.shape, [])
        of_size.append((number, picture, control, bindings))
    for alike in sizes.values():
        clear = clear_of(np.stack([picture.labels for _, picture, *_ in alike]))
        for (number, picture, control, bindings), off in zip(alike, clear, strict=True):
            found[number] = _excess(picture, control, bindings, codes, off)
    return found


def _excess(
    picture: Picture,
    control: Picture,
    bindings: Sequence[Binding],
    codes: Mapping[str, str],
    clear: np.ndarray,
) -> Excess:
    return [
        {
            f"excess_{place}": value
            for place, value in excess(
                picture, control, one.colour, codes.get(one.colour), clear
            ).items()
        }
        if one.colour
        else {}
        for one in bindings
    ]


class BeyondControl:
    """Answers for one image after the other, in the order of the store.

    Controls are kept small (`bench.judge.places.Picture`); of other images none is.

    Parameters
    ----------
    run : Run
    found : mapping of str to list, optional
        What is known already, of `ExcessInRun`. Pictures of other images alone, and of their
        controls, are decoded.
    """

    def __init__(self, run: Run, found: Mapping[str, Excess] | None = None) -> None:
        self._run, self._found, self._codes = run, found or {}, _codes(run)
        self._images: Iterator[tuple[dict[str, Any], Picture | None]] | None = None
        self._controls: dict[tuple[str, int], Picture] = {}

    def of(self, sample_id: str) -> Excess:
        """Excess of every binding; empty where the image has no control of its size.

        Images must be asked for in the order of the store; those between are passed over.
        """
        if sample_id in self._found:
            return self._found[sample_id]
        if self._images is None:
            self._images = self._unknown()
        for row, picture in self._images if self._controls else ():
            if row["sample_id"] == sample_id:
                control = self._controls.get((row["control_id"], row["index"]))
                bindings = [Binding(one["colour"], one["subject"]) for one in row["bindings"]]
                return excesses([(picture, control, bindings)], self._codes)[0]
        return []

    def _unknown(self) -> Iterator[tuple[dict[str, Any], Picture | None]]:
        """Read the controls of the images that are not known; the images are yielded then."""
        controls: dict[tuple[str, int], str] = {}
        unknown: dict[str, tuple[str, int]] = {}
        for _, part in self._run.parts("samples", ["sample_id", "cell_id", "control_id", "index"]):
            for row in part.to_pylist():
                place = (row["control_id"], row["index"])
                if row["cell_id"] == row["control_id"]:
                    controls[place] = row["sample_id"]
                elif row["sample_id"] not in self._found:
                    unknown[row["sample_id"]] = place
        wanted = {controls[place] for place in unknown.values() if place in controls}
        self._controls = {
            (row["cell_id"], row["index"]): picture
            for row, picture in _pictures(self._run, wanted)
            if picture is not None
        }
        return _pictures(self._run, unknown)


_COLUMNS = ["sample_id", "cell_id", "control_id", "index", "bindings", "image", "invalid"]


def _pictures(run: Run, wanted: Collection[str]) -> Iterator[tuple[dict[str, Any], Picture | None]]:
    """Rows of some images, each with its picture; None for an invalid one."""
    regions = StoredRegions(run)
    ids = pa.array(sorted(wanted), pa.string())
    for _, part in run.parts("samples", _COLUMNS) if len(ids) else ():
        for row in part.filter(pc.is_in(part["sample_id"], ids)).to_pylist():
            found = regions.take(row["sample_id"])
            image = row.pop("image")["bytes"]
            if found is None or row["invalid"]:
                yield row, None
            else:
                yield row, picture_of(decode_png(image), *found)


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
