"""The rendered world's known scenes as what a scorer sees: images, cells and exact regions.

One of the few modules of `bench` that look into `reference_models`: the judge is judged here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from bench.records import Generation, Regions
from prompts.cells import Sample
from prompts.subjects import SUBJECT_NAMES
from reference_models.world.known import Known, known_scenes
from reference_models.world.render import Rendered


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A scene and what is known of it.

    Attributes
    ----------
    generation : Generation
        The picture, as if a model had made it for the cell.
    regions : Regions
        Exact masks.
    verdicts : tuple of str
        What the judge must say of each binding.
    painted : float
        Share of the first subject's whole area, stems and windows included, that wears the asked
        colour.
    """

    generation: Generation
    regions: Regions
    verdicts: tuple[str, ...]
    painted: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is done to the scenes before they are judged.

    Attributes
    ----------
    size : int
        Pixels a side.
    light : (float, float)
        Range of the light's brightness.
    cast : float
        Largest relative change of a colour channel.
    jpeg : int or None
        JPEG quality, None for no compression.
    scale : (float, float)
        Range of the factor on the size of the subjects.
    clutter : float
        Chance of a plate, and above 0.3 of a picture frame, of some other colour.
    """

    size: int = 64
    light: tuple[float, float] = (0.95, 1.03)
    cast: float = 0.0
    jpeg: int | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    clutter: float = 0.3


PLAIN = Conditions()


#: Pixels that are drawn at a time.
_PIXELS = 1 << 22


def known_answers(n: int, seed: int, conditions: Conditions = PLAIN) -> list[Answer]:
    """Draw ``n`` known scenes, all verdicts and colours in turn."""
    return [answer for batch in known_batches(n, seed, conditions) for answer in batch]


def known_batches(n: int, seed: int, conditions: Conditions = PLAIN) -> Iterator[list[Answer]]:
    """Draw the same scenes in batches, so that large ones need not all be in memory."""
    generator = torch.Generator().manual_seed(seed)
    known = known_scenes(
        n,
        generator,
        light=conditions.light,
        cast=conditions.cast,
        scale=conditions.scale,
        clutter=conditions.clutter,
    )
    yield from answers_of(known, conditions)


def answers_of(known: Known, conditions: Conditions) -> Iterator[list[Answer]]:
    """Draw decided scenes, in batches, at the size and the quality of the conditions."""
    batch = max(1, _PIXELS // conditions.size**2)
    for start in range(0, len(known.cells), batch):
        part = known[start : start + batch]
        rendered = part.draw(conditions.size)
        pictures = (rendered.image * 255).round().byte().permute(0, 2, 3, 1).numpy()
        yield [
            _answer(part, rendered, row, start, compressed(picture, conditions.jpeg))
            for row, picture in enumerate(pictures)
        ]


def _answer(known: Known, rendered: Rendered, row: int, start: int, picture: np.ndarray) -> Answer:
    sample = Sample(known.cells[row], start + row)
    area = float(rendered.subjects[row, 0].sum())
    coloured = float(rendered.bodies[row, 0].sum()) / area if area else 0.0
    return Answer(
        Generation(sample, picture),
        exact_regions(known, rendered, row),
        known.verdicts[row],
        float(known.painted[row]) * coloured,
    )


def exact_regions(known: Known, rendered: Rendered, row: int) -> Regions:
    """Regions of one known scene from its exact masks.

    A subject that was asked for and not drawn has an empty mask; one that was drawn and not asked
    for is a neighbour called ``other``.
    """
    bindings = known.cells[row].bindings
    drawn = known.scenes.subject[row].tolist()
    size = rendered.image.shape[-1]
    masks, found, used = [], [], set()
    for binding in bindings:
        index = SUBJECT_NAMES.index(binding.subject)
        place = next((p for p, s in enumerate(drawn) if s == index and p not in used), None)
        if place is None:
            masks.append(torch.zeros(size, size))
            found.append(0.0)
        else:
            used.add(place)
            masks.append(rendered.subjects[row, place])
            found.append(1.0)
    neighbours = {
        "other": rendered.subjects[row, [p for p in range(2) if p not in used]].sum(0),
        "plate": rendered.plate[row],
        "picture frame": rendered.frame[row],
    }
    there = {name: mask for name, mask in neighbours.items() if float(mask.max()) > 0}
    stacked = torch.stack(list(there.values())) if there else torch.zeros(0, size, size)
    return Regions(
        tuple(binding.subject for binding in bindings),
        torch.stack(masks).numpy(),
        np.array(found, np.float32),
        tuple(there),
        stacked.numpy(),
        (rendered.wall[row] + rendered.table[row]).numpy(),
        "exact",
    )


def compressed(picture: np.ndarray, quality: int | None) -> np.ndarray:
    """The picture as a JPEG of a quality gives it back; itself for None."""
    if quality is None:
        return picture
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer).convert("RGB"))
