"""From what is said of a picture to the cell that it is a picture of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prompts.cells import Cell
from prompts.colours import Colour
from prompts.errors import PromptError, shown
from prompts.grammar import plural
from prompts.grid import Grid
from prompts.list_fields import KNOWN, Row
from prompts.manifest import TrainingManifest
from prompts.noun_phrases import Words
from prompts.prompt_list import make_row, row_cells
from prompts.source_location import Place
from prompts.subjects import SUBJECTS, Subject
from prompts.tags import tag_cell
from prompts.text_tokens import fold

#: Distinct prompts whose answers are remembered.
REMEMBERED = 1 << 16


class Matcher:
    """Reads prompts, and remembers the cells that they gave.

    Parameters
    ----------
    grid : Grid, optional
        Prompts of a grid are matched by their text; the colours and subjects of its own are read
        in any other prompt too.
    training : TrainingManifest, optional
        For the tags ``seen`` and ``novel``.
    """

    def __init__(self, grid: Grid | None = None, training: TrainingManifest | None = None) -> None:
        self.cells: dict[str, Cell] = {}
        self._training = training
        self._by_text = {fold(cell.text): cell for cell in grid or ()}
        self._colours = {one.name: one for one in (grid.colours if grid else ())}
        self._subjects = {**SUBJECTS, **{one.name: one for one in (grid.subjects if grid else ())}}
        self._words = Words(self._colours, self._subjects)
        self._answers: dict[tuple[Any, ...], Cell | str] = {}

    @property
    def colours(self) -> list[Colour]:
        """Colours outside the basic terms that were met so far, and those of the grid."""
        return list(self._colours.values())

    def match(self, fields: Mapping[str, Any]) -> Cell | str:
        """Return the cell of a picture, or why there is none, in words.

        Parameters
        ----------
        fields : mapping
            ``prompt``, and where they are told ``colour``, ``subject``, ``hex``, ``colour2``, ...

        Returns
        -------
        Cell or str
            One object a cell id: of two spellings of one prompt the first is kept.
        """
        key = tuple((name, str(fields[name])) for name in KNOWN if name in fields)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._read(fields)
            if len(self._answers) < REMEMBERED:
                self._answers[key] = answer
        return answer

    def _read(self, fields: Mapping[str, Any]) -> Cell | str:
        if not fields.get("prompt"):
            return "no prompt"
        try:
            row = make_row(fields, Place(""))
            known = self._by_text.get(fold(row.prompt))
            if known is None:
                self._learn(row)
                known = row_cells(row, self._words)[0]
        except PromptError as error:
            return str(error).removeprefix(": ")
        if known.id not in self.cells:
            self.cells[known.id] = tag_cell(known, self._training, self._subjects, self._colours)
        return self.cells[known.id]

    def _learn(self, row: Row) -> None:
        """Take in words of a row that are outside the vocabulary."""
        colours: dict[str, Colour] = {}
        subjects: dict[str, Subject] = {}
        for shade, name in row.asked:
            if shade is not None:
                before = self._colours.get(shade.name)
                if before is not None and before.srgb != shade.srgb:
                    raise row.place.error(
                        f"colour {shown(shade.name)} is {shade.hex} here and {before.hex} before"
                    )
                if before is None:
                    colours[shade.name] = shade
            if name is not None and name not in self._subjects:
                subjects[name] = Subject(name, plural=plural(name))
        if colours or subjects:
            self._colours |= colours
            self._subjects |= subjects
            self._words = Words(self._colours, self._subjects)
