"""Prompt lists of other benchmarks as presets, with the number of images that they publish with.

The texts are theirs, word for word, in ``prompts/sets`` with their licences (a full stop at the end
is not asked for); what is asked in each is what this suite's reader makes of it
(`prompts.reader`), and a prompt that it does not read is counted. How their numbers compare with
those of this suite: docs/compare.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from prompts.colours import BASIC
from prompts.errors import PromptError
from prompts.grid import Grid, check_seeds, finish_grid, keep, part_of, unique
from prompts.list_fields import Row
from prompts.manifest import TrainingManifest
from prompts.prompt_list import read_rows
from prompts.source_location import Place

FOLDER = Path(__file__).parent / "sets"


@dataclass(frozen=True, slots=True)
class FieldSet:
    """A list of prompts that others publish numbers for.

    Attributes
    ----------
    name, summary : str
    seeds : int
        Images a prompt, by its own protocol.
    file : str
        In `FOLDER`.
    part : tuple of int
        First of its lines, and the one after the last.
    """

    name: str
    summary: str
    seeds: int
    file: str
    part: tuple[int, int] = (0, 1_000_000)


_COMPBENCH = "t2i-compbench-color"
FIELD_SETS: dict[str, FieldSet] = {
    one.name: one
    for one in (
        FieldSet("geneval-colors", "GenEval's task colors: 94 prompts", 4, "geneval-colors.txt"),
        FieldSet(
            "geneval-color-attr",
            "GenEval's task color_attr: 100 prompts",
            4,
            "geneval-color-attr.txt",
        ),
        FieldSet(_COMPBENCH, "T2I-CompBench's colour prompts: 300", 10, f"{_COMPBENCH}.txt"),
        FieldSet(
            f"{_COMPBENCH}-seen",
            "the seen part of them: 200",
            10,
            f"{_COMPBENCH}.txt",
            (0, 200),
        ),
        FieldSet(
            f"{_COMPBENCH}-unseen",
            "the unseen part of them: 100",
            10,
            f"{_COMPBENCH}.txt",
            (200, 300),
        ),
    )
}


def field_grid(
    name: str,
    *,
    colours: Iterable[str] | None = None,
    subjects: Iterable[str] | None = None,
    templates: Iterable[str] | None = None,
    seeds: int | None = None,
    manifest: TrainingManifest | None = None,
) -> Grid:
    """Make the grid of a field set, or of a part of it, with the control of every prompt.

    Parameters
    ----------
    name : str
        Of `FIELD_SETS`.
    colours, subjects, templates : iterable of str, optional
        Keep those cells that ask for nothing else, with their controls.
    seeds : int, optional
        Images a prompt, in place of its own protocol's.
    manifest : TrainingManifest, optional
        For the tags ``seen`` and ``novel``.

    Returns
    -------
    Grid
        Its ``skipped`` tells which prompts are not read, and why.

    Raises
    ------
    PromptError
        Nothing of the set is left by this choice of words.
    """
    chosen = FIELD_SETS[name]
    if seeds is not None:
        check_seeds(seeds)
    lines = (FOLDER / chosen.file).read_text(encoding="utf-8").splitlines()
    numbered = list(enumerate(lines, 1))[slice(*chosen.part)]
    listed = read_rows([Row(Place(chosen.file, n), text) for n, text in numbered], strict=False)
    shades = {**{one.name: one for one in BASIC}, **listed.colours}
    grid = finish_grid(
        name,
        unique(listed.cells),
        seeds or chosen.seeds,
        list(shades.values()),
        list(listed.subjects.values()),
        manifest,
    )
    templates = None if templates is None else tuple(templates)
    if not (colours is None and subjects is None and templates is None):
        cells = keep(
            grid.cells,
            {one.name for one in grid.colours} if colours is None else set(colours),
            {one.name for one in grid.subjects} if subjects is None else set(subjects),
            templates,
        )
        wants_controls = templates is not None and "control" in templates
        if not cells or not (wants_controls or any(one.template != "control" for one in cells)):
            raise PromptError(f"nothing of preset {name} is left by this choice of words", "grid")
        grid = part_of(grid, cells)
    return replace(grid, skipped=tuple(listed.skipped))
