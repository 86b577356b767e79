"""How a pipeline is called: which arguments it has, and what each resolves to."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import UsageError
from bench.registry import nearest
from bench.samplers.diffusers.options import NAMED, RESERVED, Options

#: Longer values are recorded by their hash.
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a pipeline that are the same for every image.

    Attributes
    ----------
    arguments : mapping
        Given in every call; what is not there stays with the pipeline.
    resolved : mapping
        Every argument with a plain value, given or default, for the record.
    many_generators : bool
        Whether the pipeline takes a list of generators, one a prompt.
    knows : frozenset of str
        Names of all its arguments.
    """

    arguments: Mapping[str, Any]
    resolved: Mapping[str, Any]
    many_generators: bool
    knows: frozenset[str]


def make_call(pipeline: Any, options: Options) -> Call:
    """Check what was asked for against the arguments of a pipeline.

    Raises
    ------
    UsageError
        An argument that the pipeline does not have.
    """
    parameters = inspect.signature(type(pipeline).__call__).parameters
    name = type(pipeline).__name__
    given: dict[str, Any] = {
        "num_inference_steps": options.steps,
        "guidance_scale": options.guidance_scale,
        "negative_prompt": options.negative_prompt,
        "width": options.size[0] if options.size else None,
        "height": options.size[1] if options.size else None,
    }
    arguments = {key: value for key, value in given.items() if value is not None}
    for key in arguments:
        if key not in parameters:
            raise UsageError(
                f"{name} has no argument {key}; leave {NAMED[key]} out"
                + _similar(key, parameters, options.extra)
            )
    for key in options.extra:
        if key not in parameters:
            guess = nearest(key, [p for p in parameters if p not in RESERVED])
            hint = f"; did you mean {guess!r}?" if guess else ""
            raise UsageError(f"{name} has no argument {key!r} (--extra){hint}")
    arguments |= options.extra
    scale = arguments.get("true_cfg_scale", _default(parameters, "true_cfg_scale"))
    if options.negative_prompt is not None and "true_cfg_scale" in parameters and scale <= 1:
        raise UsageError(
            f"{name} looks at --negative-prompt only where true_cfg_scale is above 1; add "
            "--extra true_cfg_scale=4"
        )
    return Call(
        arguments,
        _resolved(parameters, arguments),
        _takes_list(parameters["generator"]) if "generator" in parameters else False,
        frozenset(parameters),
    )


def _similar(key: str, parameters: Mapping[str, Any], extra: Mapping[str, Any]) -> str:
    if key == "guidance_scale" and "true_cfg_scale" in parameters and "true_cfg_scale" not in extra:
        return ", or use --extra true_cfg_scale=X"
    return ""


def _default(parameters: Mapping[str, inspect.Parameter], key: str) -> Any:
    return parameters[key].default if key in parameters else None


def _takes_list(parameter: inspect.Parameter) -> bool:
    """Whether the annotation of ``generator`` speaks of a list."""
    return "list" in str(parameter.annotation).lower()


def _resolved(
    parameters: Mapping[str, inspect.Parameter], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, parameter in parameters.items():
        if key in RESERVED or key == "self" or key.startswith("callback"):
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        value = arguments.get(key, parameter.default)
        if value is None or value is parameter.empty or not _plain(value):
            continue
        text = json.dumps(value)
        if len(text) > LONGEST:
            value = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        found[key] = value
    return found


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _plain(v) for k, v in value.items())
    return value is None or isinstance(value, str | bool | int | float)
