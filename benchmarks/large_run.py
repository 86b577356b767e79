"""A run as large as they come: memory of all its processes every second, images a second, disk.

``python -m benchmarks.large_run --devices 0,0,0,0 --seconds 150`` from the root of a clone. Stopped
after so many seconds as a user would stop it, so that it says how far it came. Then the page of
the run, where there is time. Needs Linux (``/proc``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Images a seed of the grid `default`.
A_SEED = 522
#: Seconds that a run that is stopped may take to finish what it has in hand.
PATIENCE = 30.0


def descendants(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        found += [one for child in children for one in descendants(int(child))]
    return found


def memory_of(pid: int) -> tuple[float, float, float]:
    """Resident, at most so far, and proportional set of a process, MB; zeros where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        shared = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0, 0.0, 0.0
    places = (("VmRSS:", status), ("VmHWM:", status), ("Pss:", shared))
    found = [re.search(rf"^{name}\s+(\d+)", text, re.MULTILINE) for name, text in places]
    resident, most, part = (int(one[1]) / 1e3 * 1.024 if one else 0.0 for one in found)
    return resident, most, part


def watched(command: list[str], seconds: float, log: Path) -> dict[str, object]:
    """Run a command; its memory and that of its processes every second, until it ends."""
    start = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        rows: list[list[float]] = []
        most_main = most_child = 0.0
        stopped: float | None = None
        while child.poll() is None:
            now = time.monotonic() - start
            pids = descendants(child.pid)
            each = [memory_of(pid) for pid in pids]
            most_main = max(most_main, each[0][1])
            most_child = max([most_child, *(one[1] for one in each[1:])])
            sums = [sum(column) for column in zip(*each, strict=True)]
            rows.append([round(now, 1), len(pids), round(each[0][0]), *map(round, sums[::2])])
            if stopped is None and now > seconds:
                stopped = now
                child.send_signal(signal.SIGINT)
            if stopped is not None and now > stopped + PATIENCE:
                child.kill()
            time.sleep(1.0)
    return {
        "seconds": round(time.monotonic() - start, 1),
        "code": child.returncode,
        "stopped": stopped is not None,
        "main_peak_mb": round(most_main),
        "largest_child_peak_mb": round(most_child),
        "all_resident_peak_mb": max((row[3] for row in rows), default=0),
        "all_proportional_peak_mb": max((row[4] for row in rows), default=0),
        "each_second": rows,
    }


def finished(log: Path) -> list[tuple[int, str]]:
    """Counts of images that the run has told, with its lines."""
    lines = log.read_text(errors="replace").replace("\r", "\n").splitlines()
    found = [(re.search(r"([\d,]+) of [\d,]+ images", line), line) for line in lines]
    return [(int(one[1].replace(",", "")), line) for one, line in found if one]


def main() -> None:
    """Measure, and write ``large_run.json`` after each of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--model", default="local-clean")
    parser.add_argument("--devices", help="As `bench run` takes them; one process by default.")
    parser.add_argument("--seconds", type=float, default=600.0, help="Of the run.")
    parser.add_argument("--page-seconds", type=float, default=180.0, help="Of the page; 0: none.")
    parser.add_argument("--out", type=Path, help="Folder for the result and the logs.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        run = Path(folder) / "runs" / "r"
        command = [sys.executable, "-m", "bench", "run", "--json", "--runs", str(run.parent)]
        command += ["--name", "r", "--model", options.model, "--preset", "default"]
        command += ["--seeds", str(-(-options.images // A_SEED)), "--limit", str(options.images)]
        if options.devices:
            command += ["--devices", options.devices]
        result: dict[str, object] = {"images": options.images, "devices": options.devices}
        result["run"] = made = watched(command, options.seconds, out / "run.log")
        told = finished(out / "run.log")
        made["images"] = max((count for count, _ in told), default=0)
        made["last_lines"] = [line for _, line in told[-3:]]
        size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
        made["megabytes_on_disk"] = round(size / 1e6, 1)
        (out / "large_run.json").write_text(json.dumps(result) + "\n")
        if options.page_seconds and made["images"]:
            page = Path(folder) / "page.html"
            command = [sys.executable, "-m", "bench", "report", str(run), "--out", str(page)]
            result["page"] = paged = watched(command, options.page_seconds, out / "page.log")
            paged["megabytes"] = round(page.stat().st_size / 1e6, 2) if page.is_file() else None
            (out / "large_run.json").write_text(json.dumps(result) + "\n")
    for name in ("run", "page"):
        if isinstance(one := result.get(name), dict):
            print(name, json.dumps({key: value for key, value in one.items() if key[:4] != "each"}))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(ROOT))
    main()
