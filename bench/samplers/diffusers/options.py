"""How a diffusers pipeline is to be sampled: what the user asked for, checked and frozen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UsageError

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


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; None means what the pipeline does by itself.

    Attributes
    ----------
    size : tuple of int or None
        Width and height in pixels.
    dtype : str or None
        One of `DTYPES`.
    offload : str or None
        One of `OFFLOADS`.
    """

    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    negative_prompt: str | None = None
    size: tuple[int, int] | None = None
    dtype: str | None = None
    variant: str | None = None
    device: str = "cpu"
    loras: tuple[Lora, ...] = ()
    compile: bool = False
    offload: str | None = None
    attention_slicing: bool = False
    vae_tiling: bool = False
    config: Path | None = None
    trust_remote_code: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from ``512`` or ``768x512``.

    Raises
    ------
    UsageError
        Anything else.
    """
    parts = text.lower().split("x")
    if len(parts) in (1, 2) and all(part.isascii() and part.isdigit() for part in parts):
        numbers = [int(part) for part in parts]
        if all(number > 0 for number in numbers):
            return numbers[0], numbers[-1]
    raise UsageError(f"--size {text!r} is no size; expected N or WxH in pixels, such as 768x512")


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
