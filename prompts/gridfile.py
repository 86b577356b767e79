"""A grid from a user's file: TOML for a grid, CSV, JSON lines or text for a list of prompts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from prompts.colours import BASIC
from prompts.errors import PromptError, shown, unknown
from prompts.grid import Grid, check_seeds, finish_grid, keep, part_of, unique
from prompts.prompt_list import read_list
from prompts.source_location import Place, read_file
from prompts.tables import TABLES
from prompts.toml_grid import read_toml

SUFFIXES: tuple[str, ...] = (".toml", ".txt", *TABLES)


def load_grid(
    path: str | Path,
    *,
    colours: Iterable[str] | None = None,
    subjects: Iterable[str] | None = None,
    templates: Iterable[str] | None = None,
    seeds: int | None = None,
    strict: bool = True,
) -> Grid:
    """Read a grid or a list of prompts.

    Parameters
    ----------
    path : str or Path
        ``.toml``, ``.txt``, or a table (`prompts.tables`).
    colours, subjects, templates : iterable of str, optional
        Keep those cells of the file that ask for nothing else, with their controls.
    seeds : int, optional
        Images a cell, instead of what the file says (1 where it says nothing).
    strict : bool
        Raise at the first prompt of a list that is not read; else the grid tells it in ``skipped``.

    Returns
    -------
    Grid
        With the control of every cell; a prompt that stands twice is there once.

    Raises
    ------
    PromptError
        With file, line and key for anything that cannot be read, and for an empty grid.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise PromptError(
            f"{path}: a grid file ends in {', '.join(SUFFIXES)}, got {shown(suffix)}", "file"
        )
    skipped: tuple[str, ...] = ()
    if suffix == ".toml":
        grid = read_toml(read_file(file), str(path), file.stem)
    else:
        listed = read_list(path, strict=strict)
        skipped = tuple(listed.skipped)
        if not listed.cells:
            first = f"; {len(skipped)} are not read: {skipped[0]}" if skipped else ""
            raise Place(str(path)).error(f"the grid is empty: no prompt in the file{first}", "grid")
        shades = {**{one.name: one for one in BASIC}, **listed.colours}
        known = list(listed.subjects.values())
        grid = finish_grid(file.stem, unique(listed.cells), 1, list(shades.values()), known)
    grid = _part(grid, str(path), colours, subjects, templates)
    if seeds is not None:
        check_seeds(seeds)
        grid = replace(grid, seeds=seeds)
    return replace(grid, skipped=skipped)


def _part(
    grid: Grid,
    path: str,
    colours: Iterable[str] | None,
    subjects: Iterable[str] | None,
    templates: Iterable[str] | None,
) -> Grid:
    if colours is None and subjects is None and templates is None:
        return grid
    shades = _known("colour", colours, [one.name for one in grid.colours], path)
    things = _known("subject", subjects, [one.name for one in grid.subjects], path)
    forms = None
    if templates is not None:
        forms = _known("template", templates, sorted({cell.template for cell in grid}), path)
    cells = keep(grid.cells, shades, things, forms)
    if not cells:
        raise Place(path).error("nothing of the grid is left by this choice of words", "grid")
    return part_of(grid, cells)


def _known(kind: str, names: Iterable[str] | None, known: list[str], path: str) -> list[str]:
    if names is None:
        return known
    folded = {name.casefold(): name for name in known}
    found = []
    for name in names:
        word = (
            name.casefold()
            if name.casefold() in folded
            else name.casefold().replace("grey", "gray")
        )
        if word not in folded:
            raise unknown(kind, name, known, f"({path})")
        found.append(folded[word])
    return found
