"""Options of ``bench run`` that only some samplers have, made from their own dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from bench.cli.numbers import Number
from bench.samplers.diffusers.options import Options
from bench.samplers.options import ApiOptions

Command = TypeVar("Command", bound=Callable[..., Any])


def _options() -> dict[str, Any]:
    """Click options by the name of their field."""
    found = {}
    for one in (*fields(Options), *fields(ApiOptions)):
        if one.metadata.get("help"):
            more = dict(one.metadata["click"])
            least, most = more.pop("at_least", None), more.pop("at_most", None)
            if least is not None:
                kind = click.IntRange if isinstance(least, int) else Number
                more["type"] = kind(min=least, max=most)
            if one.type == "bool":
                more["is_flag"] = True
            found[one.name] = click.option(
                f"--{one.name.replace('_', '-')}", one.name, help=one.metadata["help"], **more
            )
    return found


_OPTIONS = _options()


def sampling_options(command: Command) -> Command:
    """Add the options to a command, in the order of the fields."""
    for option in reversed(_OPTIONS.values()):
        command = option(command)
    return command


def take_sampling(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of a command's; only what was given is kept."""
    taken = {name: options.pop(name) for name in _OPTIONS}
    return {name: value for name, value in taken.items() if value not in (None, False, ())}
