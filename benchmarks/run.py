"""Speed and memory of `bench run` on a bundled model, as ratios that were measured in one go.

``python -m benchmarks.run`` from the root of a clone. Every measurement is a process of its own;
the bare sampler and `bench run` take turns, so that a busy machine slows both. ``--model NAME``
takes another model, ``--before DIR`` has the runs of another clone in turn with those of this one.
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


def timed(*arguments: str | Path, root: Path = ROOT) -> Timed:
    """Run a module of a clone to its end."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen([sys.executable, "-m", *map(str, arguments)], cwd=root, stdout=out)
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


def measure(
    sizes: Sequence[int], repeats: int, model: str = "local-clean", before: Path | None = None
) -> dict[str, Any]:
    """Measure everything once, and what is compared ``repeats`` times."""
    found: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "processor": processor(),
            "python": platform.python_version(),
            "load_before": list(os.getloadavg()),
        },
        "model": model,
        "help_seconds": statistics.median(timed("bench", "--help").seconds for _ in range(7)),
        "peak": json.loads(timed("benchmarks.machine").printed),
    }
    clones = {"now": ROOT} | ({"before": before} if before else {})
    bare: dict[int, list[Timed]] = {size: [] for size in sizes}
    whole: dict[str, dict[int, list[Timed]]] = {
        clone: {size: [] for size in sizes} for clone in clones
    }
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            for size in sizes:
                arguments = ("--limit", str(size), "--model", model)
                bare[size].append(timed("benchmarks.bare", *arguments))
                for clone, root in clones.items():
                    name = f"{size}-{repeat}-{clone}"
                    more = ("--preset", "default", "--name", name, "--out", folder, "--json")
                    whole[clone][size].append(timed("bench", "run", *arguments, *more, root=root))
        last = Path(folder, f"{max(sizes)}-{repeats - 1}-now")
        found["scoring"] = json.loads(timed("benchmarks.scoring", last).printed)
    large, middle = max(sizes), statistics.median
    found["images"] = list(sizes)
    found["sampling_images_a_second"] = large / middle(
        json.loads(one.printed)["seconds"] for one in bare[large]
    )
    found["bare"] = {size: spent(bare[size]) for size in sizes}
    found["runs"] = {
        clone: {
            "seconds": {size: spent(of_size[size]) for size in sizes},
            "over_bare": {size: over(of_size[size], bare[size]) for size in sizes},
            "an_image_more": over_an_image(of_size, bare, sizes),
            "megabytes": {size: max(one.megabytes for one in of_size[size]) for size in sizes},
        }
        for clone, of_size in whole.items()
    }
    return found


def spent(processes: Sequence[Timed]) -> tuple[float, float]:
    """Median wall and CPU seconds."""
    return (
        statistics.median(one.seconds for one in processes),
        statistics.median(one.cpu for one in processes),
    )


def over(runs: Sequence[Timed], bare: Sequence[Timed]) -> tuple[float, float]:
    """Medians of the ratios of wall and CPU time, pair by pair."""
    pairs = list(zip(runs, bare, strict=True))
    return (
        statistics.median(one.seconds / other.seconds for one, other in pairs),
        statistics.median(one.cpu / other.cpu for one, other in pairs),
    )


def over_an_image(
    runs: dict[int, list[Timed]], bare: dict[int, list[Timed]], sizes: Sequence[int]
) -> tuple[float | None, float | None]:
    """The same of what more images take: loading, self-check and summary are not in it.

    A pair in which the machine was so uneven that more images took no longer has no ratio.
    """
    small, large = min(sizes), max(sizes)
    found = []
    for name in ("seconds", "cpu"):
        rows = zip(runs[large], runs[small], bare[large], bare[small], strict=True)
        steps = [[getattr(one, name) for one in row] for row in rows]
        steep = [(a - b) / (c - d) for a, b, c, d in steps if c > d]
        found.append(statistics.median(steep) if steep else None)
    return found[0], found[1]


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
    peak, model, scoring = found["peak"], found["peak"]["model"], found["scoring"]
    rate, seconds = found["sampling_images_a_second"], scoring["seconds"]
    rows = [
        ("bench --help", f"{found['help_seconds']:.2f} s", "0.10 s"),
        *(
            (f"convolution peak, {name}", f"{peak[name]['gflop_a_second']:.0f} GFLOP/s", "")
            for name in ("float32", "bfloat16")
        ),
        (f"bare sampler, {found['model']}", f"{rate:.1f} images/s", "40 images/s"),
    ]
    if found["model"] == "local-clean":
        used = rate * model["gflop_an_image"]
        share = used / peak[model["dtype"]]["gflop_a_second"]
        rows.append(
            (
                f"  arithmetic in {model['dtype']}, {model['gflop_an_image']:.2f} GFLOP an image",
                f"{used:.0f} GFLOP/s, {share:.0%} of the peak",
                "",
            )
        )
    for clone, of_clone in found["runs"].items():
        name = "bench run" if clone == "now" else f"bench run {clone}"
        for size in found["images"]:
            wall, cpu = of_clone["seconds"][size]
            rows.append((f"{name}, {size} images", f"{wall:.1f} s, CPU {cpu:.1f} s", ""))
            ratios = both(of_clone["over_bare"][size])
            rows.append((f"{name} over bare sampler, {size} images", ratios, "1.4"))
        rows.append(("  an image more", both(of_clone["an_image_more"]), "1.25"))
        rows += [
            (f"  peak memory, {size} images", f"{megabytes:.0f} MB", "2,000 MB")
            for size, megabytes in of_clone["megabytes"].items()
        ]
    rows.append(
        (
            "segmenter and both scorers",
            f"{scoring['images'] / scoring['together']:.0f} images/s",
            "700 images/s",
        )
    )
    rows += [(f"  {n}", f"{scoring['images'] / s:.0f} images/s", "") for n, s in seconds.items()]
    return rows


def both(ratios: Sequence[float | None]) -> str:
    """Ratios of wall and CPU time in words."""
    wall, cpu = ("not measured" if one is None else f"{one:.2f}" for one in ratios)
    return f"{wall}, CPU {cpu}"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs=2, default=(150, 1044), metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument("--model", default="local-clean", metavar="NAME")
    parser.add_argument("--before", type=Path, metavar="DIR", help="root of another clone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    options = parser.parse_args()
    found = measure(options.images, options.repeats, options.model, options.before)
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
