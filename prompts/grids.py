"""The released grids: presets, and any part of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prompts.cell_sets import (
    all_controls,
    all_scenes,
    all_singles,
    balanced_scenes,
    balanced_singles,
    twins,
)
from prompts.cells import Cell
from prompts.colours import BASIC, COLOURS, Colour
from prompts.errors import PromptError, shown, unknown
from prompts.field_sets import FIELD_SETS, field_grid
from prompts.grid import Grid, check_seeds, finish_grid, keep, unique
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, SUBJECTS, Subject
from prompts.templates import COLOURED_SCENES, PLAIN_SCENES, TEMPLATE_NAMES, TEMPLATES

#: Colours of plates, walls, frames and tables, unless others are asked for.
NEUTRAL_SCENERY: tuple[str, ...] = ("white", "gray", "black", "brown")


@dataclass(frozen=True, slots=True)
class Preset:
    """How much of the vocabulary a released grid holds; None means all of it.

    Attributes
    ----------
    name, summary : str
    seeds : int
        Images a cell.
    singles : int or None
        Single cells a colour; 0 for no singles and no neutral controls.
    scenes : int or None
        Groups of two distractor cells that share one control.
    twins : int
        Pairs with their swap twin: three cells each, two and their control.
    twins_a_pair : int
        When above 0, this many twins for every pair of subjects, instead of ``twins``.
    """

    name: str
    summary: str
    seeds: int
    singles: int | None
    scenes: int | None
    twins: int = 0
    twins_a_pair: int = 0


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("quick", "a first look: 150 cells, one image each", 1, 6, 11, twins=8),
        Preset(
            "default", "every colour on every subject: 522 cells, two images", 2, None, 44, twins=22
        ),
        Preset(
            "full",
            "every single, every scene in neutral colours, five twins a pair of subjects; "
            "four images",
            4,
            None,
            None,
            twins_a_pair=5,
        ),
        Preset("pairs", "110 pairs of subjects with their swap twins, two images", 2, 0, 0, 110),
    )
}
PRESET_NAMES: tuple[str, ...] = tuple(PRESETS)


def make_grid(
    preset: str = "default",
    *,
    colours: Iterable[str | Colour] | None = None,
    subjects: Iterable[str | Subject] | None = None,
    templates: Iterable[str] | None = None,
    scenery: Iterable[str] | None = None,
    manifest: TrainingManifest | None = None,
) -> tuple[Cell, ...]:
    """Return the cells of a released grid or of a part of it; see `build_grid`."""
    return build_grid(
        preset,
        colours=colours,
        subjects=subjects,
        templates=templates,
        scenery=scenery,
        manifest=manifest,
    ).cells


def build_grid(
    preset: str = "default",
    *,
    colours: Iterable[str | Colour] | None = None,
    subjects: Iterable[str | Subject] | None = None,
    templates: Iterable[str] | None = None,
    scenery: Iterable[str] | None = None,
    seeds: int | None = None,
    manifest: TrainingManifest | None = None,
) -> Grid:
    """Make a released grid, or a part of it.

    Parameters
    ----------
    preset : str
        ``quick``, ``default``, ``full`` or ``pairs``, or a list of another benchmark
        (`prompts.field_sets`), whose texts are fixed: of it words and templates keep a part, and
        scenery says nothing.
    colours, subjects : iterable, optional
        Names keep those cells of the preset that ask for nothing else, with their controls. With
        a `Colour` or `Subject` outside the vocabulary among them, the preset is made anew from
        exactly these words.
    templates : iterable of str, optional
        Names of templates to keep; ``distractor`` stands for all scenes.
    scenery : iterable of str, optional
        Basic colours for plates, walls, frames and tables instead of the neutral ones. The scenes
        are made anew; a scene never has the colour that is asked for.
    seeds : int, optional
        Images a cell; the preset's own number by default.
    manifest : TrainingManifest, optional
        For the tags ``seen`` and ``novel``.

    Raises
    ------
    PromptError
        For an unknown name, or where nothing of the preset is left.
    """
    if preset in FIELD_SETS:
        return field_grid(
            preset,
            colours=_names(colours),
            subjects=_names(subjects),
            templates=templates,
            seeds=seeds,
            manifest=manifest,
        )
    if preset not in PRESETS:
        raise unknown("preset", str(preset), (*PRESET_NAMES, *FIELD_SETS))
    if seeds is not None:
        check_seeds(seeds)
    chosen = PRESETS[preset]
    colour_list = _resolve_colours(colours)
    subject_list = _resolve_subjects(subjects)
    names = expand_templates(templates)
    anew = any(one not in BASIC for one in colour_list or ()) or any(
        one not in SUBJECT_LIST for one in subject_list or ()
    )
    words = (colour_list or BASIC, subject_list or SUBJECT_LIST) if anew else (BASIC, SUBJECT_LIST)
    cells = _cells(chosen, *words, _resolve_scenery(scenery))
    if not (colours is None and subjects is None and templates is None):
        kept_colours = {one.name for one in (words[0] if colour_list is None else colour_list)}
        kept_subjects = {one.name for one in (words[1] if subject_list is None else subject_list)}
        cells = keep(cells, kept_colours, kept_subjects, names)
    wants_controls = names is not None and "control" in names
    if not cells or not (wants_controls or any(cell.template != "control" for cell in cells)):
        raise _nothing_left(preset, colour_list, subject_list, names)
    return finish_grid(
        preset, cells, chosen.seeds if seeds is None else seeds, words[0], words[1], manifest
    )


def _names(words: Iterable[str | Colour] | Iterable[str | Subject] | None) -> list[str] | None:
    """Names of words, in any spelling of gray."""
    if words is None:
        return None
    named = [one if isinstance(one, str) else one.name for one in words]
    return [name.strip().casefold().replace("grey", "gray") for name in named]


def expand_templates(templates: Iterable[str] | None) -> tuple[str, ...] | None:
    """Check names of templates; ``distractor`` becomes every scene, with and without colour."""
    if templates is None:
        return None
    names: list[str] = []
    for name in templates:
        if name == "distractor":
            names.extend((*COLOURED_SCENES, *PLAIN_SCENES))
        elif name in TEMPLATES:
            names.append(name)
        else:
            raise unknown("template", str(name), (*TEMPLATE_NAMES, "distractor"))
    return tuple(dict.fromkeys(names))


def _cells(
    preset: Preset, colours: Sequence[Colour], subjects: Sequence[Subject], scenery: tuple[str, ...]
) -> tuple[Cell, ...]:
    names = [colour.name for colour in colours]
    cells: list[Cell] = []
    if preset.singles is None:
        cells += all_singles(names, subjects)
    else:
        cells += balanced_singles(names, subjects, preset.singles)
    if preset.singles != 0:
        cells += all_controls(subjects)
    if preset.scenes is None:
        cells += all_scenes(names, subjects, (*COLOURED_SCENES, *PLAIN_SCENES), scenery)
    else:
        cells += balanced_scenes(names, subjects, preset.scenes, scenery)
    count = preset.twins or preset.twins_a_pair * len(subjects) * (len(subjects) - 1) // 2
    cells += twins(names, subjects, count)
    return unique(cells)


def _resolve_colours(colours: Iterable[str | Colour] | None) -> tuple[Colour, ...] | None:
    if colours is None:
        return None
    found = []
    for one in colours:
        if isinstance(one, Colour):
            found.append(one)
            continue
        name = one.strip().casefold().replace("grey", "gray")
        if name not in COLOURS:
            raise unknown("colour", one, COLOURS, "Colours of your own go into a grid file.")
        found.append(COLOURS[name])
    return tuple({one.name: one for one in found}.values())


def _resolve_subjects(subjects: Iterable[str | Subject] | None) -> tuple[Subject, ...] | None:
    if subjects is None:
        return None
    found = []
    for one in subjects:
        if isinstance(one, Subject):
            found.append(one)
            continue
        name = one.strip().casefold()
        if name not in SUBJECTS:
            raise unknown("subject", one, SUBJECTS, "Subjects of your own go into a grid file.")
        found.append(SUBJECTS[name])
    return tuple({one.name: one for one in found}.values())


def _resolve_scenery(scenery: Iterable[str] | None) -> tuple[str, ...]:
    if scenery is None:
        return NEUTRAL_SCENERY
    found = tuple(colour.name for colour in _resolve_colours(scenery) or ())
    if not found:
        raise PromptError("scenery is empty: name at least one colour, such as white", "colour")
    return found


def _nothing_left(
    preset: str,
    colours: tuple[Colour, ...] | None,
    subjects: tuple[Subject, ...] | None,
    templates: tuple[str, ...] | None,
) -> PromptError:
    parts = []
    if colours is not None:
        parts.append("colours " + shown(", ".join(one.name for one in colours)))
    if subjects is not None:
        parts.append("subjects " + shown(", ".join(one.name for one in subjects)))
    if templates is not None:
        parts.append("templates " + shown(", ".join(templates)))
    return PromptError(
        f"nothing of preset {preset} is left by {' and '.join(parts)}; "
        "use preset full, which has every form, or a grid file",
        "grid",
    )
