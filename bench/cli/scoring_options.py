"""The options that say how pictures are scored, wherever they are from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

#: Scorers where none is named.
SCORERS = ("segmentation", "clip")

_OPTIONS = (
    click.option(
        "--segmenter",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="What finds the subject in the image.",
    ),
    click.option(
        "--scorer",
        "scorers",
        multiple=True,
        metavar="NAME",
        callback=lambda context, option, given: given or SCORERS,
        help="What measures; repeat for several.  [default: segmentation, clip]",
    ),
    click.option(
        "--clip", metavar="SPEC", help="CLIP to use: bundled, ViT-B-16:openai, model:FILE."
    ),
    click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps."),
)


def scoring_options(command: Command) -> Command:
    """Add the options to a command, in the order above."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
