"""The options that say how a model behind an image API is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

#: Names of the options below, as the sampler knows them.
NAMES = ("base_url", "concurrency", "rate", "price")

_OPTIONS = (
    click.option(
        "--base-url",
        metavar="URL",
        help="Image API of openai-images:NAME; the key is read from BENCH_API_KEY or "
        "OPENAI_API_KEY.  [default: https://api.openai.com/v1]",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1, max=256),
        metavar="N",
        help="Requests to the API at once.  [default: 4]",
    ),
    click.option("--rate", metavar="N/min", help="Requests to the API at most; also N/s, N/h."),
    click.option(
        "--price",
        type=click.FloatRange(min=0),
        metavar="X",
        help="Price of one image of the API: the cost is counted and recorded.",
    ),
)


def api_options(command: Command) -> Command:
    """Add the options to a command, in the order above."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_api(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of a command's; only what was given is kept."""
    taken = {name: options.pop(name) for name in NAMES}
    return {name: value for name, value in taken.items() if value is not None}
