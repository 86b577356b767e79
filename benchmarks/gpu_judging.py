"""The judge on a GPU: verdicts as on a CPU, images a second alone and in several processes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.cli.main import THREADS
from bench.cli.main import run as command_line
from bench.judge.device import in_threads
from bench.memory import keep_freed_pages
from bench.run.cores import keep_to_own_cores
from bench.run.progress import Lines
from bench.run.scoring_thread import BATCH, measure
from bench.store.derived import read_verdicts
from bench.store.pictures import encode_png
from bench.store.run import Run
from benchmarks.gpu_table import Bench


def judge_on(device: str) -> tuple[Any, dict[str, Any]]:
    """Segmenter and scorers on a device; without the CLIP where its weights are missing."""
    from bench.errors import BenchError
    from bench.run.components import build, build_scorers

    segmenter = build("segmenter", "auto", {}, {"device": device})
    scorers = build_scorers(("segmentation",), {"device": device})
    try:
        scorers |= build_scorers(("clip",), {"device": device})
    except BenchError as error:
        print(f"  note: without the clip scorer: {error}", flush=True)
    return segmenter, scorers


def pictures(count: int, side: int) -> list[Any]:
    """Photoreal scenes, every fourth one of the rendered world, at a size; no two are alike."""
    from PIL import Image

    from bench.certificate.photoreal import photoreal_batches
    from bench.certificate.scenes import Conditions, known_answers

    scenes = known_answers(min(-(-count // 4), 75), 4_000, Conditions(size=min(side, 256)))
    # Void ones, which every judge knows, are left out.
    drawn = [one for one in scenes if np.ptp(one.generation.image)]
    photoreal = [one for batch in photoreal_batches(min(count, 300)) for one in batch]

    def enlarged(number: int) -> Any:
        rows = drawn if number % 4 == 0 else photoreal
        one = rows[number // 4 % len(rows) if number % 4 == 0 else number % len(rows)]
        image = Image.fromarray(one.generation.image).resize((side, side), Image.Resampling.BICUBIC)
        array = np.array(image)
        array[0, 0] = number % 256, number // 256, 0
        return replace(one, generation=replace(one.generation, image=array))

    return in_threads(enlarged, range(count))


def verdicts(bench: Bench, count: int) -> None:
    """The judge on the device says what it says on the CPU."""
    from bench.certificate.report import judge_measured, measure_known

    answers = pictures(count, 64 if bench.tiny else 384)
    said, shares, masks = [], [], []
    for device in ("cpu", bench.device):
        segmenter, scorers = judge_on(device)
        cells = [a.generation.sample.cell for a in answers]
        masks.append(segmenter.segment([a.generation.image for a in answers], cells))
        measured = measure_known(answers, segmenter, scorers["segmentation"])
        said.append([one.said for one in judge_measured(measured)])
        shares.append([row.get("bind", np.nan) for one in measured for row in one.metrics])
    same = np.mean([a == b for a, b in zip(*said, strict=True)])
    apart = np.mean([np.abs(a.masks - b.masks).mean() for a, b in zip(*masks, strict=True)])
    bind = float(np.nanmean(np.abs(np.subtract(*shares))))
    bench.add(
        f"verdicts as on the CPU, {count} pictures", f"{same:.1%}", "92%", same_verdicts=float(same)
    )
    bench.add("  masks and bind, mean difference", f"{apart:.4f} and {bind:.4f}", "0.02 and 0.02",
              masks_apart=float(apart), bind_apart=bind)  # fmt: skip


def scoring(bench: Bench, count: int, sides: Sequence[int]) -> None:
    """Images a second of segmenter and scorers, each alone and together, at some sizes."""
    for side in sides:
        score_at(bench, count, side)


def score_at(bench: Bench, count: int, side: int) -> None:
    """The same at one size."""
    generations = [answer.generation for answer in pictures(count, side)]
    segmenter, scorers = judge_on(bench.device)
    measure(generations[: min(count, BATCH)], segmenter, scorers)
    # Wall time and processor time of each part.
    spent = {name: np.zeros(2) for name in ("segmenter", *scorers)}
    for start in range(0, count, BATCH):
        part = generations[start : start + BATCH]
        begun = _clocks()
        regions = segmenter.segment([g.image for g in part], [g.sample.cell for g in part])
        spent["segmenter"] += _clocks() - begun
        for name, scorer in scorers.items():
            begun = _clocks()
            scorer.score(part, regions)
            spent[name] += _clocks() - begun
    bar = "200" if side == 1024 else ""
    for name, taken in {"scoring": np.sum(list(spent.values()), 0), **spent}.items():
        rate, cores = count / taken[0], taken[1] / taken[0]
        title = f"scoring at {side} px" if name == "scoring" else f"  {name}"
        bench.add(title, f"{rate:.0f} images/s, {cores:.1f} cores", bar,
                  **{f"{name}_{side}": rate})  # fmt: skip
        bar = ""
    begun = time.process_time()
    encode_png(generations[1].image)
    bench.add(
        f"  PNG of one picture of {side} px", f"{time.process_time() - begun:.3f} s of a core"
    )


def _clocks() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


#: Processes that judge on one GPU beside each other, the last as many as there may be, and what
#: each prints when it is loaded.
PROCESSES, READY = (1, 2, 4, 8), "ready"


def judge_share(device: str, tiny: bool, rank: int, of: int, count: int) -> None:
    """Be one of several processes: load, say so; judge for every line that comes, say how many."""
    keep_to_own_cores(rank, of)
    torch.set_num_threads(1)
    generations = [answer.generation for answer in pictures(count, 96 if tiny else 1024)]
    segmenter, scorers = judge_on(device)
    measure(generations[:BATCH], segmenter, scorers)
    print(READY, flush=True)
    while sys.stdin.readline():
        begun = _clocks()
        for start in range(0, count, BATCH):
            measure(generations[start : start + BATCH], segmenter, scorers)
        print(count, (_clocks() - begun)[1], flush=True)


def processes(bench: Bench, count: int) -> None:
    """Images a second of several processes on the one device, each with cores of its own."""
    numbers = (1,) if bench.tiny else PROCESSES
    side = 96 if bench.tiny else 1024
    own = [bench.device, str(int(bench.tiny))]
    command = [sys.executable, "-m", "benchmarks.gpu_judging", "share", *own]
    children: list[Any] = []
    try:
        for rank in range(numbers[-1]):
            share = [str(rank), str(numbers[-1]), str(count)]
            pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            children.append(subprocess.Popen([*command, *share], **pipes))
        for child in children:
            while (line := child.stdout.readline()) and line.strip() != READY:
                pass
            if not line:
                raise RuntimeError("a process ended before it was loaded")
        for number in numbers:
            begun = time.perf_counter()
            for child in children[:number]:
                child.stdin.write("go\n")
                child.stdin.flush()
            answers = [child.stdout.readline().split() for child in children[:number]]
            taken = time.perf_counter() - begun
            done = sum(int(judged) for judged, _ in answers)
            each = 1000 * sum(float(busy) for _, busy in answers) / done
            text = f"{done / taken:.0f} images/s, {each:.0f} ms of a core each"
            bench.add(f"scoring at {side} px, {number} processes", text, "200",
                      **{f"processes_{number}": done / taken})  # fmt: skip
    finally:
        for child in children:
            child.kill()
            child.communicate()


def files(bench: Bench, count: int) -> None:
    """`bench score` as it is called: pictures in a folder to a finished run."""
    side = 96 if bench.tiny else 1024
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "pictures")
        folder.mkdir()
        generations = [answer.generation for answer in pictures(count, side)]
        encoded = in_threads(lambda one: encode_png(one.image), generations)
        for number, (one, png) in enumerate(zip(generations, encoded, strict=True)):
            (folder / f"{number:05}.png").write_bytes(png)
            (folder / f"{number:05}.txt").write_text(one.sample.cell.text)
        whole = scored(bench.device, folder, [])
        text = (
            f"{whole['rate']:.0f} images/s from the first to the last; {whole['seconds']:.1f} s in "
            f"all, {whole['first']:.1f} to the first, in {whole['writers']} processes"
        )
        bench.add(f"bench score of {count} PNG of {side} px", text, "200",
                  files=whole["rate"], files_seconds=whole["seconds"])  # fmt: skip
        if bench.tiny:
            return
        few = min(count, 128)
        alone = scored(bench.device, folder, ["--devices", bench.device, "--limit", str(few)])
        text = f"{alone['seconds']:.1f} s in all, {alone['first']:.1f} to the first"
        bench.add(f"  of {few} in one process", text)
        same = [whole["verdicts"][key] == verdict for key, verdict in alone["verdicts"].items()]
        bench.add("  verdicts as in one process", f"{np.mean(same):.1%}", "99%",
                  same_in_processes=float(np.mean(same)))  # fmt: skip


def scored(device: str, folder: Path, options: list[str]) -> dict[str, Any]:
    """What `bench score` does with a folder, in a process of its own, and in what time."""
    name = "of-" + ("-".join(options).replace("/", "") or "all")
    command = [sys.executable, "-m", "benchmarks.gpu_judging", "score", device, str(folder), name]
    begun = time.time()
    own = {"env": {**THREADS, **os.environ}, "stdout": subprocess.PIPE, "text": True}
    done = subprocess.run([*command, "--", *options], check=True, **own)
    seconds = time.time() - begun
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    (first, count), (last, _) = found["arrivals"][0], found["arrivals"][-1]
    rest = sum(more for _, more in found["arrivals"]) - count
    rate = rest / max(last - first, 1e-9)
    return {**found, "seconds": seconds, "first": first - begun, "rate": rate}


def score_here(device: str, folder: Path, name: str, options: list[str]) -> None:
    """Be `bench score`; say when batches were finished, and the verdicts."""
    keep_freed_pages()
    seen: list[tuple[float, int]] = []
    Lines.advance = lambda _, count: seen.append((time.time(), count))  # type: ignore[method-assign]
    given = ["score", str(folder), "--runs", str(folder.parent), "--name", name]
    if code := command_line([*given, "--device", device, *options]):
        raise SystemExit(code)
    done = Run(folder.parent / name)
    rows = read_verdicts(done).itertuples()
    verdicts = {f"{row.sample_id} {row.binding}": row.verdict for row in rows}
    # Each process names its parts by itself.
    writers = len({part.stem.split("-")[-1] for part in (done.folder / "samples").iterdir()})
    print(json.dumps({"arrivals": seen, "verdicts": verdicts, "writers": writers}))


def main() -> int:
    """Be a process of `benchmarks.gpu`; no benchmark of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    share = kinds.add_parser("share", help="judge pictures in memory beside other processes")
    share.add_argument("device")
    for name in ("tiny", "rank", "of", "count"):
        share.add_argument(name, type=int)
    score = kinds.add_parser("score", help="score a folder")
    score.add_argument("device")
    score.add_argument("folder", type=Path)
    score.add_argument("name")
    score.add_argument("options", nargs="*")
    asked = parser.parse_args()
    if asked.kind == "score":
        score_here(asked.device, asked.folder, asked.name, asked.options)
    else:
        judge_share(asked.device, bool(asked.tiny), asked.rank, asked.of, asked.count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
