"""Kill a real `bench run` with SIGKILL at many random moments, then see that nothing is amiss.

``python -m benchmarks.kills`` from the root of a clone. The bundled model, the real segmenter and
scorers, through the command line; every other attempt with ``--devices cpu,cpu``, of which now and
then a worker is killed in place of the leader. Parts are closed every half second, so that many
files are being written. Whenever a run is whole it is compared with one that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from bench.store.lock import HOLDER
from bench.store.pictures import decode_png
from bench.store.run import Run

ROOT = Path(__file__).parents[1]


def start(out: Path, name: str, images: int, devices: str | None) -> subprocess.Popen[bytes]:
    """Start the command."""
    command = [sys.executable, "-m", "bench", "run", "--model", "local", "--json"]
    command += ["--limit", str(images), "--seeds", "2", "--out", str(out), "--name", name]
    if devices:
        command += ["--devices", devices]
    environment = {**os.environ, "BENCH_PART_SECONDS": "0.5"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def children(process: int) -> list[int]:
    """Processes that a process started, by /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
            if int(fields[1]) == process and b"spawn_main" in command:
                found.append(int(path.parent.name))
    return found


def disturbed(
    out: Path, name: str, images: int, devices: str | None, rng: random.Random
) -> str | None:
    """Start, kill at a random moment, and tell which; None where the run ended before."""
    process = start(out, name, images, devices)
    # A quarter of the kills come while it starts, the others while it works.
    if rng.random() < 0.25:
        moment = "while it started"
    else:
        moment = "while it worked"
        while process.poll() is None and not (out / name / HOLDER).exists():
            time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(0, 6))
    victims = children(process.pid) if devices and rng.random() < 0.4 else []
    if victims and process.poll() is None:
        os.kill(rng.choice(victims), signal.SIGKILL)
        moment += ", a worker first"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 3))
    process.kill()
    _, told = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return moment
    if process.returncode:
        raise SystemExit(f"ended with {process.returncode}: {told.decode()[-500:]}")
    return None


def finish(out: Path, name: str, images: int) -> Run:
    """Run to the end."""
    process = start(out, name, images, None)
    _, told = process.communicate()
    if process.returncode:
        raise SystemExit(f"ended with {process.returncode}: {told.decode()[-500:]}")
    return Run(out / name)


def compare(run: Run, whole: Run) -> float:
    """Require the same pictures and scores; return the largest difference of a score."""
    leftovers = [*run.folder.rglob(".tmp-*"), *run.folder.glob(".worker-*")]
    if leftovers:
        raise SystemExit(f"left behind: {leftovers[0]}")
    ours, theirs = pictures(run), pictures(whole)
    if ours.keys() != theirs.keys():
        raise SystemExit(f"{len(ours)} images, expected {len(theirs)}")
    different = [key for key, image in ours.items() if not np.array_equal(image, theirs[key])]
    if different:
        raise SystemExit(f"{len(different)} pictures are not the same")
    worst = 0.0
    for table in (name for name in run.manifest.tables() if name.startswith("scores/")):
        mine, other = scores(run, table), scores(whole, table)
        if mine.keys() != other.keys():
            raise SystemExit(f"{table} has other rows")
        a, b = np.array(list(mine.values())), np.array([other[key] for key in mine])
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            raise SystemExit(f"{table} lacks other values")
        worst = max(worst, float(np.nanmax(np.abs(a - b), initial=0)))
    return worst


def pictures(run: Run) -> dict[str, np.ndarray]:
    """Every picture by its sample."""
    found = {}
    for path, part in run.parts("samples", ["sample_id", "image"]):
        for row in part.to_pylist():
            if row["sample_id"] in found:
                raise SystemExit(f"{path} has {row['sample_id']} again")
            found[row["sample_id"]] = decode_png(row["image"]["bytes"])
    return found


def scores(run: Run, table: str) -> dict[tuple[str, int, str], float]:
    """Every value of a table."""
    found = {}
    for path, part in run.parts(table, ["sample_id", "binding", "metric", "value"]):
        for row in part.to_pylist():
            key = (row["sample_id"], row["binding"], row["metric"])
            if key in found:
                raise SystemExit(f"{path} has {key} again")
            found[key] = row["value"]
    return found


def main() -> None:
    """Kill, finish, compare, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, metavar="N")
    parser.add_argument("--images", type=int, default=1044, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    moments: Counter[str] = Counter()
    whole_runs, worst, attempt = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        undisturbed = finish(out, "undisturbed", options.images)
        name = "r0"
        while moments.total() < options.kills:
            attempt += 1
            devices = "cpu,cpu" if attempt % 2 else None
            moment = disturbed(out, name, options.images, devices, rng)
            if moment is None:
                worst = max(worst, compare(Run(out / name), undisturbed))
                whole_runs += 1
                name = f"r{whole_runs}"
                continue
            moments[f"{'--devices cpu,cpu' if devices else 'one process'}, {moment}"] += 1
            print(f"{moments.total()} kills", file=sys.stderr, flush=True)
        worst = max(worst, compare(finish(out, name, options.images), undisturbed))
        whole_runs += 1
    for what, count in sorted(moments.items()):
        print(f"{count:4d} kills: {what}")
    print(
        f"{whole_runs} runs of {options.images:,} images came out whole: the same pictures, none "
        f"twice, no file left behind; scores differ by at most {worst:.1e}"
    )


if __name__ == "__main__":
    main()
