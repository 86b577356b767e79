"""What a GPU gives: the same noise and verdicts as a CPU, speed, overlap, memory.

``python -m benchmarks.gpu`` from the root of a clone. Each part has its own time limit, and one
that fails does not take the others with it; what was found so far is written after each part.
``--tiny --device cpu`` runs all of it in small on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_judging import files, processes, scoring, verdicts
from benchmarks.gpu_sampling import local, noise, sdxl
from benchmarks.gpu_table import Bench, table


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Break off what takes longer; between two lines of Python, as a signal does."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def machine(bench: Bench) -> None:
    """Card, and the rate of its matrix products."""
    name = torch.cuda.get_device_name(bench.device) if bench.cuda else "cpu"
    cores = len(os.sched_getaffinity(0))
    bench.add("machine", f"{name}, {cores} cores, torch {torch.__version__}", card=name)
    n = 256 if bench.tiny else 8192
    a, b = (torch.randn(n, n, device=bench.device, dtype=torch.bfloat16) for _ in range(2))
    rates = []
    for _ in range(4):
        bench.wait()
        start = time.perf_counter()
        for _ in range(5):
            a @ b
        bench.wait()
        rates.append(10 * n**3 / (time.perf_counter() - start))
    bench.peak = max(rates)
    text = f"{bench.peak / 1e12:.1f} TFLOP/s"
    bench.add(f"bfloat16 product, {n} x {n}", text, peak=bench.peak)


def parts(tiny: bool, count: int) -> dict[str, tuple[float, Callable[[Bench], None]]]:
    """Seconds at most, and what is done."""
    few, sides = (8, (96, 64)) if tiny else (count, (1024, 512))
    known: dict[str, tuple[float, Callable[[Bench], None]]] = {
        "machine": (20, machine),
        "files": (75, lambda b: files(b, 8 if tiny else 2048)),
        "sdxl": (90, lambda b: sdxl(b, *((2, 1, 2) if tiny else (40, 8, 8)))),
        "processes": (60, lambda b: processes(b, 4 if tiny else 128)),
        "scoring": (40, lambda b: scoring(b, min(few, 128), sides)),
        "local": (30, lambda b: local(b, 32 if tiny else 1024)),
        "noise": (30, noise),
        "verdicts": (60, lambda b: verdicts(b, few)),
    }
    # In small nobody waits, and a machine that also does something else may take its time.
    return {name: (600 if tiny else seconds, part) for name, (seconds, part) in known.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the parts; print a table, and write it and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--pictures", type=int, default=200, help="judged on both devices")
    parser.add_argument("--parts", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--seconds", type=float, default=280, help="no part begins after these")
    parser.add_argument("--out", type=Path, help="folder for gpu.json and gpu.md")
    options = parser.parse_args(arguments)
    bench = Bench(options.device, options.tiny)
    known = parts(options.tiny, options.pictures)
    failed: dict[str, str] = {}
    start = time.monotonic()
    for name in options.parts or known:
        left = options.seconds - (time.monotonic() - start)
        print(f"{name} ({left:.0f} s left)", flush=True)
        begun = time.monotonic()
        try:
            seconds, part = known[name]
            with limited(seconds if options.tiny else max(1.0, min(seconds, left))):
                part(bench)
        except Exception as error:
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            bench.add(f"{name} FAILED", failed[name])
        bench.found.setdefault("seconds", {})[name] = round(time.monotonic() - begun, 1)
        if bench.cuda:
            torch.cuda.empty_cache()
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            numbers = {**bench.found, "failed": failed, "rows": bench.rows}
            found = json.dumps(numbers, indent=1).replace("NaN", "null")
            (options.out / "gpu.json").write_text(found + "\n")
            (options.out / "gpu.md").write_text(table(bench.rows) + "\n")
    print("\n" + table(bench.rows))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
