"""Peak memory of `bench run` against the number of images, and bytes and time an image.

``python -m benchmarks.memory`` from the root of a clone. The sampler, segmenter and scorer are
those of the tests, which cost little, so that what is left is the engine and the store: the queue,
PNG, Parquet, verdicts, estimates. Each size is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHAPES = "tests.bench.shapes"


def measured(images: int) -> dict[str, float]:
    """Run once; memory in MB, processor seconds, bytes on disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench", "run", "--json", "--out", folder, "--name", "r"]
        command += ["--model", f"{SHAPES}:ShapeSampler", "--segmenter", f"{SHAPES}:ShapeSegmenter"]
        command += ["--scorer", f"{SHAPES}:MeanScorer", "--limit", str(images)]
        command += ["--preset", "default", "--seeds", str(-(-images // 522))]
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{images} images: ended with {child.returncode}")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "images": images,
        "megabytes": usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3),
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "bytes_an_image": size / images,
    }


def main() -> None:
    """Measure, and print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 5000, 20000], metavar="N")
    for images in parser.parse_args().images:
        print(json.dumps(measured(images)), flush=True)


if __name__ == "__main__":
    main()
