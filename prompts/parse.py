"""A prompt read back into a cell, for scoring pictures that exist already.

What is read: one thing ("a blue potato"), a thing in a scene ("a blue potato on a white plate"),
or two things ("a red apple and a blue cup"), after "a photo of" and its like or alone, in any
case, singular or plural, with "grey" or "gray". Anything that says more is not read, because what
it leaves out could change where a colour belongs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from prompts.cells import Binding, Cell
from prompts.errors import PromptError
from prompts.manifest import TrainingManifest
from prompts.noun_phrases import Phrase, Words, fold
from prompts.slug import slug
from prompts.subjects import SUBJECTS, Subject
from prompts.tags import tag_cell
from prompts.templates import TEMPLATES, make_cell

#: Longer texts are not prompts of these forms.
LONGEST_PROMPT = 1000

_PREFIX = re.compile(
    r"(?:(?:a|an|the|one) )?"
    r"(?:(?:close-up|closeup|realistic|photorealistic|high-quality|high quality|good|bad|stock|"
    r"digital|oil|3d|detailed|simple|cropped|blurry|bright|dark) ){0,3}"
    r"(?:photo|photograph|picture|image|painting|drawing|illustration|rendering|render|sketch|"
    r"close-up|closeup)s? (?:of|showing) "
)
_SCENE = re.compile(r"(?P<it>.+?)(?P<by> (?:on|in front of|against|in) )(?P<scenery>.+)")
_PAIR = re.compile(r",? and ")
#: (preposition, scenery) to the template, without the ``-plain`` of a scenery with no colour.
_SCENES = {
    ("on", "plate"): "plate",
    ("in front of", "wall"): "wall",
    ("against", "wall"): "wall",
    ("in", "picture frame"): "frame",
    ("on", "table"): "table",
}


def parse(
    text: str,
    colours: Iterable[str] = (),
    subjects: Mapping[str, Subject] = SUBJECTS,
    manifest: TrainingManifest | None = None,
) -> Cell | None:
    """Read a prompt.

    Parameters
    ----------
    text : str
    colours : iterable of str
        Colour words besides the eleven basic terms.
    subjects : mapping of str to Subject
        Subjects besides the released ones. Others are read where a colour precedes them.
    manifest : TrainingManifest, optional
        For the tags ``seen`` and ``novel``.

    Returns
    -------
    Cell or None
        A text of a released form is the cell of that form, whatever its case, spaces and closing
        full stop. Another wording has an id of its own, ``prompt/...``, made from the text, and so
        has its control, which is the same wording without the colours. None where the text is not
        read, or two things of it are the same.
    """
    words = _words(tuple(sorted(set(colours))), tuple(subjects.values()))
    found = read(text, words)
    return None if found is None else tag_cell(found[0], manifest, words.subjects)


@lru_cache(maxsize=16)
def _words(colours: tuple[str, ...], subjects: tuple[Subject, ...]) -> Words:
    return Words(colours, {subject.name: subject for subject in subjects})


def read(text: str, words: Words) -> tuple[Cell, Cell] | None:
    """Read a prompt with prepared words: its cell and its control, with their kinds as tags."""
    if len(text) > LONGEST_PROMPT:
        return None
    told = unicodedata.normalize("NFC", text).strip().strip("\"'“”‘’ ").rstrip(".!").rstrip()
    folded = fold(told)
    if not folded:
        return None
    prefix = _PREFIX.match(folded)
    lead = prefix.group() if prefix else ""
    body = folded[len(lead) :]
    for reader in (_read_single, _read_scene, _read_pair):
        found = reader(body, words)
        if found is not None:
            template, phrases, scenery, bare = found
            return _cells(template, phrases, scenery, told, folded, lead + bare, words)
    return None


_Found = tuple[str, tuple[Phrase, ...], Binding | None, str]


def _read_single(body: str, words: Words) -> _Found | None:
    it = words.thing(body)
    if it is None:
        return None
    return ("single" if it.colour else "control"), (it,), None, it.bare


def _read_scene(body: str, words: Words) -> _Found | None:
    match = _SCENE.fullmatch(body)
    if match is None:
        return None
    it, scenery = words.thing(match["it"]), words.scene(match["scenery"])
    if it is None or scenery is None:
        return None
    template = _SCENES.get((match["by"].strip(), scenery.subject))
    if template is None:
        return None
    name = template if scenery.colour else f"{template}-plain"
    bare = it.bare + match["by"] + match["scenery"]
    return name, (it,), Binding(scenery.colour, scenery.subject), bare


def _read_pair(body: str, words: Words) -> _Found | None:
    for match in _PAIR.finditer(body):
        first, second = words.thing(body[: match.start()]), words.thing(body[match.end() :])
        if first is not None and second is not None and first.subject != second.subject:
            return "pair", (first, second), None, first.bare + match.group() + second.bare
    return None


def _cells(
    template: str,
    phrases: tuple[Phrase, ...],
    scenery: Binding | None,
    told: str,
    folded: str,
    bare: str,
    words: Words,
) -> tuple[Cell, Cell]:
    bindings = tuple(Binding(phrase.colour, phrase.subject) for phrase in phrases)
    without = tuple(Binding(None, phrase.subject) for phrase in phrases)
    shade = scenery.colour if scenery else None
    try:
        released = make_cell(template, bindings, shade, words.subjects)
    except PromptError:
        pass
    else:
        if fold(released.text) == folded:
            return released, make_cell(template, without, shade, words.subjects)
    scene = () if scenery is None else (scenery,)
    if bindings == without:
        cell = free_cell(told, without, "control", scene)
        return cell, cell
    found = read(bare, words)
    control = found[0] if found else free_cell(bare, without, "control", scene)
    return free_cell(told, bindings, template, scene, control.id), control


def free_cell(
    text: str,
    bindings: tuple[Binding, ...],
    template: str,
    scenery: tuple[Binding, ...] = (),
    control_id: str = "",
) -> Cell:
    """Make a cell of a text in no released form; without ``control_id`` it is its own control."""
    own_id = f"prompt/{slug(fold(text))}"
    kind = TEMPLATES[template].kind if template in TEMPLATES else "single"
    if len(bindings) > 1 and template != "control":
        kind = "pair"
    return Cell(own_id, text, bindings, template, control_id or own_id, scenery, frozenset({kind}))
