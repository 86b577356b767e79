"""The scorers alone, on the pictures of a run: seconds as a run scores what it has, and by part."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from bench.run.components import build, build_scorers
from bench.run.scoring_thread import BATCH, measure, side_by_side
from bench.store.run import Run

SCORERS = ("segmentation", "clip")


def main() -> None:
    """Score what is stored, and print seconds by part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    run = Run(parser.parse_args().run)
    segmenter = build("segmenter", "auto", {})
    scorers = build_scorers(SCORERS, {})
    seconds = dict.fromkeys(("segmenter", *scorers), 0.0)
    # All are in memory: what reading costs is not asked here.
    batches = list(run.generations(run.ids("samples"), BATCH))
    measure(batches[0], segmenter, scorers)
    begun = time.perf_counter()
    for _, found in side_by_side(lambda batch: measure(batch, segmenter, scorers), batches):
        found.result()
    together = time.perf_counter() - begun
    for generations in batches:
        pictures = [generation.image for generation in generations]
        cells = [generation.sample.cell for generation in generations]
        start = time.perf_counter()
        regions = segmenter.segment(pictures, cells)
        seconds["segmenter"] += time.perf_counter() - start
        for name, scorer in scorers.items():
            start = time.perf_counter()
            scorer.score(generations, regions)
            seconds[name] += time.perf_counter() - start
    images = sum(map(len, batches))
    print(json.dumps({"images": images, "together": together, "seconds": seconds}))


if __name__ == "__main__":
    main()
