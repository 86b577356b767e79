"""What ``--trajectory`` costs: CPU time, peak memory and bytes of a run with frames and without.

python benchmarks/trajectory.py [--model local-teacher] [--images 64] [--turns 2]

Runs of the first images of the grid ``quick``, interleaved; CPU times, so that other work on the
machine counts little, and the smaller of the turns. The time of a run of one image, its start and
the control scenes included, is taken off both. Says on stderr what it does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def spent(command: list[str]) -> tuple[float, int]:
    """CPU seconds and peak memory in bytes of a command that must succeed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode} of {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return used.ru_utime + used.ru_stime, used.ru_maxrss * unit


def size(folder: Path) -> int:
    """Bytes of all files of a run."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Run with and without frames, interleaved, and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="local-teacher")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    kinds = {
        "start": ["--limit", "1"],
        "without": ["--limit", str(asked.images)],
        "with": ["--limit", str(asked.images), "--trajectory"],
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    memory: dict[str, int] = dict.fromkeys(kinds, 0)
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(asked.turns):
            for kind, extra in kinds.items():
                name = f"{kind}-{turn}"
                print(name, file=sys.stderr, flush=True)
                command = [sys.executable, "-m", "bench", "run", "--model", asked.model]
                command += ["--preset", "quick", "--segmenter", "auto"]
                command += ["--scorer", "segmentation", "--out", folder, "--name", name]
                used, peak = spent([*command, *extra])
                seconds[kind].append(used)
                memory[kind] = max(memory[kind], peak)
                sizes[kind] = size(Path(folder) / name)
    start = min(seconds["start"])
    without, with_frames = min(seconds["without"]) - start, min(seconds["with"]) - start
    found = {
        "model": asked.model,
        "images": asked.images,
        "cpu_seconds": {kind: round(min(one), 1) for kind, one in seconds.items()},
        "cpu_time_ratio": round(with_frames / without, 2),
        "bytes_ratio": round(sizes["with"] / sizes["without"], 2),
        "bytes_an_image": {kind: sizes[kind] // asked.images for kind in ("without", "with")},
        "peak_memory_mb": {kind: round(memory[kind] / 1e6) for kind in ("without", "with")},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
