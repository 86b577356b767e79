"""Sets of cells that grids are put together from: singles, controls, scenes and twins.

Each takes names of colours and a sequence of subjects. The balanced sets are made by rotation, not
by chance: they use every colour and every subject nearly equally often, and depend on the words
alone. A set of scenes or twins comes with its controls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from prompts.balanced_order import all_pairs, rotate, shuffled
from prompts.cells import Binding, Cell
from prompts.subjects import Subject
from prompts.templates import TEMPLATES, make_cell

#: Canonical cells a colour in a balanced set of singles, where the vocabulary has as many.
CANONICAL_A_COLOUR = 2

#: The scenes in turn, so that scenes with and without a colour word alternate.
_SCENES = (
    "plate",
    "wall-plain",
    "frame",
    "table-plain",
    "wall",
    "plate-plain",
    "table",
    "frame-plain",
)


def all_singles(colours: Iterable[str], subjects: Sequence[Subject]) -> list[Cell]:
    """Every colour on every subject: "a blue potato"."""
    words = {one.name: one for one in subjects}
    return [
        make_cell("single", [Binding(colour, one.name)], subjects=words)
        for colour in colours
        for one in subjects
    ]


def all_controls(subjects: Sequence[Subject]) -> list[Cell]:
    """Every subject with no colour: "a potato"."""
    words = {one.name: one for one in subjects}
    return [make_cell("control", [Binding(None, one.name)], subjects=words) for one in subjects]


def balanced_singles(
    colours: Sequence[str], subjects: Sequence[Subject], a_colour: int
) -> list[Cell]:
    """As many singles for every colour: two canonical ones where there are, then others.

    Within a colour, the subject used least so far comes next.
    """
    canonical = {one.name: one.canonical for one in subjects}
    order = list(rotate(shuffled(list(canonical), "subjects"), shuffled(colours, "colours")))
    used: Counter[str] = Counter()
    chosen: set[tuple[str, str]] = set()

    def take(colour: str, natural: bool) -> None:
        free = [
            subject
            for subject, other in order
            if other == colour
            and (subject, colour) not in chosen
            and (colour in canonical[subject]) == natural
        ]
        if free:
            subject = min(free, key=lambda name: used[name])
            used[subject] += 1
            chosen.add((subject, colour))

    for turn in range(a_colour):
        for colour in colours:
            before = len(chosen)
            if turn < CANONICAL_A_COLOUR:
                take(colour, natural=True)
            if len(chosen) == before:
                take(colour, natural=False)
            if len(chosen) == before:
                take(colour, natural=True)
    return [
        cell
        for cell in all_singles(colours, subjects)
        if (cell.bindings[0].subject, cell.bindings[0].colour) in chosen
    ]


def all_scenes(
    colours: Iterable[str],
    subjects: Sequence[Subject],
    templates: Sequence[str],
    scenery: Sequence[str],
) -> list[Cell]:
    """Every colour on every subject in every scene, with every other scenery colour."""
    words = {one.name: one for one in subjects}
    names = list(colours)
    cells = []
    for template in templates:
        for shade in scenery if TEMPLATES[template].coloured_scenery else (None,):
            for one in subjects:
                asked = [colour for colour in names if colour != shade]
                for colour in [*asked, None] if asked else []:
                    cells.append(make_cell(template, [Binding(colour, one.name)], shade, words))
    return cells


def balanced_scenes(
    colours: Sequence[str], subjects: Sequence[Subject], groups: int, scenery: Sequence[str]
) -> list[Cell]:
    """Make groups of two colours on one subject in one scene, with the control they share.

    The eight scenes, with and without a colour word, take turns, and so do the scenery colours
    that are not asked for in the group.
    """
    words = {one.name: one for one in subjects}
    order = shuffled(list(words), "scenes")
    couples = all_pairs(shuffled(colours, "scenes")) or [(colours[0], colours[0])]
    cells = []
    for k, (subject, couple) in enumerate(islice(rotate(order, couples), groups)):
        template = _SCENES[k % len(_SCENES)]
        shade = None
        if TEMPLATES[template].coloured_scenery:
            free = [one for one in scenery if one not in couple]
            if not free:
                continue
            shade = free[(k + k // len(_SCENES)) % len(free)]
        for colour in (*dict.fromkeys(couple), None):
            cells.append(make_cell(template, [Binding(colour, subject)], shade, words))
    return cells


def twins(colours: Sequence[str], subjects: Sequence[Subject], count: int) -> list[Cell]:
    """Make pairs of subjects in two colours, each with the colours swapped, and their control.

    Parameters
    ----------
    colours : sequence of str
    subjects : sequence of Subject
    count : int
        Number of twins; fewer come where the words do not give as many.
    """
    words = {one.name: one for one in subjects}
    places = rotate(
        all_pairs(shuffled(list(words), "twins")), all_pairs(shuffled(colours, "twins"))
    )
    cells = []
    for (first, second), (one, other) in islice(places, count):
        for a, b in ((one, other), (other, one), (None, None)):
            bindings = [Binding(a, first), Binding(b, second)]
            cells.append(make_cell("pair", bindings, subjects=words))
    return cells
