"""The bundled model alone: the same images as a run, neither scored nor stored."""

from __future__ import annotations

import argparse
import json
import time

from bench.samplers.local import LocalSampler
from prompts.grids import build_grid


def main() -> None:
    """Sample, and print seconds and images."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--model", default="local-clean")
    options = parser.parse_args()
    limit = options.limit
    samples = build_grid("default").samples()[:limit]
    sampler = LocalSampler(options.model)
    start = time.perf_counter()
    images = sum(1 for _ in sampler.sample(samples))
    print(json.dumps({"images": images, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
