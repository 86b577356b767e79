"""The photoreal test set as what a scorer sees: images, cells, exact regions and true verdicts.

Path-traced scenes that `reference_models.photoreal` made and that come with the package: shapes,
surfaces and lights that nothing here was trained on. ``scenes.jsonl`` says what each shows; the
masks hold the values of `reference_models.photoreal.scene`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.certificate.scenes import Answer
from bench.errors import BenchError
from bench.records import Generation, Regions
from prompts.cells import Binding, Cell, Sample
from prompts.subjects import SUBJECTS

FOLDER = Path(__file__).parent / "photoreal_set"
#: Values of the masks: wall, support, plate, frame; then body and details of each thing in turn.
_SUPPORT, _PLATE, _FRAME, _FIRST = 1, 2, 3, 4
#: Scenes in memory at a time.
_TOGETHER = 24


@lru_cache(maxsize=2)
def scenes(folder: Path = FOLDER) -> tuple[dict[str, Any], ...]:
    """Records of a set, the test set by default, in the order of their numbers, verdicts in turn.

    Raises
    ------
    BenchError
        The folder has no set.
    """
    path = folder / "scenes.jsonl"
    if not path.is_file():
        raise BenchError(
            f"no {path}; expected what reference_models.photoreal.generate wrote, or for the test "
            "set: reinstall the package"
        )
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(sorted(records, key=lambda record: record["number"]))


def photoreal_batches(n: int, first: int = 0, folder: Path = FOLDER) -> Iterator[list[Answer]]:
    """Scenes from ``first`` on, ``n`` of them or as many as there are, a batch at a time."""
    chosen = scenes(folder)[first : first + n]
    for start in range(0, len(chosen), _TOGETHER):
        yield [_answer(record, folder) for record in chosen[start : start + _TOGETHER]]


def verdict_of(record: dict[str, Any]) -> str:
    """The verdict that the rules give the scene.

    A thing in its natural colour is ``prior`` where the suite knows the colour; of any other noun
    only a control picture could tell, and the scenes have none: it is ``wrong``.
    """
    verdict = str(record["verdict"])
    known = SUBJECTS.get(record["asked"][0][1])
    return "wrong" if verdict == "prior" and not (known and known.canonical) else verdict


def _read(record: dict[str, Any], folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """A picture, uint8 (H, W, 3), and its mask of labels, uint8 (H, W)."""
    number = record["number"]
    with Image.open(folder / f"{number:05d}.jpg") as file:
        picture = np.array(file.convert("RGB"))
    with Image.open(folder / f"{number:05d}.png") as file:
        return picture, np.array(file)


def details_of(record: dict[str, Any], folder: Path) -> Iterator[tuple[str, int, np.ndarray]]:
    """For each thing of a scene its noun, its pixels, and those of its details, uint8 (N, 3)."""
    picture, labels = _read(record, folder)
    for k, one in enumerate(record["drawn"]):
        body, detail = labels == _FIRST + 2 * k, labels == _FIRST + 2 * k + 1
        yield str(one["name"]), int(body.sum() + detail.sum()), picture[detail]


def _answer(record: dict[str, Any], folder: Path) -> Answer:
    picture, labels = _read(record, folder)
    number = record["number"]
    asked = [(str(colour), str(noun)) for colour, noun in record["asked"]]
    drawn = record["drawn"]
    regions = regions_of(labels, [noun for _, noun in asked], [one["name"] for one in drawn])
    first_thing = (labels == _FIRST) | (labels == _FIRST + 1)
    painted = 0.0
    if drawn and (drawn[0]["colour"], drawn[0]["name"]) == asked[0] and first_thing.any():
        painted = float(record["share"] * (labels == _FIRST).sum() / first_thing.sum())
    sample = Sample(cell_of(asked), number)
    return Answer(Generation(sample, picture), regions, (verdict_of(record),) * len(asked), painted)


def cell_of(requested: list[tuple[str, str]]) -> Cell:
    """The cell that asks for some nouns in colours."""
    bindings = tuple(Binding(colour, noun) for colour, noun in requested)
    text = " and ".join(f"a {colour} {noun}" for colour, noun in requested)
    slug = "/".join(f"{colour}/{noun}" for colour, noun in requested)
    kind = "single" if len(bindings) == 1 else "pair"
    control = "control/" + "/".join(noun for _, noun in requested)
    return Cell(f"{kind}/{slug}", text, bindings, kind, control, (), frozenset({kind}))


def regions_of(labels: np.ndarray, requested: list[str], drawn: list[str]) -> Regions:
    """Exact regions of a mask of labels, uint8 (H, W).

    What was asked for and not drawn has an empty mask; what was drawn and not asked for is
    ``other``.
    """
    things = [
        (labels == _FIRST + 2 * k) | (labels == _FIRST + 2 * k + 1) for k in range(len(drawn))
    ]
    nothing = np.zeros(labels.shape, bool)
    masks = [things[drawn.index(noun)] if noun in drawn else nothing for noun in requested]
    others = [thing for thing, name in zip(things, drawn, strict=True) if name not in requested]
    beside = {
        "other": np.logical_or.reduce(others) if others else nothing,
        "plate": labels == _PLATE,
        "picture frame": labels == _FRAME,
    }
    there = {name: mask for name, mask in beside.items() if mask.any()}
    neighbours = np.zeros((len(there), *labels.shape), np.float32)
    for row, mask in enumerate(there.values()):
        neighbours[row] = mask
    support = (labels == _SUPPORT).astype(np.float32)
    return Regions(
        subjects=tuple(requested),
        masks=np.stack(masks).astype(np.float32),
        found=np.array([noun in drawn for noun in requested], np.float32),
        neighbours=tuple(there),
        neighbour_masks=neighbours,
        background=(labels <= _SUPPORT).astype(np.float32),
        segmenter="exact",
        support=support,
    )
