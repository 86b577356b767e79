"""A grid: the cells of one benchmark run, how many images each gets, and the words in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prompts.cells import NO_CONTROL, Cell, Samples, plan
from prompts.colours import BASIC, Colour
from prompts.errors import PromptError, shown
from prompts.hashing import content_hash
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, Subject
from prompts.tags import tag_cell, tag_familiarity

#: No grid asks for more images of one cell.
MOST_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells with all their controls, unique by id.

    Attributes
    ----------
    name : str
        Name of the preset, or of the user's file.
    cells : tuple of Cell
        At least one. The control of every cell that has one is among them.
    seeds : int
        Images of each cell.
    colours : tuple of Colour
        Every colour asked for, with its prototype.
    subjects : tuple of Subject
        Every subject asked for.
    skipped : tuple of str
        Prompts of the user's file that are not read, each with its place and the reason.

    Raises
    ------
    PromptError
        For an empty grid, two cells with one id, a missing control, or seeds below 1.
    """

    name: str
    cells: tuple[Cell, ...]
    seeds: int = 1
    colours: tuple[Colour, ...] = BASIC
    subjects: tuple[Subject, ...] = SUBJECT_LIST
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.cells:
            raise PromptError(
                f"grid {shown(self.name)} is empty: name at least one colour and one subject",
                "grid",
            )
        check_seeds(self.seeds)
        counts = Counter(cell.id for cell in self.cells)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise PromptError(f"grid {shown(self.name)} has two cells {shown(twice)}", "grid")
        for cell in self.cells:
            if cell.control_id != NO_CONTROL and cell.control_id not in counts:
                raise PromptError(
                    f"grid {shown(self.name)} lacks {cell.control_id}, the control of {cell.id}: "
                    "add that cell to the grid",
                    "grid",
                )

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def images(self) -> int:
        """Number of images that the grid asks for."""
        return len(self.cells) * self.seeds

    @property
    def hash(self) -> str:
        """Content hash of what is asked: ids, texts and controls, and the number of seeds.

        The name, the tags and the order do not count: the same images are asked for.
        """
        rows = sorted((cell.id, cell.text, cell.control_id) for cell in self.cells)
        return content_hash("grid", str(self.seeds), *(part for row in rows for part in row))

    def samples(self) -> Samples:
        """Return all samples, seed-major; see `prompts.cells.plan`."""
        return plan(self.cells, self.seeds)


def check_seeds(seeds: int) -> None:
    """Raise a `PromptError` where a number of images a cell is not a whole number from 1."""
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
        raise PromptError(
            f"seeds must be a whole number from 1 to {MOST_SEEDS}, got {shown(seeds)}", "grid"
        )


def unique(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return the cells in order, each id once."""
    return tuple({cell.id: cell for cell in cells}.values())


def keep(
    cells: Iterable[Cell],
    colours: Collection[str],
    subjects: Collection[str],
    templates: Collection[str] | None = None,
) -> tuple[Cell, ...]:
    """Return the cells that ask for these words only, and their controls.

    The neutral controls of the subjects ("a potato") stay too, unless templates are named and
    ``control`` is not among them.
    """
    cells = tuple(cells)
    kept: set[str] = set()
    for cell in cells:
        if any(binding.subject not in subjects for binding in cell.bindings):
            continue
        if cell.template == "control":
            bare = not cell.scenery and len(cell.bindings) == 1
            if bare and (templates is None or "control" in templates):
                kept.add(cell.id)
            continue
        fits = all(one.colour is None or one.colour in colours for one in cell.bindings)
        if fits and (templates is None or cell.template in templates):
            kept |= {cell.id, cell.control_id}
    return tuple(cell for cell in cells if cell.id in kept)


def finish_grid(
    name: str,
    cells: tuple[Cell, ...],
    seeds: int,
    colours: Sequence[Colour],
    subjects: Sequence[Subject],
    manifest: TrainingManifest | None = None,
) -> Grid:
    """Tag the cells and make a grid of them, with those of the colours and subjects it asks for."""
    grid = part_of(Grid(name, cells, seeds, tuple(colours), tuple(subjects)), cells)
    things = {one.name: one for one in grid.subjects}
    shades = {one.name: one for one in grid.colours}
    return replace(grid, cells=tuple(tag_cell(one, manifest, things, shades) for one in cells))


def part_of(grid: Grid, cells: tuple[Cell, ...]) -> Grid:
    """Return a grid of some cells, with those of its colours and subjects they ask for."""
    asked = {binding for cell in cells for binding in cell.bindings}
    colours = {binding.colour for binding in asked}
    subjects = {binding.subject for binding in asked}
    return replace(
        grid,
        cells=cells,
        colours=tuple(one for one in grid.colours if one.name in colours),
        subjects=tuple(one for one in grid.subjects if one.name in subjects),
    )


def with_familiarity(grid: Grid, manifest: TrainingManifest) -> Grid:
    """Return the grid tagged ``seen`` and ``novel`` by what a model was trained on."""
    return replace(grid, cells=tuple(tag_familiarity(cell, manifest) for cell in grid.cells))
