"""Time, memory and size of ``bench report`` on 10,000 images, and how fast its page answers.

    python benchmarks/report.py [--images 10000] [--frames 0] [--keep FOLDER]

Prints one JSON object. Chromium is that of the system.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]

BUILD = """
import json, resource, sys, time
from pathlib import Path
def peak():
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    # The resource usage of a child begins with the memory of the parent that it was forked from.
    return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024
start = time.perf_counter()
from bench.cli.report import read_folders
from reports.page import write_report
written = write_report(read_folders([Path(sys.argv[1])]), Path(sys.argv[2]))
print(json.dumps({
    "build_s": round(time.perf_counter() - start, 2),
    "build_cpu_s": round(time.process_time(), 2),
    "peak_mb": peak(),
    "page_mb": round(written.size / 1e6, 3),
    "embedded": written.embedded,
    "images": written.images,
}))
"""

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
NODES = "document.querySelectorAll('img, canvas').length"


def make_run(folder: Path, images: int, frames: int) -> Path:
    """A made-up run of the tests."""
    source = ROOT / "tests" / "reports" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_run(folder, seeds=-(-images // 324), images=images, parts=12, frames=frames)


def browse(page_file: Path) -> dict[str, float]:
    """Open, filter, sort and scroll the page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        start = time.perf_counter()
        page.goto(page_file.resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        ready = time.perf_counter() - start
        for text in ("b", "bl", "blue", "blue potato", "plate", ""):
            page.fill("#f-text", text)
        for order in ("-bind", "leak_background", ""):
            page.select_option("#f-sort", order)
        page.check("#f-all")
        filters = page.evaluate("performance.getEntriesByName('filter').map((e) => e.duration)")
        page.keyboard.press("Escape")
        page.evaluate("document.getElementById('gallery').scrollIntoView()")
        frames = page.evaluate(
            """() => new Promise((done) => {
              const times = []; let last = performance.now(), most = 0, left = 240;
              const step = (now) => {
                times.push(now - last); last = now; scrollBy(0, 240);
                most = Math.max(most, document.querySelectorAll('img, canvas').length);
                if (--left) requestAnimationFrame(step);
                else { times.sort((a, b) => a - b);
                  done({ median: times[120], p95: times[228], worst: times.at(-1), nodes: most }); }
              };
              requestAnimationFrame(step);
            })"""
        )
        paint = page.evaluate(PAINT)
        browser.close()
    return {
        "first_paint_ms": round(paint),
        "ready_ms": round(1000 * ready),
        "filter_ms_worst": round(max(filters), 1),
        "filter_ms_median": round(sorted(filters)[len(filters) // 2], 1),
        "scroll_frame_ms_median": round(frames["median"], 1),
        "scroll_frame_ms_p95": round(frames["p95"], 1),
        "image_nodes_most": frames["nodes"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=0, help="steps of a trajectory")
    parser.add_argument("--keep", type=Path, help="use and keep this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        folder, page_file = root / "run", root / "report.html"
        if not folder.is_dir():
            make_run(folder, options.images, options.frames)
        command = [sys.executable, "-c", BUILD, str(folder), str(page_file)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        result = json.loads(done.stdout.splitlines()[-1])
        print(json.dumps(result | browse(page_file), indent=1))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
