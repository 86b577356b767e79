"""The options that say which prompts are meant, shared by every command that needs a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from prompts.grid import Grid
    from prompts.manifest import TrainingManifest

Command = TypeVar("Command", bound=Callable[..., Any])


def _words(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> list[str]:
    """Split "red, blue" and repeated options into words."""
    words = [word.strip() for value in given for word in value.split(",") if word.strip()]
    if given and not words:
        raise click.BadParameter("names nothing; leave it out to mean all.")
    return words


#: Prompts of a list that are not read and are shown one by one.
SKIPPED_SHOWN = 20
#: Bytes from which on a file of prompts takes seconds to read.
LARGE_FILE = 1_000_000
_FILE = click.Path(dir_okay=False, path_type=Path)

_OPTIONS = (
    click.option(
        "--preset",
        metavar="NAME",
        help="Released grid: quick, default (when nothing is named), full or pairs; or prompts of "
        "others: geneval-colors, geneval-color-attr, t2i-compbench-color[-seen, -unseen].",
    ),
    click.option(
        "--grid",
        "grid_file",
        type=_FILE,
        metavar="FILE",
        help="Your own grid (TOML) or list of prompts (text, CSV, JSONL, JSON).",
    ),
    click.option(
        "--colours",
        "--colors",
        "colours",
        multiple=True,
        callback=_words,
        metavar="NAMES",
        help="Keep these colours only: red,blue.",
    ),
    click.option(
        "--subjects",
        multiple=True,
        callback=_words,
        metavar="NAMES",
        help="Keep these subjects only: potato,cup.",
    ),
    click.option(
        "--templates",
        multiple=True,
        callback=_words,
        metavar="NAMES",
        help="Keep these forms only: single, control, plate, wall, frame, table, each also with "
        "-plain, pair, or distractor for all scenes.",
    ),
    click.option(
        "--scenery",
        multiple=True,
        callback=_words,
        metavar="NAMES",
        help="Colours of plates, walls, frames and tables.  [default: white,gray,black,brown]",
    ),
    click.option(
        "--strict", is_flag=True, help="Stop at the first prompt of --grid that is not read."
    ),
    click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Images of each prompt."),
    click.option(
        "--captions",
        type=_FILE,
        metavar="FILE",
        help="Training captions (text, JSONL, Parquet): tags each prompt as seen or novel.",
    ),
)


def grid_options(function: Command) -> Command:
    """Add the options to a command; it gets them as keyword arguments of `resolve_grid`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _tell_large(path: str | Path) -> None:
    """Say that a file is read, where it is so large that reading takes long."""
    if Path(path).is_file() and (size := Path(path).stat().st_size) >= LARGE_FILE:
        click.echo(f"reading {path}, {size / 1e6:.0f} MB", err=True)


def _list_skipped(name: str, skipped: Sequence[str]) -> None:
    """Count the prompts of a list that are not read, and list the first."""
    from prompts.errors import printable

    click.echo(f"{printable(name)}: {len(skipped):,} prompts are not read", err=True)
    for line in skipped[:SKIPPED_SHOWN]:
        click.echo(f"not read: {printable(line)}", err=True)
    if len(skipped) > SKIPPED_SHOWN:
        click.echo(f"not read: {len(skipped) - SKIPPED_SHOWN:,} more", err=True)


def resolve_grid(
    *,
    preset: str | None = None,
    grid_file: Path | None = None,
    colours: list[str] | None = None,
    subjects: list[str] | None = None,
    templates: list[str] | None = None,
    scenery: list[str] | None = None,
    seeds: int | None = None,
    captions: Path | None = None,
    manifest: TrainingManifest | None = None,
    strict: bool = False,
) -> Grid:
    """Make the grid that the options name.

    Parameters
    ----------
    preset, grid_file, colours, subjects, templates, scenery, seeds, captions, strict
        As `grid_options` gives them; empty lists mean everything.
    manifest : TrainingManifest, optional
        What the model was trained on, where it is known; ``captions`` comes before it.

    Raises
    ------
    bench.errors.UsageError
        For unknown names, files that cannot be read, and grids with nothing in them.
    """
    from bench.errors import UsageError
    from prompts.errors import PromptError

    if preset is not None and grid_file is not None:
        raise UsageError(
            f"--preset {preset} and --grid {grid_file} are two grids: leave one of them out"
        )
    if grid_file is not None and scenery:
        raise UsageError(
            f"--scenery belongs to a preset: write scenery = [...] into {grid_file} instead"
        )
    try:
        if grid_file is not None:
            from prompts.gridfile import load_grid

            _tell_large(grid_file)
            grid = load_grid(
                grid_file,
                colours=colours or None,
                subjects=subjects or None,
                templates=templates or None,
                seeds=seeds,
                strict=strict,
            )
        else:
            from prompts.grids import build_grid

            grid = build_grid(
                preset or "default",
                colours=colours or None,
                subjects=subjects or None,
                templates=templates or None,
                scenery=scenery or None,
                seeds=seeds,
            )
        if grid.skipped:
            _list_skipped(grid.name, grid.skipped)
        if captions is not None:
            from bench.importers.caption_files import read_manifest

            manifest = read_manifest(captions, grid.colours, grid.subjects)
    except PromptError as error:
        raise UsageError(str(error)) from error
    if manifest is not None:
        from prompts.grid import with_familiarity

        grid = with_familiarity(grid, manifest)
    return grid
