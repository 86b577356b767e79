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
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.protocols import Sampler
from bench.run.components import Components
from bench.run.execute import InProcess
from bench.run.plan import Plan
from bench.run.progress import Silent
from bench.run.record import manifest_for, open_run, take_stock
from bench.run.scoring_thread import BATCH, measure
from bench.store.lock import locked
from bench.store.pictures import encode_png
from prompts import build_grid
from prompts.cells import Sample

#: Name of a row, what was measured, and the bar.
Row = tuple[str, str, str]


@dataclass
class Bench:
    """What the parts share.

    Attributes
    ----------
    device : str
    tiny : bool
        Small sizes, which only show that everything works.
    rows : list of (str, str, str)
        Found so far.
    found : dict
        The same as numbers.
    peak : float
        bfloat16 matrix products, FLOP/s; 0 where it was not measured.
    """

    device: str
    tiny: bool
    rows: list[Row] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    peak: float = 0.0

    @property
    def cuda(self) -> bool:
        """Whether the device is one of CUDA."""
        return self.device.startswith("cuda")

    def add(self, name: str, value: str, bar: str = "", **numbers: Any) -> None:
        """Keep a row, and print it."""
        self.rows.append((name, value, bar))
        self.found |= numbers
        print(f"  {name}: {value}", flush=True)

    def wait(self) -> None:
        """Wait for what is queued."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def share(self, flops: float) -> str:
        """Arithmetic a second, and its share of the peak."""
        said = f"{flops / 1e12:.1f} TFLOP/s"
        return f"{said}, {flops / self.peak:.0%} of the peak" if self.peak else said


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


class Watch:
    """Share of the time in which the GPU worked, by its own counter; NaN without one."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stop = threading.Event()
        self._seen: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            try:
                self._seen.append(torch.cuda.utilization(self._device) / 100)
            except Exception:
                return

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def idle(self) -> float:
        """Share of the time without any kernel."""
        return 1 - float(np.mean(self._seen)) if self._seen else float("nan")


def percent(share: float) -> str:
    """A share in words; a dash where it is not known."""
    return f"{share:.1%}" if share == share else "not known"


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


def first_seen(module: Any, run: Callable[[], object]) -> torch.Tensor:
    """The first tensor that a network is given."""
    seen: list[torch.Tensor] = []

    def keep(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if not seen:
            tensors = [x for x in (*given, *named.values()) if torch.is_tensor(x) and x.ndim == 4]
            seen.append(tensors[0].detach().float().cpu())

    hook = module.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        run()
    finally:
        hook.remove()
    return seen[0]


def first_latents(sampler: Any, samples: Sequence[Sample]) -> torch.Tensor:
    """What a pipeline begins with, before its scheduler scales it, which each device rounds."""
    seen: list[torch.Tensor] = []
    prepared = sampler.pipeline.prepare_latents

    def keep(*given: Any, **named: Any) -> torch.Tensor:
        latents: torch.Tensor = prepared(*given, **named)
        seen.append(latents.float().cpu())
        return latents

    sampler.pipeline.prepare_latents = keep
    list(sampler.sample(samples))
    return seen[0]


def noise(bench: Bench) -> None:
    """Starting noise is the same to the bit, whatever the device."""
    from bench.samplers.local import LocalSampler
    from benchmarks.sdxl import TINY, OfPipeline, make_pipeline

    samples = build_grid("quick").samples()[:4]
    seen = []
    for device in ("cpu", bench.device):
        local = LocalSampler(device=device, dtype="float32")
        seen.append(first_seen(local.model.network, lambda s=local: list(s.sample(samples))))
    same = torch.equal(*seen)
    bench.add("starting noise of local", "equal" if same else "DIFFERS", "equal", noise_local=same)
    seen = []
    for device in ("cpu", bench.device):
        one = OfPipeline(make_pipeline(TINY, device, torch.float32), device, 2, 4)
        seen.append(first_latents(one, samples))
    same = torch.equal(*seen)
    text = "equal" if same else f"differs by {(seen[0] - seen[1]).abs().max():.1e}"
    bench.add("starting noise of a pipeline", text, "equal", noise_pipeline=same)


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
    """Photoreal scenes and scenes of the rendered world in turn, at a size, no two alike."""
    from PIL import Image

    from bench.certificate.photoreal import photoreal_batches
    from bench.certificate.scenes import Conditions, known_answers

    drawn = known_answers(-(-count // 4), 4_000, Conditions(size=min(side, 256)))
    photoreal = [one for batch in photoreal_batches(min(count - len(drawn), 300)) for one in batch]
    answers = []
    for number in range(count):
        rows = drawn if number % 4 == 0 else photoreal
        one = rows[number // 4 % len(rows) if number % 4 == 0 else number % len(rows)]
        image = Image.fromarray(one.generation.image).resize((side, side), Image.Resampling.BICUBIC)
        image = np.array(image)
        image[0, 0] = number % 256, number // 256, 0
        answers.append(replace(one, generation=replace(one.generation, image=image)))
    return answers


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
    seconds = dict.fromkeys(("segmenter", *scorers), 0.0)
    spent = time.process_time()
    for start in range(0, count, BATCH):
        part = generations[start : start + BATCH]
        begun = time.perf_counter()
        regions = segmenter.segment([g.image for g in part], [g.sample.cell for g in part])
        seconds["segmenter"] += time.perf_counter() - begun
        for name, scorer in scorers.items():
            begun = time.perf_counter()
            scorer.score(part, regions)
            seconds[name] += time.perf_counter() - begun
    whole, spent = sum(seconds.values()), time.process_time() - spent
    bar = "200" if side == 1024 else ""
    text = f"{count / whole:.0f} images/s, {spent / whole:.1f} cores"
    bench.add(f"scoring at {side} px", text, bar, **{f"scoring_{side}": count / whole})
    for name, taken in seconds.items():
        bench.add(f"  {name}", f"{count / taken:.0f} images/s", "",
                  **{f"{name}_{side}": count / taken})  # fmt: skip
    begun = time.process_time()
    encode_png(generations[1].image)
    bench.add(
        f"  PNG of one picture of {side} px", f"{time.process_time() - begun:.3f} s of a core"
    )


#: Processes that judge on one GPU beside each other, and what each prints when it is loaded.
PROCESSES, READY = 6, "ready"


def judge_share(device: str, tiny: bool, rank: int, of: int, count: int) -> None:
    """Be one of several processes: load, say so, wait for a line, judge, say how many."""
    cores = sorted(os.sched_getaffinity(0))
    mine = cores[rank * len(cores) // of : (rank + 1) * len(cores) // of]
    os.sched_setaffinity(0, mine or cores)
    torch.set_num_threads(1)
    generations = [answer.generation for answer in pictures(count, 96 if tiny else 1024)]
    segmenter, scorers = judge_on(device)
    measure(generations[:BATCH], segmenter, scorers)
    print(READY, flush=True)
    sys.stdin.readline()
    for start in range(0, count, BATCH):
        measure(generations[start : start + BATCH], segmenter, scorers)
    print(count, flush=True)


def processes(bench: Bench, count: int) -> None:
    """Images a second of several processes on the one device, each with cores of its own."""
    number = 1 if bench.tiny else PROCESSES
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", bench.device]
    command += ["--tiny"] if bench.tiny else []
    children = []
    try:
        for rank in range(number):
            share = ["--judge-share", str(rank), str(number), str(count)]
            pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            children.append(subprocess.Popen([*command, *share], **pipes))
        for child in children:
            while (line := child.stdout.readline()) and line.strip() != READY:
                pass
            if not line:
                raise RuntimeError("a process ended before it was loaded")
        begun = time.perf_counter()
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        done = sum(int(child.stdout.readline()) for child in children)
        taken = time.perf_counter() - begun
    finally:
        for child in children:
            child.kill()
            child.communicate()
    side = 96 if bench.tiny else 1024
    text = f"{done / taken:.0f} images/s"
    bench.add(f"scoring at {side} px, {number} processes", text, "200", processes=done / taken)


def made(sampler: Sampler, bench: Bench, count: int) -> tuple[float, float, float]:
    """Seconds of a run and of its sampler, and the idle share of the GPU; scored and stored."""
    grid = build_grid("default", seeds=1 + count // 1000)
    samples = grid.samples()[:count]
    segmenter, scorers = judge_on(bench.device)
    workers = InProcess(
        Components(sampler, segmenter, scorers),
        Plan(grid.cells, grid.seeds, samples, count, grid.name),
    )
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "run")
        asked = manifest_for(folder.name, workers.plan, workers.description)
        with locked(folder):
            opened = open_run(folder, asked, Silent(), fresh=True)
            with Watch(bench.device) as watch:
                done = workers.execute(opened, Silent())
        void = take_stock(opened).invalid
    if void:
        print(f"  note: not judged: {void}", flush=True)
    return done.seconds, done.sampling, watch.idle


def local(bench: Bench, count: int) -> None:
    """The bundled model alone, and a whole run of it."""
    from torch.utils.flop_counter import FlopCounterMode

    from bench.samplers.local import LocalSampler

    samples = build_grid("default", seeds=1 + count // 1000).samples()[:count]
    sampler = LocalSampler(device=bench.device)
    with FlopCounterMode(display=False) as counter:
        list(sampler.sample(samples[:32]))
    flops = counter.get_total_flops() / min(32, count)
    bench.wait()
    begun = time.perf_counter()
    assert len(list(sampler.sample(samples))) == count
    bare = time.perf_counter() - begun
    rate = count / bare
    text = f"{rate:.0f} images/s, {bench.share(rate * flops)}"
    bench.add(f"local alone, {count} images", text, local=rate)
    seconds, _, idle = made(sampler, bench, count)
    bench.add("  scored and stored", f"{count / seconds:.0f} images/s, {seconds / bare:.2f} times "
              f"as long, GPU idle {percent(idle)}", local_run=count / seconds)  # fmt: skip


def sdxl(bench: Bench, count: int, batch: int, steps: int) -> None:
    """A pipeline of the size of SDXL: a plain loop, and a run."""
    from benchmarks.sdxl import TINY, OfPipeline, Shape, make_pipeline, plain_loop, work

    shape = TINY if bench.tiny else Shape()
    dtype = torch.float32 if bench.device == "cpu" else torch.bfloat16
    begun = time.perf_counter()
    pipeline = make_pipeline(shape, bench.device, dtype)
    bench.wait()
    size = sum(p.numel() for p in pipeline.unet.parameters())
    bench.add("pipeline with random weights", f"U-Net of {size / 1e9:.2f} billion, made in "
              f"{time.perf_counter() - begun:.0f} s")  # fmt: skip
    needed = work(pipeline, shape.side, bench.device, dtype)
    flops = steps * needed.step + needed.decoding
    samples = build_grid("default").samples()[:count]
    plain_loop(pipeline, samples[:batch], steps, batch)
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats(bench.device)
    bench.wait()
    begun = time.perf_counter()
    with Watch(bench.device) as watch:
        plain_loop(pipeline, samples, steps, batch)
    bare = time.perf_counter() - begun
    loop_memory = torch.cuda.max_memory_allocated(bench.device) if bench.cuda else 0
    sampler = OfPipeline(pipeline, bench.device, steps, batch)
    seconds, sampling, run_idle = made(sampler, bench, count)
    run_memory = torch.cuda.max_memory_allocated(bench.device) if bench.cuda else 0
    rate = count / bare
    bench.add(f"plain loop, {count} images of {shape.side} px, {steps} steps, batch {batch}",
              f"{rate:.2f} images/s, {bench.share(rate * flops)}", sdxl_loop=rate)  # fmt: skip
    bench.add("  bench run over it", f"{seconds / bare:.3f}", "1.05", sdxl_ratio=seconds / bare)
    bench.add("    of which sampling", f"{sampling / bare:.3f}", sdxl_sampling=sampling / bare)
    text = f"{percent(watch.idle)} and {percent(run_idle)}"
    bench.add("  GPU idle, loop and run", text, sdxl_idle=[watch.idle, run_idle])
    bench.add("  peak GPU memory, loop and run",
              f"{loop_memory / 1e9:.1f} and {run_memory / 1e9:.1f} GB")  # fmt: skip


def parts(tiny: bool, count: int) -> dict[str, tuple[float, Callable[[Bench], None]]]:
    """Seconds at most, and what is done."""
    few, sides = (8, (96, 64)) if tiny else (count, (1024, 512))
    known: dict[str, tuple[float, Callable[[Bench], None]]] = {
        "machine": (20, machine),
        "scoring": (40, lambda b: scoring(b, min(few, 128), sides)),
        "processes": (40, lambda b: processes(b, 4 if tiny else 128)),
        "sdxl": (90, lambda b: sdxl(b, *((2, 1, 2) if tiny else (32, 8, 8)))),
        "noise": (30, noise),
        "local": (30, lambda b: local(b, 32 if tiny else 1024)),
        "verdicts": (60, lambda b: verdicts(b, few)),
    }
    # In small nobody waits, and a machine that also does something else may take its time.
    return {name: (600 if tiny else seconds, part) for name, (seconds, part) in known.items()}


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [("", "measured", "bar"), ("---", "---:", "---:"), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the parts; print a table, and write it and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--pictures", type=int, default=200, help="judged on both devices")
    parser.add_argument("--parts", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--seconds", type=float, default=280, help="no part begins after these")
    parser.add_argument("--out", type=Path, help="folder for gpu.json and gpu.md")
    parser.add_argument("--judge-share", type=int, nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.judge_share:
        judge_share(options.device, options.tiny, *options.judge_share)
        return 0
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
