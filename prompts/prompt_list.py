"""A list of prompts, one a row: text or a table, with or without colour and subject.

A prompt that `prompts.parse` can read needs nothing else. Any other one names the colour and the
subject that are to be judged; its control is the same text without the word of the colour, and it
has none where that word does not stand in it, or its being taken out leaves no sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prompts.cells import Cell
from prompts.colour_names import named_colour, parse_hex
from prompts.colours import COLOURS, Colour
from prompts.custom_vocabulary import ACHROMATIC_SPREAD, own_colour
from prompts.errors import PromptError, shown
from prompts.field_cells import field_cells
from prompts.grammar import plural
from prompts.list_fields import (
    FIELD_OF,
    OTHER_TASKS,
    SUFFIXES,
    Asked,
    Row,
    check_keys,
    included,
    of_questions,
)
from prompts.noun_phrases import Words
from prompts.parse import LONGEST_PROMPT, read
from prompts.source_location import Place, read_file
from prompts.subjects import SUBJECTS, Subject
from prompts.tables import read_table


@dataclass(slots=True)
class PromptList:
    """The cells of a list in its order, then their controls, the words in it, what is not read."""

    cells: list[Cell] = field(default_factory=list)
    colours: dict[str, Colour] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def read_list(path: str | Path, *, strict: bool = True) -> PromptList:
    """Read a list of prompts: a table (`prompts.tables`), or text with a prompt a line.

    Parameters
    ----------
    path : str or Path
    strict : bool
        Raise at the first prompt that is not read; else it is skipped, with the reason.

    Raises
    ------
    PromptError
        A file that cannot be read, or has no field for the prompt.
    """
    rows: list[Row] = []
    skipped: list[str] = []
    for place, values in _raw_rows(path):
        try:
            rows.append(make_row(values, place))
        except PromptError as error:
            if strict:
                raise
            skipped.append(str(error))
    result = read_rows(rows, strict=strict)
    result.skipped[:0] = skipped
    return result


def _raw_rows(path: str | Path) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    if str(path).lower().endswith(".txt"):
        for number, line in enumerate(read_file(path).splitlines(), 1):
            if line.strip():
                yield Place(str(path), number), {"prompt": line}
        return
    header: list[str] | None = None
    for place, row in read_table(path):
        if header != list(row):
            header = list(row)
            check_keys(header, place.of_fields())
        yield place, row


def make_row(values: Mapping[str, Any], place: Place) -> Row:
    """Make a row from a mapping with the names of `KNOWN`.

    Raises
    ------
    PromptError
        No prompt, one that is too long, or a task of GenEval's that asks for no colour.
    """
    given: dict[str, str] = {}
    doubt = ""
    for name, value in values.items():
        key = FIELD_OF.get(str(name).strip().lower())
        if key is None or value is None:
            continue
        if not isinstance(value, str):
            if key == "prompt":
                raise place.error(f"{name} must be a text, got {shown(value)}")
            doubt = doubt or f"{name} must be a text, got {shown(value)}"
        elif value.strip():
            given.setdefault(key, " ".join(value.split()))
    if "prompt" not in given:
        raise place.error("the prompt is empty" if values else "a row without a prompt")
    if len(given["prompt"]) > LONGEST_PROMPT:
        raise place.error(
            f"prompt {shown(given['prompt'])} has {len(given['prompt'])} characters, at most "
            f"{LONGEST_PROMPT} are allowed"
        )
    include = values.get("include")
    if isinstance(include, list):
        if values.get("tag") in OTHER_TASKS:
            raise place.error(f"GenEval's task {values['tag']!r} asks for no colour")
        given = {"prompt": given["prompt"], **included(include)}
    atoms = values.get("vqa_list")
    if isinstance(atoms, list) and not isinstance(include, list):
        given = {"prompt": given["prompt"], **of_questions(atoms, place)}
    try:
        asked = _bindings_of(given, place)
    except PromptError as error:
        return Row(place, given["prompt"], doubt=str(error).removeprefix(f"{place}: "))
    trusted = isinstance(include, list) or isinstance(atoms, list)
    return Row(place, given["prompt"], asked, trusted and bool(asked), doubt)


def _bindings_of(given: Mapping[str, str], place: Place) -> Asked:
    asked: list[tuple[Colour | None, str | None]] = []
    for suffix in SUFFIXES:
        colour, subject, code = (f"{name}{suffix}" for name in ("colour", "subject", "hex"))
        if colour in given or subject in given:
            shade = own_colour(given[colour], given.get(code), place) if colour in given else None
            asked.append((shade, given.get(subject)))
        elif code in given:
            raise place.error(f"{code} {shown(given[code])} without a {colour}")
    return tuple(asked)


def read_rows(
    rows: Sequence[Row],
    colours: Mapping[str, Colour] | None = None,
    subjects: Mapping[str, Subject] | None = None,
    *,
    strict: bool = True,
) -> PromptList:
    """Make the cells of rows.

    Parameters
    ----------
    rows : sequence of Row
    colours, subjects : mapping, optional
        Words outside the vocabulary that the prompts can hold without naming them in a field.
    strict : bool
        Raise at the first row that is not read, or has fields that cannot be used; else such a row
        is skipped, with the reason, or read by its prompt.
    """
    result = PromptList(colours=dict(colours or {}), subjects={**SUBJECTS, **(subjects or {})})
    kept: list[Row] = []
    for row in rows:
        try:
            if strict and row.doubt:
                raise row.place.error(row.doubt)
            _learn(row, result)
            kept.append(row)
        except PromptError as error:
            if strict:
                raise
            result.skipped.append(str(error))
    words = Words(result.colours, result.subjects)
    controls: list[Cell] = []
    # A list with a row for each image has the same prompt many times.
    known: dict[tuple[Any, ...], tuple[Cell, Cell | None]] = {}
    for row in kept:
        said = (row.prompt, row.asked, row.trusted, row.doubt)
        pair = known.get(said)
        if pair is not None:
            result.cells.append(pair[0])
            continue
        try:
            cell, control = known[said] = row_cells(row, words)
        except PromptError as error:
            if strict:
                raise
            result.skipped.append(str(error))
            continue
        result.cells.append(cell)
        controls += [control] if control is not None else []
        for binding in cell.bindings:
            if binding.colour is not None and binding.colour not in result.colours:
                result.colours[binding.colour] = colour_of(binding.colour)
    result.cells += controls
    return result


def _learn(row: Row, known: PromptList) -> None:
    for shade, name in row.asked:
        if shade is not None:
            before = known.colours.setdefault(shade.name, shade)
            if before.srgb != shade.srgb:
                raise row.place.error(
                    f"colour {shown(shade.name)} is {shade.hex} here and {before.hex} before",
                    "colour",
                )
    for _, name in row.asked:
        if name is not None and name not in known.subjects:
            known.subjects[name] = Subject(name, plural=plural(name))


def colour_of(name: str) -> Colour:
    """Return a colour that a prompt names: a basic term, a name of the table, or a code."""
    srgb = (parse_hex(name) if name.startswith("#") else named_colour(name)) or (0, 0, 0)
    return COLOURS.get(name) or Colour(name, srgb, max(srgb) - min(srgb) <= ACHROMATIC_SPREAD)


def row_cells(row: Row, words: Words) -> tuple[Cell, Cell | None]:
    """Return the cell of a row and its control.

    Fields decide what is asked, whether or not their words stand in the prompt (one that was
    rewritten, or is in another language). Fields that mean another thing do not hide a prompt that
    can be read: such as name no colour, name no subject, or of which no word stands in it.

    Returns
    -------
    (Cell, Cell or None)
        No control where the word of the colour does not stand in the prompt.

    Raises
    ------
    PromptError
        The prompt is of no known form and the fields do not tell what is asked, or the two
        contradict each other.
    """
    reading = read(row.prompt, words)
    if row.asked or isinstance(reading, str):
        return field_cells(row, reading, words)
    return reading
