"""Where the time of the judge and of a run on a GPU goes: one part after the other, in words.

``python -m benchmarks.gpu_profile --out FOLDER`` from the root of a clone. ``--tiny --device cpu``
shows that it works.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from bench.judge import device as judge
from bench.judge.regions import cutout
from bench.run.execute import Work
from bench.run.scoring_thread import BATCH
from bench.samplers.diffusers import sampler as diffusers_sampler
from bench.store.run import RunWriter
from benchmarks.gpu_judging import judge_on, pictures
from benchmarks.gpu_sampling import made
from benchmarks.gpu_table import Bench
from prompts import build_grid


class Timeline:
    """When calls of some functions began and ended."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float, float]] = []

    def wrap(self, owner: Any, name: str, title: str) -> None:
        """Note every call of an attribute of an object."""
        original = getattr(owner, name)

        def noted(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return original(*given, **named)
            finally:
                self.calls.append((title, begun, time.perf_counter()))

        setattr(owner, name, noted)

    def take(self) -> dict[str, list[tuple[float, float]]]:
        """When each call began and how long it took, by title; and forget them."""
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        first = min((begun for _, begun, _ in self.calls), default=0.0)
        for title, begun, end in self.calls:
            found[title].append((round(begun - first, 3), round(end - begun, 4)))
        self.calls.clear()
        return dict(found)


def device_time(run: Callable[[], object], out: Path, cuda: bool) -> tuple[float, float]:
    """Seconds of kernels and of all; the table of both goes to a file."""
    from torch.profiler import ProfilerActivity, profile

    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=kinds) as seen:
        begun = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize()
        taken = time.perf_counter() - begun
    averages = seen.key_averages()
    tables = [averages.table(sort_by=key, row_limit=25, max_name_column_width=60)
              for key in ("self_cuda_time_total", "self_cpu_time_total")]  # fmt: skip
    out.write_text("\n".join(tables))
    busy = sum(getattr(one, "self_device_time_total", 0) for one in averages) / 1e6
    return busy, taken


def functions(run: Callable[[], object], out: Path) -> None:
    """The slowest functions of this thread."""
    profile = cProfile.Profile()
    profile.runcall(run)
    text = io.StringIO()
    for key in ("tottime", "cumulative"):
        pstats.Stats(profile, stream=text).sort_stats(key).print_stats(40)
    out.write_text(text.getvalue())


def with_threads(count: int) -> None:
    """Let the judge have so many threads."""
    judge._threads = lambda: count
    judge._started.cache_clear()


def first_calls(bench: Bench, segment: Callable[[], object]) -> None:
    """What a thread pays that computes for the first time."""

    def thrice() -> str:
        seconds = []
        for _ in range(3):
            begun = time.perf_counter()
            segment()
            seconds.append(f"{time.perf_counter() - begun:.2f}")
        return ", ".join(seconds) + " s"

    usual = cutout.computed
    cutout.computed = lambda device, function, items: [function(item) for item in items]
    try:
        bench.add("segmenter, three times in the first thread", thrice())
        with ThreadPoolExecutor(1) as other:
            bench.add("  in another thread", other.submit(thrice).result())
    finally:
        cutout.computed = usual


def judging(bench: Bench, out: Path) -> None:
    """Segmenter and scorers: by number of threads, kernels, functions."""
    count, side = (8, 160) if bench.tiny else (64, 1024)
    generations = [answer.generation for answer in pictures(count, side)]
    images, cells = [g.image for g in generations], [g.sample.cell for g in generations]
    segmenter, scorers = judge_on(bench.device)
    first_calls(bench, lambda: segmenter.segment(images[:BATCH], cells[:BATCH]))
    regions = segmenter.segment(images, cells)
    for name in scorers:
        scorers[name].score(generations, regions)
    for threads in (1, 2) if bench.tiny else (2, 16):
        with_threads(threads)
        text = []
        for name in ("segmenter", *scorers):
            for turn in range(2):
                begun, cpu = time.perf_counter(), time.process_time()
                for start in range(0, count, BATCH):
                    part = slice(start, start + BATCH)
                    if name == "segmenter":
                        segmenter.segment(images[part], cells[part])
                    else:
                        getattr(scorers[name].clip, "_pooled", {}).clear() if name == "clip" else 0
                        scorers[name].score(generations[part], regions[part])
                taken, busy = time.perf_counter() - begun, time.process_time() - cpu
            text.append(f"{name} {1000 * taken / count:.1f} ms ({1000 * busy / count:.1f} of CPU)")
        bench.add(f"an image with {threads} threads", ", ".join(text))
    with_threads(1)
    some = slice(0, BATCH)
    todo: dict[str, Callable[[], object]] = {
        "segmenter": lambda: segmenter.segment(images[some], cells[some])
    }
    for name, scorer in scorers.items():
        todo[name] = lambda scorer=scorer: scorer.score(generations[some], regions[some])
    for name, run in todo.items():
        if hasattr(scorers.get(name), "clip"):
            scorers[name].clip._pooled.clear()
        functions(run, out / f"functions-{name}.txt")
        if name == "segmentation":
            continue
        if hasattr(scorers.get(name), "clip"):
            scorers[name].clip._pooled.clear()
        busy, taken = device_time(run, out / f"kernels-{name}.txt", bench.cuda)
        n = min(count, BATCH)
        bench.add(
            f"{name}: kernels", f"{1000 * busy / n:.2f} ms an image of {1000 * taken / n:.1f}"
        )


def sampling(bench: Bench, out: Path) -> None:
    """A plain loop, the sampler alone, a run."""
    from benchmarks.sdxl import TINY, OfPipeline, Shape, make_pipeline, plain_loop

    count, batch, steps = (2, 1, 2) if bench.tiny else (32, 8, 8)
    shape = TINY if bench.tiny else Shape()
    dtype = torch.float32 if bench.device == "cpu" else torch.bfloat16
    pipeline = make_pipeline(shape, bench.device, dtype)
    samples = build_grid("default").samples()[: 2 * count]
    line = Timeline()
    plain = {name: getattr(pipeline, name) for name in ("encode_prompt", "prepare_latents")}
    line.wrap(pipeline.vae, "decode", "decode (queued)")
    line.wrap(pipeline.image_processor, "postprocess", "postprocess")
    line.wrap(pipeline.unet, "forward", "step (queued)")
    line.wrap(diffusers_sampler, "bytes_of", "to bytes")
    line.wrap(RunWriter, "add_images", "PNG")
    line.wrap(Work, "_measure", "scoring")
    spent: dict[str, Any] = {}

    def timed(title: str, run: Callable[[], object]) -> None:
        bench.wait()
        line.calls.clear()
        begun = time.perf_counter()
        run()
        bench.wait()
        spent[title] = {"seconds": time.perf_counter() - begun, **line.take()}
        bench.add(title, f"{spent[title]['seconds']:.2f} s")
        (out / "sampling.json").write_text(json.dumps(spent, indent=1))

    sampler = OfPipeline(pipeline, bench.device, steps, batch)
    remembered = pipeline.encode_prompt

    def looped() -> None:
        pipeline.encode_prompt = plain["encode_prompt"]
        line.wrap(pipeline, "encode_prompt", "prompts")
        plain_loop(pipeline, samples[:count], steps, batch)

    def with_memory() -> None:
        remembered._rows.clear()
        pipeline.encode_prompt = remembered
        line.wrap(pipeline, "encode_prompt", "prompts")

    def alone() -> None:
        with_memory()
        list(sampler.sample(samples[:count]))

    def whole() -> None:
        with_memory()
        seconds, of_sampler, _ = made(sampler, bench, count)
        spent["of the last run"] = [seconds, of_sampler]
        bench.add("  of a run: all, sampling", f"{seconds:.2f} s, {of_sampler:.2f} s")

    plain_loop(pipeline, samples[:batch], steps, batch)
    list(sampler.sample(samples[-batch:]))
    timed("loop", looped)
    timed("sampler alone", alone)
    timed("run", whole)
    with_memory()
    batch_alone = lambda: list(sampler.sample(samples[:batch]))  # noqa: E731
    busy, taken = device_time(batch_alone, out / "kernels-sampler.txt", bench.cuda)
    bench.add("kernels of a batch of the sampler", f"{busy:.2f} of {taken:.2f} s")


PARTS: dict[str, Callable[[Bench, Path], None]] = {"judging": judging, "sampling": sampling}


def main() -> int:
    """Do both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(asked.device, asked.tiny)
    failed = 0
    for name in asked.parts:
        try:
            PARTS[name](bench, asked.out)
        except Exception:
            traceback.print_exc()
            failed = 1
        (asked.out / "profile.txt").write_text("\n".join(map(" | ".join, bench.rows)) + "\n")
        if bench.cuda:
            torch.cuda.empty_cache()
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
