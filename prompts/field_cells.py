"""The cell of a row whose fields say what is asked, whether or not its prompt can be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prompts.cells import NO_CONTROL, Binding, Cell
from prompts.control_text import without_colours
from prompts.errors import shown
from prompts.list_fields import Asked, Row
from prompts.noun_phrases import Words
from prompts.parse import control_cell, free_cell
from prompts.reader import read_text
from prompts.text_tokens import fold

Cells = tuple[Cell, Cell | None]


def field_cells(row: Row, reading: Cells | str, words: Words) -> Cells:
    """Return the cell and control of a row with fields; see `prompts.prompt_list.row_cells`.

    Parameters
    ----------
    row : Row
    reading : (Cell, Cell or None) or str
        What its prompt says alone, or why that cannot be told.
    words : Words
    """
    found = None if isinstance(reading, str) else reading
    if found is not None and _agrees(row.asked, found[0]):
        return found
    whole = bool(row.asked) and all(subject is not None for _, subject in row.asked)
    if whole and not row.trusted:
        stands = any(
            word is not None and _position(row.prompt, word, words)
            for shade, subject in row.asked
            for word in (shade.name if shade else None, subject)
        )
        coloured = any(shade is not None for shade, _ in row.asked)
        # A subject alone makes a neutral control, which no foreign column may do.
        whole = stands if found is not None else stands or coloured
    if not whole:
        if found is not None:
            return found
        raise row.place.error(_why_unread(row, str(reading)))
    if found is not None and not row.trusted:
        _check_contradiction(row, found[0])
    bindings = tuple(
        Binding(None if shade is None else shade.name, subject or "")
        for shade, subject in row.asked
    )
    return _free_cells(row.prompt, bindings, words)


def _why_unread(row: Row, reason: str) -> str:
    shade = next((shade for shade, subject in row.asked if shade and subject is None), None)
    if shade is not None:
        return f"colour {shown(shade.name)} without a subject"
    return row.doubt or f"cannot tell what is asked in {shown(row.prompt)}: {reason}"


def _check_contradiction(row: Row, cell: Cell) -> None:
    said = {binding.subject: binding.colour for binding in cell.bindings}
    for shade, subject in row.asked:
        colour = said.get(subject or "")
        if shade is not None and colour is not None and colour != shade.name:
            raise row.place.error(
                f"the prompt asks for {shown(f'{colour} {subject}')} and its fields for "
                f"{shown(f'{shade.name} {subject}')}: mend one"
            )


def _agrees(bindings: Asked, cell: Cell) -> bool:
    """Say whether the fields, as far as they are filled in, say what the prompt says."""
    if len(bindings) != len(cell.bindings):
        return False
    return all(
        (colour is None or colour.name == binding.colour)
        and (subject is None or subject == binding.subject)
        for (colour, subject), binding in zip(bindings, cell.bindings, strict=True)
    )


def _position(text: str, word: str, words: Words) -> re.Match[str] | None:
    known = words.subjects.get(word)
    forms = {fold(word), fold(known.plural) if known else ""} - {""}
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", fold(text))


def _free_cells(text: str, bindings: tuple[Binding, ...], words: Words) -> Cells:
    bare = tuple(Binding(None, binding.subject) for binding in bindings)
    if bare == bindings:
        cell = free_cell(text, bare, "control")
        return cell, cell
    without = _without_colours(text, bindings, words)
    control = None if without is None else control_cell(without, bare, (), words)
    own_control = NO_CONTROL if control is None else control.id
    return free_cell(text, bindings, "prompt", control_id=own_control), control


def _without_colours(text: str, bindings: Sequence[Binding], words: Words) -> str | None:
    """Take out each colour where the text says it of a thing; None where it says it of none."""
    mentions = [one for one in read_text(text, words).mentions if one.shades and not one.aside]
    taken = []
    for binding in bindings:
        if binding.colour is None:
            continue
        same = [one for one in mentions if {shade.name for shade in one.shades} == {binding.colour}]
        own = [one for one in same if binding.subject in (one.subject, one.known)] or same
        if len({one.subject for one in own}) != 1 or any(one.first == one.head for one in own):
            return None
        taken += own
    return without_colours(text, taken)
