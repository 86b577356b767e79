"""How a diffusers pipeline is to be sampled: what the user asked for, checked and frozen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.samplers.options import described, one_of, parse_size

#: Arguments of a pipeline that the sampler gives itself.
RESERVED = frozenset(
    {
        "prompt",
        "generator",
        "latents",
        "output_type",
        "return_dict",
        "num_images_per_prompt",
        "prompt_embeds",
        "callback",
        "callback_on_step_end",
    }
)
#: Options of `bench run` that have arguments of their own.
NAMED = {
    "num_inference_steps": "--steps",
    "guidance_scale": "--guidance-scale",
    "negative_prompt": "--negative-prompt",
    "height": "--size",
    "width": "--size",
}
DTYPES = ("float32", "float16", "bfloat16")
OFFLOADS = ("model", "sequential")


@dataclass(frozen=True, slots=True)
class Lora:
    """A low-rank adapter: where it is, and how strongly it is applied."""

    path: str
    weight: float = 1.0


def parse_lora(text: str) -> Lora:
    """Path and weight from ``PATH`` or ``PATH:WEIGHT``.

    Raises
    ------
    UsageError
        No path before the colon.
    """
    path, colon, tail = text.rpartition(":")
    try:
        weight = float(tail) if colon else 1.0
    except ValueError:
        path, colon, weight = text, "", 1.0
    lora = Lora(path if colon else text, weight)
    if not lora.path or weight != weight:
        raise UsageError(f"--lora {text!r} is no adapter; expected PATH or PATH:WEIGHT")
    return lora


def parse_extra(pairs: Iterable[str]) -> dict[str, Any]:
    """Arguments from ``key=value`` pairs; a value that is no JSON is a string.

    Raises
    ------
    UsageError
        No ``=``, a key given twice, or one that the sampler or another option sets.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--extra {pair!r} is no argument; expected key=value")
        if key in found:
            raise UsageError(f"--extra {key} is given twice; leave one of them out")
        if key in NAMED:
            raise UsageError(f"--extra {pair!r}: use {NAMED[key]} instead")
        if key in RESERVED:
            raise UsageError(f"--extra {pair!r}: bench sets {key} itself, from the samples")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


@dataclass(frozen=True, slots=True)
class Options:
    """How a pipeline is loaded and sampled; None is what the pipeline does by itself."""

    scheduler: str | None = described("Another scheduler: DDIM, EulerDiscrete, ...", metavar="NAME")
    negative_prompt: str | None = described("What the images should not show.", metavar="TEXT")
    #: Width and height.
    size: tuple[int, int] | None = described(
        "Pixels.  [default: the model's own]", read=parse_size, metavar="N|WxH"
    )
    variant: str | None = described("Which weight files: fp16, ema, ...", metavar="NAME")
    lora: tuple[Lora, ...] = described(
        "A LoRA in safetensors; repeat for several.",
        default=(),
        read=lambda texts: tuple(map(parse_lora, texts)),
        multiple=True,
        metavar="PATH[:WEIGHT]",
    )
    compile: bool = described("Compile the model (torch.compile).", False)
    offload: str | None = described(
        "Weights wait off the GPU: model, sequential.",
        read=one_of("--offload", OFFLOADS),
        metavar="HOW",
    )
    attention_slicing: bool = described("Less memory, slower.", False)
    vae_tiling: bool = described("Decode large images in tiles.", False)
    config: Path | None = described(
        "Pipeline folder with the configuration of a single .safetensors file.",
        read=Path,
        metavar="DIR",
    )
    trust_remote_code: bool = described("Run code that the model brings.", False)
    extra: dict[str, Any] = described(
        "Any other argument of the pipeline, the value as JSON; repeat for several.",
        default=dict,
        read=parse_extra,
        multiple=True,
        metavar="KEY=VALUE",
    )
    # Options that other models have too: the commands give them themselves.
    steps: int | None = None
    guidance_scale: float | None = None
    dtype: str | None = described(read=one_of("--dtype", DTYPES))
    device: str = "cpu"
