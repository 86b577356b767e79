"""The options that say how a diffusers pipeline is sampled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

#: Names of the options below, as the sampler knows them.
NAMES = (
    "scheduler",
    "negative_prompt",
    "size",
    "variant",
    "lora",
    "compile",
    "offload",
    "attention_slicing",
    "vae_tiling",
    "config",
    "trust_remote_code",
    "extra",
)

_OPTIONS = (
    click.option("--scheduler", metavar="NAME", help="Another scheduler: DDIM, EulerDiscrete, ..."),
    click.option("--negative-prompt", metavar="TEXT", help="What the images should not show."),
    click.option("--size", metavar="N|WxH", help="Pixels.  [default: the model's own]"),
    click.option("--variant", metavar="NAME", help="Which weight files: fp16, ema, ..."),
    click.option(
        "--lora",
        multiple=True,
        metavar="PATH[:WEIGHT]",
        help="A LoRA in safetensors; repeat for several.",
    ),
    click.option("--compile", is_flag=True, help="Compile the model (torch.compile)."),
    click.option("--offload", metavar="HOW", help="Weights wait off the GPU: model, sequential."),
    click.option("--attention-slicing", is_flag=True, help="Less memory, slower."),
    click.option("--vae-tiling", is_flag=True, help="Decode large images in tiles."),
    click.option(
        "--config",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Pipeline folder with the configuration of a single .safetensors file.",
    ),
    click.option("--trust-remote-code", is_flag=True, help="Run code that the model brings."),
    click.option(
        "--extra",
        multiple=True,
        metavar="KEY=VALUE",
        help="Any other argument of the pipeline, the value as JSON; repeat for several.",
    ),
)


def sampling_options(command: Command) -> Command:
    """Add the options to a command, in the order above."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_sampling(options: dict[str, Any]) -> dict[str, Any]:
    """Take the sampling options out of a command's; only what was given is kept."""
    taken = {name: options.pop(name) for name in NAMES}
    return {name: value for name, value in taken.items() if value not in (None, False, ())}
