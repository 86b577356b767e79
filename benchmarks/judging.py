"""What the judge spends on an image: ``python -m benchmarks.judging``.

Segmenter and both scorers over known pictures of 64 (the rendered world), 512 and 1024 pixels (the
photoreal test set, enlarged): milliseconds of processor time an image and images a second, by part.
`--threads N` bounds the threads of torch outside of the judge's own, which have one each;
`--profile N` prints the N slowest functions at each size.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from PIL import Image

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.scenes import known_answers
from bench.judge.device import in_threads
from bench.judge.validity import examined
from bench.records import Generation
from bench.run.components import build, build_scorers
from bench.run.scoring_thread import BATCH, measure, side_by_side

SEED = 31_337
SCORERS = ("segmentation", "clip")


def pictures(size: int, count: int) -> list[Generation]:
    """Return ``count`` known pictures of one size."""
    if size <= 128:
        return [answer.generation for answer in known_answers(count, SEED)]
    found = [a.generation for batch in photoreal_batches(count) for a in batch]
    return [replace(one, image=enlarged(one.image, size)) for one in found]


def enlarged(image: np.ndarray, size: int) -> np.ndarray:
    """A picture at another size, its longer side ``size`` pixels."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    shape = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.BICUBIC))


def spent(
    generations: Sequence[Generation], profile: cProfile.Profile | None = None
) -> tuple[dict[str, float], float]:
    """Processor seconds of each part, and wall seconds of all as a run scores, once warm."""
    segmenter, scorers = build("segmenter", "auto", {}), build_scorers(SCORERS, {})
    batches = [[*generations[start : start + BATCH]] for start in range(0, len(generations), BATCH)]

    def measured(batch: list[Generation]) -> object:
        return measure([examined(one) for one in batch], segmenter, scorers)

    def by_part(_: None = None) -> dict[str, float]:
        total = dict.fromkeys(("examine", "segmenter", *scorers), 0.0)
        with profile or nullcontext():
            for part in batches:
                clock = [time.process_time()]
                part = [examined(one) for one in part]
                clock.append(time.process_time())
                regions = segmenter.segment([g.image for g in part], [g.sample.cell for g in part])
                clock.append(time.process_time())
                for scorer in scorers.values():
                    scorer.score(part, regions)
                    clock.append(time.process_time())
                for name, step in zip(total, np.diff(clock), strict=True):
                    total[name] += float(step)
        return total

    measured(batches[0])
    # Within one thread of the judge all is done in it, where a profile sees it.
    total = in_threads(by_part, [None])[0] if profile else by_part()
    start = time.perf_counter()
    for _, found in side_by_side(measured, batches):
        found.result()
    return total, time.perf_counter() - start


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=(64, 512, 1024), metavar="N")
    parser.add_argument("--images", type=int, default=64, metavar="N")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--profile", type=int, metavar="N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    found = {}
    for size in options.sizes:
        generations = pictures(size, options.images)
        profile = cProfile.Profile(time.process_time) if options.profile else None
        seconds, wall = spent(generations, profile)
        if profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(options.profile)
        found[size] = {
            "cpu_ms": {name: 1000 * cpu / len(generations) for name, cpu in seconds.items()},
            "images_a_second": len(generations) / wall,
        }
    if options.json:
        print(json.dumps(found))
        return
    names = list(next(iter(found.values()))["cpu_ms"])
    print("| pixels | " + " | ".join(names) + " | processor time an image | images/s |")
    print("|---:" * (len(names) + 3) + "|")
    for size, of_size in found.items():
        each = of_size["cpu_ms"].values()
        cells = [
            *(f"{ms:.2f} ms" for ms in (*each, sum(each))),
            f"{of_size['images_a_second']:.0f}",
        ]
        print(f"| {size} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
