"""Values of a run to rows of its tables, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.judge.places import labels_of
from bench.judge.resolution import sampled_regions
from bench.records import Generation, Regions, Score
from bench.store.pictures import decode_png, encode_png
from prompts.cells import Binding, Cell, Sample


def sample_row(generation: Generation) -> dict[str, Any]:
    """Return the row of the samples table for one image."""
    sample = generation.sample
    cell = sample.cell
    height, width = generation.image.shape[:2]
    return {
        "sample_id": sample.id,
        "cell_id": cell.id,
        "text": cell.text,
        "template": cell.template,
        "control_id": cell.control_id,
        "bindings": [_binding_row(binding) for binding in cell.bindings],
        "scenery": [_binding_row(binding) for binding in cell.scenery],
        "tags": sorted(cell.tags),
        "index": sample.index,
        "seed": sample.seed,
        "image": _picture(generation.image, generation.source, generation.png),
        "frames": _film(generation.frames),
        "width": width,
        "height": height,
        "invalid": generation.invalid,
        "seconds": generation.seconds,
        "conditional": _film(generation.conditional),
    }


def region_row(sample_id: str, regions: Regions) -> dict[str, Any]:
    """Return the row of the regions table for one image."""
    return {
        "sample_id": sample_id,
        "segmenter": regions.segmenter,
        "labels": encode_png(labels_of(sampled_regions(regions))),
        "found": [float(value) for value in regions.found],
        "neighbours": list(regions.neighbours),
    }


def score_rows(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Rows of the scores table of one scorer."""
    return [
        {
            "sample_id": score.sample_id,
            "binding": score.binding,
            "metric": score.metric,
            "value": score.value,
            "reason": score.reason,
        }
        for score in scores
    ]


def trajectory_rows(scores: Iterable[Score], step: int, noise: float) -> list[dict[str, Any]]:
    """Rows of the trajectory table for one frame of one or more images."""
    return [{**row, "step": step, "noise": noise} for row in score_rows(scores)]


def cell_from(row: Mapping[str, Any]) -> Cell:
    """Return the cell of a row of the samples table."""
    return Cell(
        id=row["cell_id"],
        text=row["text"],
        bindings=tuple(Binding(item["colour"], item["subject"]) for item in row["bindings"]),
        template=row["template"],
        control_id=row["control_id"],
        scenery=tuple(Binding(item["colour"], item["subject"]) for item in row["scenery"]),
        tags=frozenset(row["tags"]),
    )


def generation_from(row: Mapping[str, Any]) -> Generation:
    """Return the image of a row of the samples table, as the sampler made it."""
    sample = Sample(cell_from(row), row["index"])
    where = f"sample {row['sample_id']}"
    image = decode_png(row["image"]["bytes"], where)
    frames, conditional = (_frames(row[name], where) for name in ("frames", "conditional"))
    return Generation(
        sample, image, row["seconds"], frames, row["invalid"], conditional=conditional
    )


def _frames(pictures: Sequence[Mapping[str, Any]] | None, where: str) -> np.ndarray | None:
    if not pictures:
        return None
    return np.stack([decode_png(one["bytes"], where) for one in pictures])


def _film(frames: np.ndarray | None) -> list[dict[str, bytes | str | None]] | None:
    return None if frames is None else [_picture(frame) for frame in frames]


def _picture(
    image: np.ndarray, path: str | None = None, png: bytes | None = None
) -> dict[str, bytes | str | None]:
    return {"bytes": png or encode_png(image), "path": path}


def _binding_row(binding: Binding) -> dict[str, str | None]:
    return {"colour": binding.colour, "subject": binding.subject}
