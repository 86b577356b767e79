"""`bench run` on a diffusers pipeline, against the loops that one would write instead.

``python -m benchmarks.pipeline`` from the root of a clone. Each measurement is a process of its own
and what is compared takes turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.run import processor, timed
from reference_models.sd import FOLDER, GUIDANCE_SCALE, STEPS


def prompts_and_seeds(images: int) -> tuple[list[str], list[int]]:
    """The first images of the default grid."""
    from prompts import build_grid

    samples = build_grid("default").samples()[:images]
    return [sample.cell.text for sample in samples], [sample.seed for sample in samples]


def loop(folder: Path, images: int, batch: int, steps: int) -> float:
    """Seconds of a plain loop over batches: no scores, nothing stored."""
    import torch
    from diffusers import DiffusionPipeline

    pipeline: Any = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    texts, seeds = prompts_and_seeds(images)
    start = time.perf_counter()
    for place in range(0, images, batch):
        part = slice(place, place + batch)
        pipeline(
            texts[part],
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[part]],
            num_inference_steps=steps,
            guidance_scale=GUIDANCE_SCALE,
        )
    return time.perf_counter() - start


def flop_a_step(folder: Path) -> float:
    """Arithmetic of the denoiser for one image and one step with guidance, in FLOP."""
    import torch
    from diffusers import UNet2DConditionModel
    from torch.utils.flop_counter import FlopCounterMode

    unet: Any = UNet2DConditionModel.from_pretrained(folder / "unet", dtype=torch.float32)
    side, width = unet.config.sample_size, unet.config.cross_attention_dim
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        unet(torch.zeros(2, 4, side, side), torch.tensor(1), torch.zeros(2, 16, width))
    return float(counter.get_total_flops())


def sample_only(images: int) -> None:
    """Draw many images with a tiny pipeline and drop them, for the memory."""
    import torch

    from bench.samplers.diffusers.sampler import DiffusersSampler
    from prompts import build_grid
    from reference_models.sd.parts import (
        Shape,
        make_autoencoder,
        make_text_encoder,
        make_unet,
        write_pipeline,
    )
    from reference_models.sd.vocabulary import make_tokenizer

    torch.manual_seed(0)
    shape, tokenizer = Shape((8, 8, 8), (16, 16), 16, 1), make_tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiny")
        encoder = make_text_encoder(shape, tokenizer)
        write_pipeline(path, make_autoencoder(shape), make_unet(shape), encoder, tokenizer)
        sampler = DiffusersSampler(str(path), steps=1, batch_size=32, device="cpu", size="32")
        samples = build_grid("default", seeds=-(-images // 250)).samples()[:images]
        assert sum(1 for _ in sampler.sample(samples)) == images


def measure(folder: Path, images: int, batch: int, repeats: int, steps: int) -> dict[str, Any]:
    """Measure the loops and `bench run` in turn, and the memory of the sampler.

    Of each, what an image more takes: the time for many less that for one batch, so that loading
    and the control of the scorers do not count.
    """
    ratios: dict[str, list[float]] = {"wall": [], "cpu": [], "single": [], "single_cpu": []}
    each: dict[str, list[float]] = {"run": [], "loop": [], "single": []}
    module = "benchmarks.pipeline"
    with tempfile.TemporaryDirectory() as out:
        for repeat in range(repeats):
            wall, cpu = {}, {}
            for kind in ("loop", "run", "single"):
                taken = []
                for n in (batch, images if kind != "single" else 2 * batch):
                    if kind == "run":
                        taken.append(
                            timed(
                                "bench", "run", "--model", folder, "--out", out,
                                "--preset", "default", "--limit", str(n), "--name", f"{n}-{repeat}",
                                "--steps", str(steps), "--guidance-scale", str(GUIDANCE_SCALE),
                                "--batch-size", str(batch), "--device", "cpu", "--json",
                            )
                        )  # fmt: skip
                    else:
                        size = batch if kind == "loop" else 1
                        arguments = ("--loop", str(n), "--batch", str(size), "--steps", str(steps))
                        taken.append(timed(module, "--model", folder, *arguments))
                more = (images if kind != "single" else 2 * batch) - batch
                wall[kind] = (taken[1].seconds - taken[0].seconds) / more
                cpu[kind] = (taken[1].cpu - taken[0].cpu) / more
                each[kind].append(wall[kind])
            ratios["wall"].append(wall["run"] / wall["loop"])
            ratios["cpu"].append(cpu["run"] / cpu["loop"])
            ratios["single"].append(wall["single"] / wall["run"])
            ratios["single_cpu"].append(cpu["single"] / cpu["run"])
    memory = {n: timed(module, "--sample-only", str(n)).megabytes for n in (1_000, 20_000)}
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "images": images,
        "batch": batch,
        "steps": steps,
        "flop_a_step": flop_a_step(folder),
        "seconds_an_image": {key: statistics.median(found) for key, found in each.items()},
        "ratios": {key: statistics.median(found) for key, found in ratios.items()},
        "memory_megabytes": memory,
    }


def lines(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and bar of what was measured."""
    each, ratios = found["seconds_an_image"], found["ratios"]
    small, large = found["memory_megabytes"].values()
    return [
        ("denoiser, one image and step, guided", f"{found['flop_a_step'] / 1e6:.0f} MFLOP", "50"),
        ("plain loop, batched", f"{1 / each['loop']:.2f} images/s", ""),
        ("plain loop, one prompt at a time", f"{1 / each['single']:.2f} images/s", ""),
        ("bench run", f"{1 / each['run']:.2f} images/s", ""),
        ("  wall time over the batched loop", f"{ratios['wall']:.2f}", "1.10"),
        ("  CPU time over the batched loop", f"{ratios['cpu']:.2f}", ""),
        ("  speed over one prompt at a time", f"{ratios['single']:.2f}", "1.50"),
        ("  the same in CPU time", f"{ratios['single_cpu']:.2f}", ""),
        ("sampler's peak memory, 1,000 images", f"{small:.0f} MB", ""),
        ("sampler's peak memory, 20,000 images", f"{large:.0f} MB, {large / small:.2f}", "flat"),
    ]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=FOLDER, help="pipeline folder")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--loop", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sample-only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        print(json.dumps(loop(options.model, options.loop, options.batch, options.steps)))
        return
    if options.sample_only:
        sample_only(options.sample_only)
        return
    found = measure(options.model, options.images, options.batch, options.repeats, options.steps)
    print(
        f"{found['processor']}, {found['cores']} cores, load {found['load']:.1f}, "
        f"{found['images']} images of {found['steps']} steps in batches of {found['batch']}, "
        f"median of {options.repeats}\n"
    )
    rows = [("", "measured", "bar"), *lines(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
