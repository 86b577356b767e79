"""Speed and memory of `bench run --model local-clean`, as ratios that were measured in one go.

``python -m benchmarks.run`` from the root of a clone. Every measurement is a process of its own;
the bare sampler and `bench run` take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Timed:
    """A process that ended well: wall and CPU time, peak memory, and what it printed."""

    seconds: float
    cpu: float
    megabytes: float
    printed: str


def timed(*arguments: str | Path) -> Timed:
    """Run a module of the clone to its end."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen([sys.executable, "-m", *map(str, arguments)], cwd=ROOT, stdout=out)
        # wait4 tells the peak of this child alone; RUSAGE_CHILDREN would tell that of all so far.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, arguments))} ended with {child.returncode}")
        out.seek(0)
        printed = out.read().decode()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Timed(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, printed)


def measure(sizes: Sequence[int], repeats: int) -> dict[str, Any]:
    """Measure everything once, and what is compared ``repeats`` times."""
    found: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "processor": processor(),
            "python": platform.python_version(),
            "load_before": list(os.getloadavg()),
        },
        "help_seconds": statistics.median(timed("bench", "--help").seconds for _ in range(7)),
        "peak": json.loads(timed("benchmarks.machine").printed),
    }
    bare: dict[int, list[float]] = {size: [] for size in sizes}
    inner: dict[int, list[float]] = {size: [] for size in sizes}
    whole: dict[int, list[float]] = {size: [] for size in sizes}
    memory: dict[int, float] = dict.fromkeys(sizes, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            for size in sizes:
                one = timed("benchmarks.bare", "--limit", str(size))
                bare[size].append(one.seconds)
                inner[size].append(json.loads(one.printed)["seconds"])
                name = f"{size}-{repeat}"
                arguments = ("--preset", "default", "--limit", str(size), "--name", name, "--json")
                two = timed("bench", "run", "--model", "local-clean", "--out", folder, *arguments)
                whole[size].append(two.seconds)
                memory[size] = max(memory[size], two.megabytes)
        found["scoring"] = json.loads(timed("benchmarks.scoring", Path(folder, name)).printed)
    small, large = min(sizes), max(sizes)
    middle = statistics.median
    found["images"] = list(sizes)
    found["bare_seconds"] = {size: middle(bare[size]) for size in sizes}
    found["sampling_images_a_second"] = large / middle(inner[large])
    found["run_seconds"] = {size: middle(whole[size]) for size in sizes}
    found["run_over_bare"] = {
        size: middle(w / b for w, b in zip(whole[size], bare[size], strict=True)) for size in sizes
    }
    # Without what both spend once: loading, the control of the scorers, the summary.
    # A pair in which the machine was so uneven that more images took no longer has no ratio.
    steeper = [n for n in range(repeats) if bare[large][n] > bare[small][n]]
    found["run_over_bare_an_image"] = (
        middle(
            (whole[large][n] - whole[small][n]) / (bare[large][n] - bare[small][n]) for n in steeper
        )
        if steeper
        else None
    )
    found["memory_megabytes"] = memory
    return found


def processor() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def lines(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and bar of what was measured."""
    small, large = min(found["images"]), max(found["images"])
    peak, model, scoring = found["peak"], found["peak"]["model"], found["scoring"]
    rate = found["sampling_images_a_second"]
    used = rate * model["gflop_an_image"]
    seconds = scoring["seconds"]
    more = found["run_over_bare_an_image"]
    memory = found["memory_megabytes"]
    return [
        ("bench --help", f"{found['help_seconds']:.2f} s", "0.10 s"),
        *(
            (f"convolution peak, {name}", f"{peak[name]['gflop_a_second']:.0f} GFLOP/s", "")
            for name in ("float32", "bfloat16")
        ),
        (
            f"an image, {model['steps']} steps, guidance {model['guidance_scale']:g}",
            f"{model['gflop_an_image']:.2f} GFLOP",
            "",
        ),
        ("bare sampler", f"{rate:.1f} images/s", "40 images/s"),
        (
            f"  arithmetic in {model['dtype']}",
            f"{used:.0f} GFLOP/s, {used / peak[model['dtype']]['gflop_a_second']:.0%} of the peak",
            "",
        ),
        (f"bench run, {small} images", f"{found['run_seconds'][small]:.1f} s", "15 s for 150"),
        (f"bench run, {large} images", f"{found['run_seconds'][large]:.1f} s", "90 s for 1,044"),
        *(
            (f"bench run over bare sampler, {size} images", f"{ratio:.2f}", "1.4")
            for size, ratio in found["run_over_bare"].items()
        ),
        ("  an image more", "not measured" if more is None else f"{more:.2f}", "1.25"),
        (
            "segmenter and both scorers",
            f"{scoring['images'] / scoring['together']:.0f} images/s",
            "700 images/s",
        ),
        *(
            (f"  {name}", f"{scoring['images'] / part:.0f} images/s", "")
            for name, part in seconds.items()
        ),
        *((f"peak memory, {n} images", f"{memory[n]:.0f} MB", "2,000 MB") for n in memory),
    ]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs=2, default=(150, 1044), metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    options = parser.parse_args()
    found = measure(options.images, options.repeats)
    machine = found["machine"]
    print(
        f"{machine['processor']}, {machine['cores']} cores, {found['peak']['threads']} threads, "
        f"load {machine['load_before'][0]:.1f} at the start, median of {options.repeats}\n"
    )
    rows = [("", "measured", "bar"), *lines(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
