"""From the scores of a run to its verdicts and estimates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.judge.readings import DISTANCE, disagreements, leak_excess, nearest_kind, observed
from bench.judge.verdict import judge
from bench.records import Estimate
from bench.run.accumulation import accumulation_rows
from bench.run.beyond_control import BeyondControl, Excess
from bench.run.trajectory import arrival_estimates
from bench.statistics.metrics import OUTSIDE
from bench.statistics.tabulate import tabulate
from bench.store import derived
from bench.store.run import Run
from bench.store.score_reader import Scored, scored_images
from prompts.cells import NO_CONTROL

#: Rows handed to the file at once.
BATCH = 4096


def derive(run: Run, excess: Mapping[str, Excess] | None = None) -> list[Estimate]:
    """Judge every scored image of a run and estimate; writes the derived files.

    Parameters
    ----------
    run : Run
    excess : mapping of str to list, optional
        What is known of images beyond their controls, by sample; the rest is read from the store.

    Raises
    ------
    StoreError
        A damaged part, or a folder that cannot be written.
    """
    derived.write_verdicts(run, _batches(verdict_rows(run, excess)))
    if run.manifest.kept:
        derived.write_accumulation(run, _batches(accumulation_rows(run)))
    # In an order of its own: sums of floats would tell in which order the images were made.
    verdicts = derived.read_verdicts(run).sort_values(["sample_id", "binding"], ignore_index=True)
    estimates = tabulate(verdicts) + arrival_estimates(run, verdicts)
    derived.write_estimates(run, estimates)
    return estimates


def current_estimates(run: Run) -> list[Estimate]:
    """Return the estimates of a run, made again where its parts have changed since."""
    return derived.read_estimates(run) if derived.are_current(run) else derive(run)


def verdict_rows(run: Run, excess: Mapping[str, Excess] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of the verdict table. Controls have none; an image waits until its control is read.

    One pass: of the controls a few numbers are kept, and next to nothing waits, as the engine makes
    an image soon after its control.
    """
    beyond = BeyondControl(run, excess)
    controls: dict[tuple[str, int], list[tuple[tuple[str, ...], np.ndarray]]] = {}
    names: dict[tuple[str, ...], tuple[str, ...]] = {}
    waiting: dict[tuple[str, int], list[Scored]] = {}
    for image in scored_images(run):
        if image.is_control:
            place = (image.cell.id, image.index)
            controls[place] = [
                (names.setdefault(tuple(one), tuple(one)), np.array([*one.values()]))
                for one in image.metrics
            ]
            for other in waiting.pop(place, ()):
                yield from judged(other, image.metrics)
            continue
        if more_of := beyond.of(image.sample_id):
            both = zip(image.metrics, more_of, strict=True)
            image = replace(image, metrics=tuple({**one, **more} for one, more in both))
        place = (image.cell.control_id, image.index)
        if kept := controls.get(place):
            control = [dict(zip(keys, row.tolist(), strict=True)) for keys, row in kept]
            yield from judged(image, control)
        elif image.cell.control_id == NO_CONTROL:
            yield from judged(image, None)
        else:
            waiting.setdefault(place, []).append(image)
    for images in waiting.values():
        for image in images:
            yield from judged(image, None)


def judged(
    image: Scored, control: Sequence[Mapping[str, float]] | None
) -> Iterator[dict[str, Any]]:
    """Rows of the verdict table for one image, one a binding that asks for a colour."""
    cell = image.cell
    verdicts = judge(cell, image.sample_id, image.metrics, control, invalid=image.invalid)
    for verdict in verdicts:
        number = verdict.binding
        binding = cell.bindings[number]
        metrics = image.metrics[number]
        base = control[number] if control is not None and number < len(control) else None
        row: dict[str, Any] = {
            "sample_id": image.sample_id,
            "cell_id": cell.id,
            "binding": number,
            "colour": binding.colour,
            "subject": binding.subject,
            "template": cell.template,
            "tags": sorted(cell.tags),
            "index": image.index,
            "verdict": verdict.verdict,
            "rule": verdict.rule,
            "value": verdict.value,
            "threshold": verdict.threshold,
            "words": verdict.words,
        }
        row |= {name: metrics.get(name, math.nan) for name in derived.VERDICT_METRICS}
        row["leak_excess"] = leak_excess(binding, metrics, base)
        row |= disagreements(verdict.verdict, metrics)
        row["observed"] = observed(metrics) or None
        row[OUTSIDE] = math.nan if math.isnan(row[DISTANCE]) else float(row[DISTANCE] > 1.0)
        row["nearest_kind"] = nearest_kind(metrics) or None
        yield row


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
