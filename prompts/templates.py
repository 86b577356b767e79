"""The named forms of a prompt, and the cells that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prompts.cells import Binding, Cell
from prompts.errors import PromptError, shown, unknown
from prompts.grammar import noun_phrase
from prompts.slug import slug
from prompts.subjects import SUBJECTS, Subject


@dataclass(frozen=True, slots=True)
class Template:
    """One form of a prompt.

    Attributes
    ----------
    name : str
        First part of the ids of its cells.
    kind : str
        ``single``, ``distractor`` or ``pair``; ``control`` for the bare subject.
    text : str
        The form: ``{it}`` is the subject with article and colour, ``{other}`` the second one of a
        pair, ``{scenery}`` the neighbour or background with article and colour.
    scenery : str
        Noun of the scenery, empty where there is none.
    coloured_scenery : bool
        True where the scenery has a colour word.
    """

    name: str
    kind: str
    text: str
    scenery: str = ""
    coloured_scenery: bool = False


_ON_PLATE, _BY_WALL = "{it} on {scenery}", "{it} in front of {scenery}"
_IN_FRAME, _ON_TABLE = "{it} in {scenery}", "{it} on {scenery}"

TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template("single", "single", "{it}"),
        Template("control", "control", "{it}"),
        Template("plate", "distractor", _ON_PLATE, "plate", True),
        Template("wall", "distractor", _BY_WALL, "wall", True),
        Template("frame", "distractor", _IN_FRAME, "picture frame", True),
        Template("table", "distractor", _ON_TABLE, "table", True),
        Template("plate-plain", "distractor", _ON_PLATE, "plate"),
        Template("wall-plain", "distractor", _BY_WALL, "wall"),
        Template("frame-plain", "distractor", _IN_FRAME, "picture frame"),
        Template("table-plain", "distractor", _ON_TABLE, "table"),
        Template("pair", "pair", "{it} and {other}"),
    )
}
TEMPLATE_NAMES: tuple[str, ...] = tuple(TEMPLATES)
#: Distractors whose scenery has a colour, and those whose scenery has none.
COLOURED_SCENES: tuple[str, ...] = ("plate", "wall", "frame", "table")
PLAIN_SCENES: tuple[str, ...] = tuple(f"{name}-plain" for name in COLOURED_SCENES)


def find_template(name: str) -> Template:
    """Return the template of a name; an unknown name is a `PromptError` with the nearest one."""
    try:
        return TEMPLATES[name]
    except KeyError:
        raise unknown("template", name, TEMPLATE_NAMES) from None


def make_cell(
    template: Template | str,
    bindings: Sequence[Binding],
    scenery_colour: str | None = None,
    subjects: Mapping[str, Subject] = SUBJECTS,
) -> Cell:
    """Make one cell, with its kind as its only tag.

    Parameters
    ----------
    template : Template or str
    bindings : sequence of Binding
        One, or two for a pair. With no colour on any of them the cell is the template's control.
    scenery_colour : str, optional
        Colour of the scenery, where the template has coloured scenery.
    subjects : mapping of str to Subject
        For articles; a name that is not in it gets them by rule.

    Raises
    ------
    PromptError
        Where the number of bindings or the scenery colour does not fit the template, or the
        scenery has a colour that is also asked for.
    """
    if isinstance(template, str):
        template = find_template(template)
    bindings = tuple(bindings)
    _check(template, bindings, scenery_colour)
    colours = [binding.colour for binding in bindings]
    bare = tuple(Binding(None, binding.subject) for binding in bindings)
    control_id = _cell_id(template, bare, scenery_colour, control=True)
    is_control = not any(colours)
    phrases = [
        noun_phrase(binding.colour, subjects.get(binding.subject) or Subject(binding.subject))
        for binding in bindings
    ]
    scenery = (Binding(scenery_colour, template.scenery),) if template.scenery else ()
    words = {
        "{it}": phrases[0],
        "{other}": phrases[-1],
        "{scenery}": noun_phrase(scenery_colour, Subject(template.scenery)),
    }
    text = re.sub(r"\{(?:it|other|scenery)\}", lambda found: words[found.group()], template.text)
    return Cell(
        id=control_id if is_control else _cell_id(template, bindings, scenery_colour),
        text=text,
        bindings=bindings,
        template="control" if is_control else template.name,
        control_id=control_id,
        scenery=scenery,
        tags=frozenset({"control" if is_control else template.kind}),
    )


def _check(template: Template, bindings: tuple[Binding, ...], scenery: str | None) -> None:
    wanted = 2 if template.kind == "pair" else 1
    if len(bindings) != wanted:
        raise PromptError(
            f"template {template.name} takes {wanted} colour and subject, got {len(bindings)}",
            "template",
        )
    if template.coloured_scenery and scenery is None:
        raise PromptError(
            f"template {template.name} needs a scenery colour; use {template.name}-plain for none",
            "template",
        )
    if scenery is not None and not template.coloured_scenery:
        raise PromptError(
            f"template {template.name} takes no scenery colour, got {shown(scenery)}", "template"
        )
    if template.kind == "control" and bindings[0].colour is not None:
        raise PromptError(
            f"a control names no colour, got {shown(bindings[0].colour)}; use single", "template"
        )
    if scenery is not None and scenery in [binding.colour for binding in bindings]:
        raise PromptError(
            f"scenery colour {shown(scenery)} is also asked for on the subject; take another one",
            "colour",
        )


def _cell_id(
    template: Template, bindings: tuple[Binding, ...], scenery: str | None, control: bool = False
) -> str:
    parts = []
    if control:
        parts.append("control")
    if not control or template.kind not in ("single", "control") or template.text != "{it}":
        parts.append(slug_of_template(template.name))
    for binding in bindings:
        if binding.colour is not None:
            parts.append(slug(binding.colour))
        elif not control:
            parts.append("-")
        parts.append(slug(binding.subject))
    if scenery is not None:
        parts.append(slug(scenery))
    return "/".join(parts)


def slug_of_template(name: str) -> str:
    """Return the id part of a template's name; the released names, with hyphens, stay as is."""
    return name if name in TEMPLATES else slug(name)
