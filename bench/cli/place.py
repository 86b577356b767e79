"""A folder on the command line: a path, or a URL of a store that fsspec reaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class FolderOrUrl(click.ParamType):
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


class _NamedOnce(click.Option):
    """An option whose later spellings are read and not shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        spellings, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = spellings


def runs_folder(
    help: str = "Folder of the runs, where RUN is omitted or a name.", *, as_out: bool = True
) -> Callable[[Command], Command]:
    """Return the option ``--runs``: the folder that the runs are in, in every command.

    Parameters
    ----------
    help : str
    as_out : bool
        Read ``--out`` too, as the commands that write nothing else once called it.
    """
    return click.option(
        *("--runs", "--out") if as_out else ("--runs",),
        "runs",
        cls=_NamedOnce,
        type=FolderOrUrl(file_okay=False),
        default=Path("runs"),
        show_default=True,
        metavar="DIR",
        help=help,
    )
