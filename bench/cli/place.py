"""A folder on the command line: a path, or a URL of a store that fsspec reaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Place(click.ParamType):
    """Like ``click.Path``, and takes ``s3://bucket/runs`` too."""

    name = "path"

    def __init__(self, **options: Any) -> None:
        self._path = click.Path(path_type=Path, **options)

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return a path."""
        if isinstance(value, str) and "://" in value:
            from bench.store.paths import place

            return place(value)
        return self._path.convert(value, param, context)


def runs_folder(
    name: str = "--runs", told: str = "Folder of the runs, where RUN is omitted or a name."
) -> Callable[[Command], Command]:
    """Return the option that says where the runs are; ``told`` is its help."""
    return click.option(
        name,
        type=Place(file_okay=False),
        default=Path("runs"),
        show_default=True,
        metavar="DIR",
        help=told,
    )
