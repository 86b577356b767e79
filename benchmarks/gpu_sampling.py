"""Samplers on a GPU: the noise of a CPU, speed alone and in a run, overlap, memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from bench.protocols import Sampler
from bench.run.components import Components
from bench.run.execute import InProcess
from bench.run.plan import Plan
from bench.run.progress import Silent
from bench.run.record import manifest_for, open_run, take_stock
from bench.store.lock import locked
from benchmarks.gpu_judging import judge_on
from benchmarks.gpu_table import Bench, Watch, percent
from prompts import build_grid
from prompts.cells import Sample


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
