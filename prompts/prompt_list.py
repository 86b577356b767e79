"""A list of prompts, one a row: text or a table, with or without colour and subject.

A prompt that `prompts.parse` can read needs nothing else. Any other one names the colour and the
subject that are to be judged; its control is the same text without the word of the colour, and it
has none where that word does not stand in it, or its being taken out leaves no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prompts.cells import NO_CONTROL, Binding, Cell
from prompts.colour_names import named_colour, parse_hex
from prompts.colours import COLOURS, Colour
from prompts.control_text import without_colours
from prompts.custom_vocabulary import ACHROMATIC_SPREAD, own_colour
from prompts.errors import PromptError, nearest, shown
from prompts.grammar import plural, singular
from prompts.noun_phrases import Words
from prompts.parse import (
    LONGEST_PROMPT,
    MOST_BINDINGS,
    control_cell,
    free_cell,
    read,
)
from prompts.reader import read_text
from prompts.source_location import Place, read_file
from prompts.subjects import SUBJECTS, Subject
from prompts.tables import read_table
from prompts.text_tokens import fold

#: What stands after the names of the fields of each binding.
SUFFIXES = ("", *(str(number) for number in range(2, MOST_BINDINGS + 1)))
#: Fields of a row, with the other names that they go by, in any case; ``object`` and ``main_obj``
#: are those of GenColorBench.
FIELDS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "text", "caption", "prompts"),
    "colour": ("colour", "color", "colour1", "color1", "color_name", "colour_name"),
    "subject": ("subject", "object", "main_obj", "subject1", "object1", "object_name"),
    "hex": ("hex", "hex1", "hex_code", "color_hex"),
    **{
        f"{field}{number}": tuple(f"{name}{number}" for name in names)
        for number in SUFFIXES[1:]
        for field, names in (
            ("colour", ("colour", "color")),
            ("subject", ("subject", "object")),
            ("hex", ("hex",)),
        )
    },
}
_FIELD_OF = {name: key for key, names in FIELDS.items() for name in names}
#: All names that a field goes by, with those of GenEval and GenEval 2.
KNOWN: tuple[str, ...] = (*_FIELD_OF, "include", "tag", "atom_count", "vqa_list", "skills")
#: GenEval's tasks that ask for no colour of a thing, and whose prompts are no neutral controls.
OTHER_TASKS = ("counting", "position")
#: Fields that `bench prompts` writes, and that the prompt itself says again.
_REPEATED = frozenset({"id", "template", "control_id", "tags", "scenery", "seeds", "bindings"})

#: Questions of GenEval 2 on an attribute and on presence.
_IS_IN_COLOUR = re.compile(r"(?:Is|Are) the (?P<noun>.+) (?P<word>\w+)\?")
_IS_THERE = re.compile(r"(?:Are there any|Is there (?:an? |any )?)\s*(?P<noun>.+) in the image\?")

Asked = tuple[tuple[Colour | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt of a list.

    Attributes
    ----------
    place : Place
    prompt : str
    asked : tuple of (Colour or None, str or None)
        Colours and subjects that its fields name.
    trusted : bool
        The fields can mean nothing else: GenEval's ``include``.
    doubt : str
        Why the fields cannot be used, where they are there and cannot; they may mean another thing
        than what is asked (a column ``color`` that says RGB).
    """

    place: Place
    prompt: str
    asked: Asked = ()
    trusted: bool = False
    doubt: str = ""


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
            _check_keys(header, place.of_fields())
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
        key = _FIELD_OF.get(str(name).strip().lower())
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
        given = {"prompt": given["prompt"], **_included(include)}
    atoms = values.get("vqa_list")
    if isinstance(atoms, list) and not isinstance(include, list):
        given = {"prompt": given["prompt"], **_of_questions(atoms, place)}
    try:
        asked = _bindings_of(given, place)
    except PromptError as error:
        return Row(place, given["prompt"], doubt=str(error).removeprefix(f"{place}: "))
    trusted = isinstance(include, list) or isinstance(atoms, list)
    return Row(place, given["prompt"], asked, trusted and bool(asked), doubt)


def _of_questions(atoms: Sequence[Any], place: Place) -> dict[str, str]:
    """Return the fields that GenEval 2's ``vqa_list`` names, by its questions on attributes.

    Raises
    ------
    PromptError
        No question is on a colour, or the things are more than this suite tells apart.
    """
    things: dict[str, str | None] = {}
    for atom in atoms:
        question = str(atom[0]) if isinstance(atom, list) and atom else ""
        if match := _IS_IN_COLOUR.fullmatch(question.strip()):
            noun, word = singular(match["noun"]), match["word"].casefold()
            if named_colour(word) is not None or word in COLOURS:
                things[noun] = word
        elif match := _IS_THERE.fullmatch(question.strip()):
            things.setdefault(singular(match["noun"]), None)
    if not any(things.values()):
        raise place.error("GenEval 2's questions ask for no colour")
    if len(things) > MOST_BINDINGS:
        raise place.error(f"{len(things)} things, at most {MOST_BINDINGS} are told apart")
    found: dict[str, str] = {}
    for (noun, colour), suffix in zip(things.items(), SUFFIXES, strict=False):
        found[f"subject{suffix}"] = noun
        if colour is not None:
            found[f"colour{suffix}"] = colour
    return found


def _included(include: Sequence[Any]) -> dict[str, str]:
    """Return the fields that GenEval's ``include`` names.

    Empty where it says nothing that can be used: no class, or more than one of a class.
    """
    found: dict[str, str] = {}
    if len(include) > MOST_BINDINGS:
        return found
    for one, suffix in zip(include, SUFFIXES, strict=False):
        if not isinstance(one, Mapping) or one.get("count", 1) != 1:
            return {}
        subject, colour = one.get("class"), one.get("color")
        if not isinstance(subject, str) or not subject.strip():
            return {}
        found[f"subject{suffix}"] = subject
        if isinstance(colour, str) and colour.strip():
            found[f"colour{suffix}"] = colour
    return found


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


def _check_keys(keys: list[str], place: Place) -> None:
    if not any(_FIELD_OF.get(key.strip().lower()) == "prompt" for key in keys):
        raise place.error(
            f"no prompt among {shown(', '.join(keys))}: expected a field prompt, text or caption"
        )
    for key in keys:
        if key.strip().lower() in KNOWN or key in _REPEATED:
            continue
        match = nearest(key, FIELDS)
        if match and abs(len(match) - len(key)) <= 1:
            raise place.unknown_key(key, FIELDS)


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
    found = None if isinstance(reading, str) else reading
    if found is not None and (not row.asked or _agrees(row.asked, found[0])):
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


def _free_cells(text: str, bindings: tuple[Binding, ...], words: Words) -> tuple[Cell, Cell | None]:
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
