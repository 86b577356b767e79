"""What the machine can do: convolutions a second, and how much arithmetic the bundled model is."""

from __future__ import annotations

import json
import time

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

#: Batch, channels and side of the convolutions tried: those of the U-Net's two levels, guided.
SHAPES = ((64, 64, 16), (64, 128, 8), (64, 128, 16), (64, 256, 16))
SECONDS = 0.6


def convolution_peak(dtype: torch.dtype) -> tuple[float, str]:
    """The best rate of a 3 x 3 convolution in GFLOP/s, and the shape that had it."""
    found = []
    for batch, channels, side in SHAPES:
        x = torch.randn(batch, channels, side, side).to(dtype, memory_format=torch.channels_last)
        w = torch.randn(channels, channels, 3, 3).to(dtype, memory_format=torch.channels_last)
        work = 2 * 9 * channels**2 * batch * side**2
        with torch.inference_mode():
            for _ in range(3):
                F.conv2d(x, w, padding=1)
            best, end = float("inf"), time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                start = time.perf_counter()
                F.conv2d(x, w, padding=1)
                best = min(best, time.perf_counter() - start)
        found.append((work / best / 1e9, f"{batch} x {channels} x {side} x {side}"))
    return max(found)


def model_work() -> dict[str, float | str]:
    """GFLOP of one image of the bundled model at its own settings."""
    from reference_models.local import CHUNK, LocalModel
    from reference_models.weights import FOLDER

    model = LocalModel(FOLDER / "local-clean.safetensors")
    with FlopCounterMode(display=False) as counter:
        model.draw(["a blue potato"] * CHUNK, list(range(CHUNK)))
    settings = model.settings
    return {
        "gflop_an_image": counter.get_total_flops() / CHUNK / 1e9,
        "dtype": str(model.dtype).removeprefix("torch."),
        "steps": settings.steps,
        "guidance_scale": settings.guidance_scale,
    }


def main() -> None:
    """Print what was measured as JSON."""
    found: dict[str, object] = {"threads": torch.get_num_threads()}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        rate, shape = convolution_peak(dtype)
        found[name] = {"gflop_a_second": rate, "shape": shape}
    found["model"] = model_work()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
