"""Pictures of a trained network, judged by the suite's own judge without a run's folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from bench.judge.excess import excess
from bench.judge.placed import picture_of
from bench.judge.places import Picture, labels_of
from bench.judge.regions.auto import AutoSegmenter
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.validity import examined
from bench.records import Generation, Score
from bench.run.derive import judged
from bench.run.scoring_thread import BATCH, measure
from bench.store.score_reader import Scored
from prompts import build_grid
from prompts.cells import Cell, Sample
from prompts.grid import unique
from reference_models.study.factors import Condition, Sampling

#: Prompts whose pictures are kept for looking at.
SHOWN = (
    "a blue potato",
    "a pink potato",
    "a green balloon",
    "a gray hat",
    "a blue umbrella",
    "a purple pear",
    "a red frog",
    "a green sandwich",
    "a blue pig and a green orange",
    "a green tire and a red chair",
    "an orange banana and a red apple",
    "a potato",
)


@cache
def cells_of(pairs: bool) -> tuple[Cell, ...]:
    """The grid ``default``, with the grid ``pairs`` where these are asked for."""
    default = build_grid("default").cells
    return unique((*default, *build_grid("pairs").cells)) if pairs else default


@cache
def loaded_judge() -> tuple[AutoSegmenter, dict[str, SegmentationScorer]]:
    """The segmenter and the scorer of the suite."""
    return AutoSegmenter(), {"segmentation": SegmentationScorer()}


def verdicts_of(cells: Sequence[Cell], pictures: np.ndarray) -> dict[str, list[list[str]]]:
    """What became of every binding.

    Returns
    -------
    dict of str to list
        By the id of each cell that asks for a colour, a row a binding: the verdict, and the place
        that the colour was measured on (empty where the rule is of no place).
    """
    metrics: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    generations = [
        examined(Generation(Sample(cell, 0), picture))
        for cell, picture in zip(cells, pictures, strict=True)
    ]
    small: dict[str, Picture] = {}
    segmenter, scorers = loaded_judge()
    for start in range(0, len(generations), BATCH):
        part = generations[start : start + BATCH]
        regions, scores = measure(part, segmenter, scorers)
        for one in scores["segmentation"]:
            _take(metrics, one)
        for generation, found in zip(part, regions, strict=True):
            if not generation.invalid:
                small[generation.sample.cell.id] = picture_of(
                    generation.image, labels_of(found), found.neighbours
                )
    by_cell = {g.sample.cell.id: _scored(g, metrics) for g in generations}
    return {
        cell.id: [_row(row) for row in _judged(cell, by_cell, small)]
        for cell in cells
        if any(binding.colour is not None for binding in cell.bindings)
    }


def _take(metrics: dict[tuple[str, int], dict[str, float]], score: Score) -> None:
    metrics[score.sample_id, score.binding][score.metric] = score.value


def _scored(generation: Generation, metrics: Mapping[tuple[str, int], dict[str, float]]) -> Scored:
    sample = generation.sample
    own = tuple(metrics.get((sample.id, number), {}) for number in range(len(sample.cell.bindings)))
    return Scored(sample.cell, sample.id, sample.index, generation.invalid or "", own)


def _judged(
    cell: Cell, by_cell: Mapping[str, Scored], small: Mapping[str, Picture]
) -> list[dict[str, Any]]:
    """Verdict rows of an image, from its metrics and its leak by place beyond the control."""
    image, control = by_cell[cell.id], by_cell.get(cell.control_id)
    found: list[dict[str, float]] = [{} for _ in cell.bindings]
    if cell.id in small and cell.control_id in small:
        for number, binding in enumerate(cell.bindings):
            if binding.colour is not None:
                found[number] = excess(small[cell.id], small[cell.control_id], binding.colour)
    own = tuple(
        {**one, **{f"excess_{place}": value for place, value in more.items()}}
        for one, more in zip(image.metrics, found, strict=True)
    )
    whole = Scored(image.cell, image.sample_id, image.index, image.invalid, own)
    return list(judged(whole, control.metrics if control is not None else None))


def _row(row: Mapping[str, Any]) -> list[str]:
    rule = str(row["rule"])
    return [row["verdict"], rule.rpartition("leak_")[2] if "leak_" in rule else ""]


def line_of(condition: Condition, sampling: Sampling, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Counts for a person who reads along: shares of verdicts among judged singles and pairs."""
    counts: dict[str, dict[str, int]] = {"single": {}, "scene": {}, "pair": {}}
    for cell, bindings in rows.items():
        kind = cell.partition("/")[0]
        group = counts[kind if kind in counts else "scene"]
        for binding in bindings:
            group[binding[0]] = group.get(binding[0], 0) + 1
    return {"condition": condition.name, "sampling": sampling.name, "counts": counts}
