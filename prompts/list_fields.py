"""The fields by which a row of a list names colours and subjects: ours, GenEval's, GenEval 2's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prompts.colour_names import named_colour
from prompts.colours import COLOURS, Colour
from prompts.errors import nearest, shown
from prompts.grammar import singular
from prompts.parse import MOST_BINDINGS
from prompts.source_location import Place

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
FIELD_OF = {name: key for key, names in FIELDS.items() for name in names}
#: All names that a field goes by, with those of GenEval and GenEval 2.
KNOWN: tuple[str, ...] = (*FIELD_OF, "include", "tag", "atom_count", "vqa_list", "skills")
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


def check_keys(keys: list[str], place: Place) -> None:
    """Raise a `PromptError` where a header has no prompt, or a name that is nearly a field."""
    if not any(FIELD_OF.get(key.strip().lower()) == "prompt" for key in keys):
        raise place.error(
            f"no prompt among {shown(', '.join(keys))}: expected a field prompt, text or caption"
        )
    for key in keys:
        if key.strip().lower() in KNOWN or key in _REPEATED:
            continue
        match = nearest(key, FIELDS)
        if match and abs(len(match) - len(key)) <= 1:
            raise place.unknown_key(key, FIELDS)


def of_questions(atoms: Sequence[Any], place: Place) -> dict[str, str]:
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


def included(include: Sequence[Any]) -> dict[str, str]:
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
