"""Cells and samples: one prompt of a grid, and one image asked for from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from prompts.hashing import content_hash, seed_from

#: Version of what a sample id means. It changes when an old id would ask for another image.
SUITE_VERSION = "1"
#: Id of the control of a cell that has none.
NO_CONTROL = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A colour asked for on a thing; ``colour`` is None where the prompt names no colour."""

    colour: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One prompt of a grid.

    Attributes
    ----------
    id : str
        Stable slug, the same in every grid that holds this prompt; made from the template and the
        words, e.g. ``single/blue/potato``.
    text : str
        The prompt.
    bindings : tuple of Binding
        The subjects judged, in the order of the prompt (one, or two for a pair).
    template : str
        Name of the template, e.g. ``single``, ``control``, ``plate``, ``wall``, ``frame``,
        ``table``, ``pair``.
    control_id : str
        Id of the cell with the same words but no colour on the judged subjects; its own id for a
        control; `NO_CONTROL` where there is none. Cells of one control share their seeds.
    scenery : tuple of Binding
        Neighbours and backgrounds that the prompt names, e.g. ``(Binding("white", "plate"),)``.
    tags : frozenset of str
        ``single`` / ``distractor`` / ``pair`` / ``control``; ``canonical`` / ``uncanonical`` /
        ``anti-canonical``; ``seen`` / ``novel`` where a training manifest is known.
    """

    id: str
    text: str
    bindings: tuple[Binding, ...]
    template: str
    control_id: str
    scenery: tuple[Binding, ...] = ()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """One image asked for: a cell and the index of the image within the cell.

    ``id`` is a content hash of the suite version, the cell's id and text and the index. ``seed``
    comes from the control's id and the index alone, so that a coloured prompt and its control
    start from the same noise.
    """

    cell: Cell
    index: int

    @property
    def id(self) -> str:
        """Content hash of the suite version, the cell's id and text, and the index."""
        return content_hash(SUITE_VERSION, self.cell.id, self.cell.text, str(self.index))

    @property
    def seed(self) -> int:
        """Seed in [0, 2**63), shared with the sample of the same index of the control."""
        return seed_from(SUITE_VERSION, self.cell.control_id or self.cell.id, str(self.index))


class Samples(Sequence[Sample]):
    """Samples of a grid, each made when it is looked at, so that a million of them cost nothing.

    Parameters
    ----------
    cells : sequence of Cell
    places : range
        Positions in the whole, seed-major.
    """

    def __init__(self, cells: Sequence[Cell], places: range) -> None:
        self._cells, self._places = cells, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Sample: ...

    @overload
    def __getitem__(self, place: slice) -> Samples: ...

    def __getitem__(self, place: int | slice) -> Sample | Samples:
        if isinstance(place, slice):
            return Samples(self._cells, self._places[place])
        index, cell = divmod(self._places[place], len(self._cells))
        return Sample(self._cells[cell], index)


def plan(cells: Sequence[Cell], seeds: int) -> Samples:
    """All samples of a grid, ``seeds`` a cell, seed-major so that a run cut short has all cells."""
    return Samples(cells, range(len(cells) * seeds))
