"""What ``--trajectory`` costs: CPU time of a run with frames over that of one without, and bytes.

python benchmarks/trajectory.py [--model local-teacher]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def cpu_seconds(command: list[str]) -> float:
    """CPU time of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def size(folder: Path) -> int:
    """Bytes of all files of a run."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Run both twice, interleaved, and print ratios of the smaller times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="local-teacher")
    model = parser.parse_args().model
    found: dict[str, list[float]] = {"start": [], "without": [], "with": []}
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):
            for kind, extra in (
                ("start", ["--limit", "1"]),
                ("without", []),
                ("with", ["--trajectory"]),
            ):
                name = f"{kind}-{turn}"
                command = [sys.executable, "-m", "bench", "run", "--model", model]
                command += ["--preset", "quick", "--scorer", "segmentation", "--out", folder]
                found[kind].append(cpu_seconds([*command, "--name", name, *extra]))
                sizes[kind] = size(Path(folder) / name)
    start = min(found["start"])
    without, with_frames = min(found["without"]) - start, min(found["with"]) - start
    print(
        json.dumps(
            {
                "model": model,
                "cpu_time_ratio": round(with_frames / without, 2),
                "bytes_ratio": round(sizes["with"] / sizes["without"], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
