"""A list of prompts, one a row: text, CSV or JSON lines, with or without colour and subject.

A prompt that `prompts.parse` can read needs nothing else. Any other one names the colour and the
subject that are to be judged; its control is the same text without the colour word where that word
stands right before the subject, and the bare subject otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prompts.cells import Binding, Cell
from prompts.colours import Colour
from prompts.custom_vocabulary import own_colour
from prompts.errors import nearest, shown
from prompts.grammar import article, plural
from prompts.noun_phrases import Words, fold
from prompts.parse import LONGEST_PROMPT, free_cell, read
from prompts.source_location import Place, read_file
from prompts.subjects import SUBJECTS, Subject
from prompts.tables import read_table
from prompts.templates import make_cell

#: Fields of a row, with the other names that they go by.
FIELDS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "text", "caption"),
    "colour": ("colour", "color"),
    "subject": ("subject",),
    "hex": ("hex",),
    "colour2": ("colour2", "color2"),
    "subject2": ("subject2",),
    "hex2": ("hex2",),
}
_KNOWN = {name: key for key, names in FIELDS.items() for name in names}
#: Fields that `bench prompts` writes, and that the prompt itself says again.
_REPEATED = frozenset({"id", "template", "control_id", "tags", "scenery", "seeds", "bindings"})


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt of a list: where it stands, its text, and what is said to be asked in it."""

    place: Place
    prompt: str
    asked: tuple[tuple[Colour | None, str | None], ...] = ()


@dataclass(slots=True)
class PromptList:
    """The cells of a list in its order, then their controls, and the words in it."""

    cells: list[Cell] = field(default_factory=list)
    colours: dict[str, Colour] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)


def prompt_rows(path: str | Path) -> Iterator[Row]:
    """Yield the rows of a list of prompts by its ending: a table, or text with a prompt a line."""
    if str(path).lower().endswith(".txt"):
        for number, line in enumerate(read_file(path).splitlines(), 1):
            if line.strip():
                yield make_row({"prompt": line}, Place(str(path), number))
        return
    header: list[str] | None = None
    for place, row in read_table(path):
        if header != list(row):
            header = list(row)
            _check_keys(header, place)
        yield make_row(row, place)


def make_row(values: Mapping[str, Any], place: Place) -> Row:
    """Make a row from a mapping with the names of `FIELDS`."""
    given: dict[str, str] = {}
    for name, value in values.items():
        if name not in _KNOWN or value is None:
            continue
        if not isinstance(value, str):
            raise place.error(f"{name} must be a text, got {shown(value)}")
        if value.strip():
            given.setdefault(_KNOWN[name], " ".join(value.split()))
    if "prompt" not in given:
        raise place.error("the prompt is empty" if values else "a row without a prompt")
    if len(given["prompt"]) > LONGEST_PROMPT:
        raise place.error(
            f"prompt {shown(given['prompt'])} has {len(given['prompt'])} characters, at most "
            f"{LONGEST_PROMPT} are allowed"
        )
    asked: list[tuple[Colour | None, str | None]] = []
    for colour, subject, code in (("colour", "subject", "hex"), ("colour2", "subject2", "hex2")):
        if colour in given or subject in given:
            shade = own_colour(given[colour], given.get(code), place) if colour in given else None
            asked.append((shade, given.get(subject)))
        elif code in given:
            raise place.error(f"{code} {shown(given[code])} without a {colour}")
    return Row(place, given["prompt"], tuple(asked))


def read_rows(
    rows: Sequence[Row],
    colours: Mapping[str, Colour] | None = None,
    subjects: Mapping[str, Subject] | None = None,
) -> PromptList:
    """Make the cells of rows.

    Parameters
    ----------
    rows : sequence of Row
    colours, subjects : mapping, optional
        Words outside the vocabulary that the prompts can hold without naming them in a field.
    """
    result = PromptList(colours=dict(colours or {}), subjects={**SUBJECTS, **(subjects or {})})
    for row in rows:
        for shade, name in row.asked:
            if shade is not None:
                before = result.colours.setdefault(shade.name, shade)
                if before.srgb != shade.srgb:
                    raise row.place.error(
                        f"colour {shown(shade.name)} is {shade.hex} here and {before.hex} before",
                        "colour",
                    )
            if name is not None and name not in result.subjects:
                result.subjects[name] = Subject(name, plural=plural(name))
    words = Words(result.colours, result.subjects)
    made = [row_cells(row, words) for row in rows]
    result.cells += [cell for cell, _ in made] + [control for _, control in made]
    return result


def _check_keys(keys: list[str], place: Place) -> None:
    if not any(_KNOWN.get(key) == "prompt" for key in keys):
        raise place.error(
            f"no prompt among {shown(', '.join(keys))}: expected a field prompt, text or caption"
        )
    for key in keys:
        if key in _KNOWN or key in _REPEATED:
            continue
        match = nearest(key, _KNOWN)
        if match and abs(len(match) - len(key)) <= 1:
            raise place.unknown_key(key, FIELDS)


def row_cells(row: Row, words: Words) -> tuple[Cell, Cell]:
    """Return the cell of a row and its control.

    Raises
    ------
    PromptError
        The prompt is of no known form and the fields do not tell what is asked, or they name a
        word that does not stand in it.
    """
    found = read(row.prompt, words)
    if found is not None and _agrees(row, found[0]):
        return found
    if not row.asked:
        raise row.place.error(
            f"cannot tell what is asked in {shown(row.prompt)}: name it in the fields colour and "
            "subject"
        )
    bindings = []
    for shade, subject in row.asked:
        colour = None if shade is None else shade.name
        if subject is None:
            raise row.place.error(f"colour {shown(colour)} without a subject", "subject")
        for what, word in (("colour", colour), ("subject", subject)):
            if word is not None and not _position(row.prompt, word, words):
                raise row.place.error(
                    f"{what} {shown(word)} does not stand in the prompt {shown(row.prompt)}", what
                )
        bindings.append(Binding(colour, subject))
    return _free_cells(row.prompt, tuple(bindings), words)


def _agrees(row: Row, cell: Cell) -> bool:
    """Say whether the fields of a row, as far as they are filled in, say what the prompt says."""
    if not row.asked:
        return True
    if len(row.asked) != len(cell.bindings):
        return False
    return all(
        (colour is None or colour.name == binding.colour)
        and (subject is None or subject == binding.subject)
        for (colour, subject), binding in zip(row.asked, cell.bindings, strict=True)
    )


def _position(text: str, word: str, words: Words) -> re.Match[str] | None:
    known = words.subjects.get(word)
    forms = {fold(word), fold(known.plural) if known else ""} - {""}
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", fold(text))


def _free_cells(text: str, bindings: tuple[Binding, ...], words: Words) -> tuple[Cell, Cell]:
    bare = tuple(Binding(None, binding.subject) for binding in bindings)
    if bare == bindings:
        cell = free_cell(text, bare, "control")
        return cell, cell
    control = _control(text, bindings, bare, words)
    return free_cell(text, bindings, "prompt", control_id=control.id), control


def _control(
    text: str, bindings: tuple[Binding, ...], bare: tuple[Binding, ...], words: Words
) -> Cell:
    without = fold(text)
    for binding in bindings:
        shorter = _without_colour(without, binding, words)
        if shorter is None:
            template = "pair" if len(bare) == 2 else "control"
            return make_cell(template, bare, subjects=words.subjects)
        without = shorter
    found = read(without, words)
    if found is not None and found[0].bindings == bare:
        return found[0]
    return free_cell(without, bare, "control")


def _without_colour(text: str, binding: Binding, words: Words) -> str | None:
    """Take the colour before a subject out of a folded text, and mend the article before it."""
    if binding.colour is None:
        return text
    known = words.subjects.get(binding.subject)
    forms = {fold(binding.subject), fold(known.plural) if known else ""} - {""}
    nouns = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    colour = re.escape(fold(binding.colour))
    match = re.search(rf"(?<!\w)(?P<an>an? )?{colour} (?P<noun>{nouns})(?!\w)", text)
    if match is None:
        return None
    lead = f"{article(match['noun'])} " if match["an"] else ""
    return text[: match.start()] + lead + match["noun"] + text[match.end() :]
