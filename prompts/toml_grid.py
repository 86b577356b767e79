"""A grid of a user's own, written in TOML.

Keys: ``name``, ``seeds``, ``colours``, ``subjects``, ``templates``, ``scenery``, ``pairs`` and
``prompts``; see docs/prompts.md. Every colour is asked for on every subject in every template.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from prompts.cell_sets import all_controls, all_scenes, all_singles, twins
from prompts.cells import Binding, Cell
from prompts.colours import BASIC, Colour
from prompts.custom_vocabulary import COLOUR_KEYS, own_colour, own_subject
from prompts.errors import PromptError, shown
from prompts.grid import Grid, check_seeds, finish_grid, unique
from prompts.grids import NEUTRAL_SCENERY, expand_templates
from prompts.prompt_list import make_row, read_rows
from prompts.slug import slug
from prompts.source_location import Place, check_word, find_line
from prompts.subjects import SUBJECT_LIST, Subject
from prompts.templates import TEMPLATES, Template, make_cell

KEYS = ("name", "seeds", "colours", "subjects", "templates", "scenery", "pairs", "prompts")
_SPELLINGS = {"colors": "colours"}
#: Twins for every subject, where ``pairs`` does not say how many.
TWINS_A_SUBJECT = 4


def read_toml(text: str, path: str, name: str) -> Grid:
    """Make the grid of a TOML text.

    Parameters
    ----------
    text : str
    path : str
        For errors.
    name : str
        Name of the grid where the text gives none.

    Raises
    ------
    PromptError
        With file, line and key.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"line (\d+)", str(error))
        last = text.rstrip().count("\n") + 1 if "end of document" in str(error) else 0
        place = Place(path, int(line.group(1)) if line else last)
        raise place.error(f"not TOML: {error}") from None
    return _TomlReader(text, path, document).grid(name)


class _TomlReader:
    def __init__(self, text: str, path: str, document: dict[str, Any]) -> None:
        self.text, self.path = text, path
        self.document: dict[str, Any] = {}
        for key, value in document.items():
            known = _SPELLINGS.get(key, key)
            if known not in KEYS:
                raise self.at(key).unknown_key(key, KEYS)
            self.document[known] = value

    def at(self, *needles: str) -> Place:
        return Place(self.path, find_line(self.text, *needles))

    def grid(self, name: str) -> Grid:
        if not any(self.document.get(key) for key in ("colours", "subjects", "prompts")):
            raise Place(self.path).error(
                "the grid is empty: name colours, subjects or prompts", "grid"
            )
        colours, subjects = self.colours(), self.subjects()
        cells: list[Cell] = []
        if "colours" in self.document or "subjects" in self.document:
            cells += self.crossed(list(colours.values()), list(subjects.values()))
        rows = [
            make_row(
                {"prompt": one} if isinstance(one, str) else self.table(one, "prompts"),
                self.at("prompts", one if isinstance(one, str) else str(one.get("prompt"))),
            )
            for one in self.list_of("prompts")
        ]
        if rows:
            listed = read_rows(rows, colours, subjects)
            cells += listed.cells
            colours, subjects = {**colours, **listed.colours}, {**subjects, **listed.subjects}
        if not cells:
            raise Place(self.path).error(
                "the grid is empty: its colours, subjects and templates give no prompt", "grid"
            )
        all_colours = {**{one.name: one for one in BASIC}, **colours}
        return finish_grid(
            check_word(self.document.get("name", name), "name", self.at("name")),
            unique(cells),
            self.seeds(),
            list(all_colours.values()),
            list({**{one.name: one for one in SUBJECT_LIST}, **subjects}.values()),
        )

    def list_of(self, key: str) -> list[Any]:
        value = self.document.get(key, [])
        if not isinstance(value, list):
            raise self.at(key).error(f"{key} must be a list, got {shown(value)}")
        return value

    def table(self, entry: object, key: str) -> dict[str, Any]:
        if not isinstance(entry, dict):
            raise self.at(key).error(f"{key} holds texts and tables, got {shown(entry)}")
        return entry

    def seeds(self) -> int:
        seeds = self.document.get("seeds", 1)
        try:
            check_seeds(seeds)
        except PromptError as error:
            raise self.at("seeds").error(str(error)) from None
        return int(seeds)

    def colours(self) -> dict[str, Colour]:
        if "colours" not in self.document:
            return {one.name: one for one in BASIC}
        found: dict[str, Colour] = {}
        for one in self.list_of("colours"):
            entry = {"name": one} if isinstance(one, str) else self.table(one, "colours")
            place = self.at("colo", f'"{entry.get("name", "")}"')
            for key in entry:
                if key not in COLOUR_KEYS:
                    raise self.at("colo", str(key)).unknown_key(str(key), COLOUR_KEYS)
            colour = own_colour(entry.get("name"), entry.get("hex"), place)
            if colour.name in found:
                raise place.error(f"colour {shown(colour.name)} is named twice", "colour")
            found[colour.name] = colour
        return found

    def subjects(self) -> dict[str, Subject]:
        if "subjects" not in self.document:
            return {one.name: one for one in SUBJECT_LIST}
        shades = [
            one if isinstance(one, str) else str(one.get("name"))
            for one in self.list_of("colours")
            if isinstance(one, str | dict)
        ]
        found: dict[str, Subject] = {}
        for one in self.list_of("subjects"):
            entry = {"name": one} if isinstance(one, str) else self.table(one, "subjects")
            place = self.at("subjects", f'"{entry.get("name", "")}"')
            subject = own_subject(entry, shades, place)
            if subject.name in found:
                raise place.error(f"subject {shown(subject.name)} is named twice", "subject")
            found[subject.name] = subject
        return found

    def templates(self) -> list[Template]:
        found: dict[str, Template] = {}
        for one in self.list_of("templates") if "templates" in self.document else ["single"]:
            if isinstance(one, str):
                try:
                    names = expand_templates([one]) or ()
                except PromptError as error:
                    raise self.at("templates", f'"{one}"').error(str(error), "template") from None
                found.update({name: TEMPLATES[name] for name in names})
                continue
            template = self.own_template(self.table(one, "templates"))
            found[template.name] = template
        return list(found.values())

    def own_template(self, entry: dict[str, Any]) -> Template:
        place = self.at("templates", f'"{entry.get("name", "")}"')
        for key in entry:
            if key not in ("name", "text"):
                raise place.unknown_key(str(key), ("name", "text"))
        name = check_word(entry.get("name"), "name of a template", place)
        if name in TEMPLATES or slug(name) in (*TEMPLATES, "prompt"):
            raise place.error(f"template {shown(name)} exists already; choose another name")
        text = check_word(entry.get("text"), "text of a template", place)
        if text.count("{subject}") != 1:
            raise place.error(
                f"text {shown(text)} of template {shown(name)} must hold {{subject}} once"
            )
        return Template(name, "single", text.replace("{subject}", "{it}"))

    def scenery(self, colours: dict[str, Colour]) -> list[str]:
        if "scenery" not in self.document:
            return list(NEUTRAL_SCENERY)
        found = []
        for one in self.list_of("scenery"):
            place = self.at("scenery")
            found.append(colours[one].name if one in colours else own_colour(one, None, place).name)
        if not found:
            raise self.at("scenery").error("scenery is empty: name a colour or leave it out")
        return list(dict.fromkeys(found))

    def crossed(self, colours: list[Colour], subjects: list[Subject]) -> list[Cell]:
        """Every colour on every subject in every template, with the controls."""
        names = [colour.name for colour in colours]
        words = {subject.name: subject for subject in subjects}
        scenery = self.scenery({colour.name: colour for colour in colours})
        cells: list[Cell] = []
        for template in self.templates():
            if template.name == "single":
                cells += all_singles(names, subjects) + all_controls(subjects)
            elif template.kind == "control":
                cells += all_controls(subjects)
            elif template.kind == "distractor":
                cells += all_scenes(names, subjects, (template.name,), scenery)
            elif template.kind == "pair":
                cells += twins(names, subjects, self.pairs(len(subjects)))
            else:
                for subject in subjects:
                    for name in (*names, None):
                        binding = Binding(name, subject.name)
                        cells.append(make_cell(template, [binding], subjects=words))
        return cells

    def pairs(self, subjects: int) -> int:
        count = self.document.get("pairs", TWINS_A_SUBJECT * subjects)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise self.at("pairs").error(
                f"pairs must be a whole number from 1, got {shown(count)}", "grid"
            )
        return count
