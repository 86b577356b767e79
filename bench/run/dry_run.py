"""What a run would take, measured on a few images that are not stored."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.records import Generation, Regions, Score
from bench.run.components import Components, build_components, with_choice
from bench.run.plan import plan_of
from bench.run.progress import clock
from bench.run.run import require_possible
from bench.run.scoring_thread import BATCH, measure
from bench.run.spec import ModelSource, RunSpec, device_names, run_folder
from bench.store.manifest import FILE, read_manifest
from bench.store.paths import is_remote
from bench.store.rows import region_row, sample_row, score_rows
from bench.store.run import Run
from bench.store.schema import REGIONS, SAMPLES, SCORES
from prompts.cells import Sample

#: Images made to see what one takes; a sampler whose batch is larger makes one batch.
PROBE = 8
#: A first pass that was quicker (seconds) is done again: the model is warm then.
QUICK = 5.0


@dataclass(frozen=True)
class Cost:
    """What one image takes.

    Attributes
    ----------
    images : int
        Measured on so many.
    sampling, scoring : float
        Seconds.
    stored : float
        Bytes of its rows, before the Parquet files compress what repeats.
    width, height : int
    memory : float
        Peak of this process so far in GB; NaN where the system does not tell.
    """

    images: int
    sampling: float
    scoring: float
    stored: float
    width: int
    height: int
    memory: float


def forecast(spec: RunSpec) -> str:
    """Tell what a run of a model would take; nothing is stored and no folder is made.

    The time that this takes does not depend on the number of images asked for.
    """
    require_possible(spec)
    source = spec.source
    assert isinstance(source, ModelSource)
    folder, grid = run_folder(spec), source.grid
    components = build_components(with_choice(spec, lambda line: None))
    info = components.sampler.info
    samples = plan_of(spec, info.training).samples
    images = len(samples)
    sampled, finished = _stored(folder)
    left, unscored = max(images - sampled, 0), max(sampled - finished, 0)
    lines = {
        "folder": f"{folder} ({sampled:,} images there)" if sampled else str(folder),
        "model": source.model,
        "grid": f"{grid.name}: {len(grid):,} cells, {grid.seeds:,} images each",
        "images": f"{left:,} to make of {images:,}",
    }
    if info.paid:
        lines["sampling"] = "not tried, since each image may cost money"
        cost = "unknown: --price tells it" if info.price is None else f"{info.price * left:,.2f}"
        return _as_text(lines | {"cost": cost})
    if sys.stderr.isatty():
        print("making a few images to see what one takes", file=sys.stderr)
    cost_of_one = cost_of(components, samples)
    workers = len(device_names(spec.devices)) if spec.devices else spec.workers or 1
    sampling = left * cost_of_one.sampling / workers
    scoring = (left + unscored) * cost_of_one.scoring / workers
    lines["images"] += f", {cost_of_one.width} x {cost_of_one.height}"
    if unscored:
        lines["images"] += f"; {unscored:,} to score again"
    lines |= {
        "segmenter": spec.segmenter,
        "scorers": ", ".join(spec.scorers),
        "sampling": f"{clock(sampling)} ({_rate(cost_of_one.sampling, workers)})",
        "scoring": f"{clock(scoring)} ({_rate(cost_of_one.scoring, workers)})",
        "time": f"{clock(max(sampling, scoring))} where they overlap wholly (sampler on a GPU), "
        f"{clock(sampling + scoring)} on the same cores",
        "memory": _memory(cost_of_one, workers, here=spec.engine == "local"),
        "disk": f"at most {left * cost_of_one.stored / 1e6:,.1f} MB{_free(folder)}",
    }
    if spec.limit is not None:
        lines["limit"] = f"{spec.limit:,} images: the run would not be comparable"
    return _as_text(lines)


def _as_text(lines: Mapping[str, str]) -> str:
    return "".join(f"{name:<10} {value}\n" for name, value in lines.items())


def _memory(cost: Cost, workers: int, here: bool) -> str:
    """Peak of one process, and of all beside what the machine has."""
    one = f"{cost.memory:.2f} GB at the peak of these {cost.images} images"
    if workers > 1:
        one += f", for each of {workers} workers"
    machine = _machine_memory()
    if not here or math.isnan(machine):
        return one
    wanted = workers * cost.memory
    if workers > 1:
        one += f": {wanted:.2f} GB in all"
    one += f"; this machine has {machine:.1f} GB"
    return one + (": too little, name fewer --devices" if wanted > machine else "")


def _machine_memory() -> float:
    """Memory of this machine in GB; NaN where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return math.nan


def cost_of(components: Components, samples: Sequence[Sample]) -> Cost:
    """Make and score a few images, twice where that is quick, and tell what one takes."""
    number = max(components.sampler.info.batch_size or PROBE, PROBE)
    probe = list(samples[:number])
    made, sampling = _timed(lambda: list(components.sampler.sample(probe)))
    (regions, scores), scoring = _timed(lambda: _measured(made, components))
    stored = sum(
        pa.Table.from_pylist(rows, schema=schema).nbytes
        for rows, schema in (
            ([sample_row(one) for one in made], SAMPLES),
            ([region_row(g.sample.id, r) for g, r in zip(made, regions, strict=True)], REGIONS),
            (score_rows(scores), SCORES),
        )
    )
    many = max(len(made), 1)
    height, width = made[0].image.shape[:2] if made else (0, 0)
    return Cost(many, sampling / many, scoring / many, stored / many, width, height, _peak_memory())


def _measured(
    made: Sequence[Generation], components: Components
) -> tuple[list[Regions], list[Score]]:
    regions: list[Regions] = []
    scores: list[Score] = []
    for start in range(0, len(made), BATCH):
        found, values = measure(
            made[start : start + BATCH], components.segmenter, components.scorers
        )
        regions += found
        scores += [score for one in values.values() for score in one]
    return regions, scores


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Call once to warm up, and again unless that would take long."""
    start = time.monotonic()
    value = call()
    seconds = time.monotonic() - start
    if seconds < QUICK:
        start = time.monotonic()
        value = call()
        seconds = time.monotonic() - start
    return value, seconds


def _stored(folder: Path) -> tuple[int, int]:
    """Images there, and how many of them have all their scores."""
    if not (folder / FILE).is_file():
        return 0, 0
    run = Run(folder, read_manifest(folder))
    sampled = run.ids("samples")
    finished = set(sampled)
    for table in run.manifest.tables()[1:]:
        finished &= run.ids(table)
    return len(sampled), len(finished)


def _free(folder: Path) -> str:
    if is_remote(folder):
        return ""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    return f"; {shutil.disk_usage(existing).free / 1e9:,.1f} GB free"


def _rate(seconds: float, workers: int) -> str:
    said = f"{workers / max(seconds, 1e-9):,.1f} images/s"
    return f"{said} of {workers} workers, were each as fast alone" if workers > 1 else said


def _peak_memory() -> float:
    """Peak resident memory of this process in GB."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
