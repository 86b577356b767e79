"""Options of samplers: frozen dataclasses, from which the options of the commands are made.

A field that `described` marks with a help is an option of ``bench run``; how its text is read
stands beside it. There is no second list of them.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from bench.errors import UsageError

Chosen = TypeVar("Chosen")


def described(
    help: str = "", default: Any = None, *, read: Callable[[Any], Any] | None = None, **click: Any
) -> Any:
    """A field with what the command line needs of it.

    Parameters
    ----------
    help : str
        One line for ``--help``; without it the field is no option of its own.
    default : object
        A value, or a type that makes one.
    read : callable, optional
        Makes the value of what was given.
    **click
        Further arguments of ``click.option``.
    """
    about = {"help": help, "read": read, "click": click}
    if isinstance(default, type):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


def chosen(options: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """Options from what was given as text, numbers and flags; None is what was not given.

    Raises
    ------
    UsageError
        A value that cannot be read.
    """
    known = {one.name for one in fields(options)}  # type: ignore[arg-type]
    if strange := given.keys() - known:
        raise TypeError(f"{options.__name__} has no {', '.join(sorted(strange))}")
    values = {}
    for one in fields(options):  # type: ignore[arg-type]
        value = given.get(one.name)
        if value is not None:
            read = one.metadata.get("read")
            values[one.name] = value if read is None else read(value)
    return options(**values)


def signature_of(options: type, *others: str) -> inspect.Signature:
    """Signature of what takes the fields of some options and others beside them, all by name."""
    defaults = {
        one.name: one.default if one.default is not MISSING else None for one in fields(options)
    }
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name))
            for name in dict.fromkeys((*others, *defaults))
        ]
    )


def one_of(option: str, known: tuple[str, ...]) -> Callable[[str], str]:
    """A reader that takes one of a few words."""

    def read(value: str) -> str:
        if value not in known:
            raise UsageError(f"{option} {value!r} is unknown; known: {', '.join(known)}")
        return value

    return read


def number(option: str) -> Callable[[float], float]:
    """A reader that takes numbers and no NaN."""

    def read(value: float) -> float:
        if not math.isfinite(value):
            raise UsageError(f"{option} {value!r} is no number")
        return value

    return read


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from ``512`` or ``768x512``.

    Raises
    ------
    UsageError
        Anything else.
    """
    parts = str(text).lower().split("x")
    if len(parts) in (1, 2) and all(part.isascii() and part.isdigit() for part in parts):
        numbers = [int(part) for part in parts]
        if all(number > 0 for number in numbers):
            return numbers[0], numbers[-1]
    raise UsageError(f"--size {text!r} is no size; expected N or WxH in pixels, such as 768x512")


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """How a model behind an image API is asked."""

    base_url: str | None = described(
        "Image API of openai-images:NAME; its key is read from BENCH_API_KEY, that of OpenAI also "
        "from OPENAI_API_KEY.  [default: https://api.openai.com/v1]",
        metavar="URL",
    )
    allow_http: bool = described(
        "Send prompts and key to a host other than this machine without encryption.", False
    )
    concurrency: int = described(
        "Requests to the API at once.  [default: 4]", 4, metavar="N", at_least=1, at_most=256
    )
    rate: str | None = described("Requests to the API at most; also N/s, N/h.", metavar="N/min")
    price: float | None = described(
        "Price of one image of the API: the cost is counted and recorded.",
        read=number("--price"),
        metavar="X",
        at_least=0.0,
    )
    #: Width and height to ask for, and to insist on.
    size: tuple[int, int] | None = described(read=parse_size)
    #: Further fields of a request, ``KEY=VALUE``.
    extra: tuple[str, ...] = described(default=())
    #: Seconds for an answer.
    timeout: float = 300.0
