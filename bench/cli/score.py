"""``bench score``: pictures that exist, scored and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.place import runs_folder
from bench.cli.scoring_options import finish, scoring_options

_FILE = click.Path(dir_okay=False, path_type=Path)


def _tiles(
    _context: click.Context, _option: click.Parameter, given: str | None
) -> tuple[int, int] | None:
    if given is None:
        return None
    columns, _, rows = given.lower().partition("x")
    if not (columns.isdecimal() and rows.isdecimal()) or not 1 <= int(columns) * int(rows) <= 1024:
        raise click.BadParameter(f"{given!r}; expected columns x rows, such as 4x2, at most 1024.")
    return int(columns), int(rows)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--layout",
    metavar="NAME",
    help="geneval, imagefolder, list, webdataset, parquet or beside.  [default: found out]",
)
@click.option(
    "--images",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder that the paths of a list are relative to.  [default: the list's own]",
)
@click.option(
    "--tiles",
    callback=_tiles,
    metavar="MxN",
    help="Each picture is a contact sheet of M columns and N rows of samples.",
)
@click.option(
    "--prompt-column",
    metavar="NAME",
    help="Column or key of the prompt.  [default: prompt, text or caption]",
)
@click.option(
    "--image-column",
    metavar="NAME",
    help="Column of the path or the bytes.  [default: file_name, path, image, ...]",
)
@click.option(
    "--grid",
    "grid_file",
    type=_FILE,
    metavar="FILE",
    help="Your own grid (TOML) or prompts (JSONL, CSV), for words outside the vocabulary.",
)
@click.option(
    "--captions",
    type=_FILE,
    metavar="FILE",
    help="Training captions (text, JSONL, Parquet): tags each prompt as seen or novel.",
)
@click.option(
    "--unmatched",
    type=_FILE,
    metavar="FILE",
    help="Write the pictures whose prompt is not read, with the reason (CSV).",
)
@click.option("--model", metavar="NAME", help="What made the pictures, for summary and report.")
@click.option("--name", metavar="NAME", help="Name of the run.  [default: score- and PATH]")
@runs_folder("Folder of the runs.")
@scoring_options
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Score the first N pictures only; the run is not comparable.",
)
@click.option(
    "--devices",
    metavar="LIST",
    help="One process each: 0,0,1 or cpu,cpu.  [default: one; on a GPU as many as it is worth]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(**options: Any) -> None:
    """Score pictures that exist already, and print a summary.

    PATH is a folder or a file: GenEval's layout, an imagefolder with metadata, a list of paths and
    prompts, Parquet, tar or zip archives, or pictures with their prompts beside them, within them
    or in their names. The result is a run like any other. Stopped at any moment, the same command
    goes on where it was.
    """
    from bench.cli.grid_options import resolve_grid
    from bench.run.spec import PictureSource, RunSpec

    as_json, yes = options.pop("as_json"), options.pop("yes")
    trackers = options.pop("trackers")
    options["out"] = options.pop("runs")
    grid_file, captions = options.pop("grid_file"), options.pop("captions")
    grid = resolve_grid(grid_file=grid_file) if grid_file else None
    training = None
    if captions is not None:
        from bench.importers.caption_files import read_manifest

        words = (grid.colours, grid.subjects) if grid else ()
        training = read_manifest(captions, *words)
    ours = (
        "path",
        "layout",
        "images",
        "tiles",
        "prompt_column",
        "image_column",
        "unmatched",
        "model",
    )
    of_pictures = {name: options.pop(name) for name in ours}
    source = PictureSource(grid=grid, training=training, **of_pictures)
    finish(RunSpec(source, **options), as_json, yes, trackers)
