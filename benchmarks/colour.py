"""Speed of colour naming and of the segmentation scorer: ``python benchmarks/colour.py``.

Prints CPU time, not wall time, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import time

import numpy as np

from bench.certificate.scenes import known_answers
from bench.judge import colour
from bench.judge.scorers.segmentation import SegmentationScorer


def per_second(work, amount: float, repeats: int = 5) -> float:
    """Best of some runs: amount of work a second of CPU time."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return amount / best


def main() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    smooth = np.asarray(np.linspace(0, 255, 1024)[:, None, None] * np.ones((1, 1024, 3)), np.uint8)
    colour.memberships(picture[:1])
    answers = known_answers(256, 0)
    generations = [answer.generation for answer in answers]
    regions = [answer.regions for answer in answers]
    scorer = SegmentationScorer()
    scorer.score(generations[:1], regions[:1])
    result = {
        "memberships, noise, megapixels/s": per_second(
            lambda: colour.memberships(picture), picture.size / 3e6
        ),
        "memberships, smooth, megapixels/s": per_second(
            lambda: colour.memberships(smooth), smooth.size / 3e6
        ),
        "segmentation scorer, 64x64, images/s": per_second(
            lambda: scorer.score(generations, regions), len(answers), 3
        ),
    }
    print(json.dumps({key: round(value, 1) for key, value in result.items()}, indent=1))


if __name__ == "__main__":
    main()
