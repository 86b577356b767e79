"""A prompt read back into a cell and its control, or the reason why it is not read.

The language is read by `prompts.reader`; here its things become bindings. A text of a released form
is the released cell, whatever its case and articles; any other wording has an id of its own, and
its control is the same text with the colour words taken out where they stand. A prompt of which
something is not understood is not read, because what is left out could change where a colour
belongs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from prompts.cells import Binding, Cell
from prompts.control_text import without_colours
from prompts.errors import PromptError, shown
from prompts.lexicon import COPULAS, DETERMINERS, NUMBERS, PREPOSITIONS
from prompts.manifest import TrainingManifest
from prompts.mentions import BACKGROUND, PART, Mention, Reading
from prompts.noun_phrases import Words, scenery_name
from prompts.reader import read_text
from prompts.slug import slug
from prompts.subjects import SUBJECTS, Subject
from prompts.tags import tag_cell
from prompts.templates import TEMPLATES, make_cell
from prompts.text_tokens import fold

#: Longer texts are no prompts.
LONGEST_PROMPT = 1 << 22
#: More colours in one prompt are not judged.
MOST_BINDINGS = 4

_PREFIX = re.compile(
    r"(?:(?:a|an|the|one) )?"
    r"(?:(?:close-up|closeup|realistic|photorealistic|high-quality|high quality|good|bad|stock|"
    r"digital|oil|3d|detailed|simple|cropped|blurry|bright|dark) ){0,3}"
    r"(?:photo|photograph|picture|image|painting|drawing|illustration|rendering|render|sketch|"
    r"close-up|closeup)s? (?:of|showing) (?:: )?"
)
_QUOTES = frozenset({'""', "''", "“”", "‘’"})
#: (preposition, scenery) to the template, without the ``-plain`` of a scenery with no colour.
_SCENES = {
    **{(by, "plate"): "plate" for by in ("on", "on top of", "upon")},
    **{(by, "wall"): "wall" for by in ("in front of", "against", "before")},
    **{(by, "picture frame"): "frame" for by in ("in", "inside")},
    **{(by, "table"): "table" for by in ("on", "on top of", "upon")},
}


def parse(
    text: str,
    colours: Iterable[str] = (),
    subjects: Mapping[str, Subject] = SUBJECTS,
    manifest: TrainingManifest | None = None,
) -> Cell | None:
    """Read a prompt; None where it is not read. See `read_prompt`, which says why."""
    found = read_prompt(text, colours, subjects, manifest)
    return None if isinstance(found, str) else found


def read_prompt(
    text: str,
    colours: Iterable[str] = (),
    subjects: Mapping[str, Subject] = SUBJECTS,
    manifest: TrainingManifest | None = None,
) -> Cell | str:
    """Read a prompt.

    Parameters
    ----------
    text : str
    colours : iterable of str
        Names that mean colours here besides those that are read in any prompt
        (`prompts.colour_names.names_in_text`), such as ``salmon``.
    subjects : mapping of str to Subject
        Subjects besides the released ones. Others are read where a colour is said of them.
    manifest : TrainingManifest, optional
        For the tags ``seen`` and ``novel``.

    Returns
    -------
    Cell or str
        A text of a released form is the cell of that form, whatever its case, spaces and closing
        full stop. Another wording has an id of its own, ``prompt/...``, made from the text.
        Where the text is not read, the reason.
    """
    words = _words(tuple(sorted(set(colours))), tuple(subjects.values()))
    found = read(text, words)
    return found if isinstance(found, str) else tag_cell(found[0], manifest, words.subjects)


@lru_cache(maxsize=16)
def _words(colours: tuple[str, ...], subjects: tuple[Subject, ...]) -> Words:
    return Words(colours, {subject.name: subject for subject in subjects})


def read(text: str, words: Words) -> tuple[Cell, Cell | None] | str:
    """Read a prompt with prepared words.

    Returns
    -------
    (Cell, Cell or None) or str
        The cell and its control, with their kinds as tags; the control is None where taking the
        colour out leaves no sentence. A text that is not read gives the reason.
    """
    if len(text) > LONGEST_PROMPT:
        return f"{len(text)} characters are more than a prompt has"
    told = unquoted(unicodedata.normalize("NFC", text).strip()).rstrip(".!").rstrip()
    if not fold(told):
        return "no prompt"
    reading = read_text(told, words)
    if reading.problem:
        return reading.problem
    form = _form(reading, words)
    if form is not None:
        template, things, scenery = form
        if len({thing.subject for thing in things}) < len(things):
            return _same(things[0].subject)
        return _cells(reading, template, things, scenery, words)
    things = [one for one in reading.mentions if one.shades and not one.aside]
    bindings = _bindings(things)
    subjects = [one.subject for one in bindings]
    if not things:
        return _no_colour(reading)
    if len(set(subjects)) < len(subjects):
        return _same(max(subjects, key=subjects.count))
    if len(bindings) > MOST_BINDINGS:
        return f"{len(bindings)} things with colours, at most {MOST_BINDINGS} are read"
    template = "pair" if len(bindings) == 2 else "prompt" if len(bindings) > 2 else "single"
    return _cells(reading, template, things, None, words)


def unquoted(text: str) -> str:
    """Return a text without the quotation marks around the whole of it."""
    while len(text) > 1 and (text[0] + text[-1] in _QUOTES) and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def _same(subject: str) -> str:
    return f"two things are called {shown(subject)}, and they could not be told apart"


def _no_colour(reading: Reading) -> str:
    for one in reading.mentions:
        if one.shades and one.aside in (PART, BACKGROUND):
            what = reading.text[slice(*one.span)]
            return f"{shown(what)} is the colour of a {one.aside}, and no thing has a colour"
    return reading.hint or "no colour of a thing is found; name it in the fields colour and subject"


def _bindings(things: Sequence[Mention]) -> tuple[Binding, ...]:
    return tuple(dict.fromkeys(Binding(_colour(one), one.subject) for one in things))


def _colour(mention: Mention) -> str | None:
    return mention.shades[0].name if mention.shades else None


_Form = tuple[str, list[Mention], Binding | None]


def _form(reading: Reading, words: Words) -> _Form | None:
    """Recognise a form of the released grids: one thing, a thing in a scene, or two things."""
    low = reading.tokens.low
    lead = _PREFIX.match(" ".join(low[:12]) + " ")
    start = lead.group().count(" ") if lead else 0
    things = [one for one in reading.mentions if one.first >= start]
    if not 1 <= len(things) <= 2 or things[0].first != start or things[-1].last != len(low):
        return None
    if any(one.aside for one in things):
        return None
    # A thing without a colour is only known where nothing else is said of it.
    if any(not one.shades and not _bare(low[one.first : one.head]) for one in things):
        return None
    it, last = things[0], things[-1]
    known = it.subject in words.subjects or bool(it.shades)
    if it is last:
        if not known:
            return None
        return ("single" if it.shades else "control"), things, None
    between = low[it.last : last.first]
    scene = scenery_name(last.subject)
    template = _SCENES.get((_place(between), scene))
    if known and template is not None:
        name = template if last.shades else f"{template}-plain"
        return name, [it], Binding(_colour(last), scene)
    joined = between in (["and"], [",", "and"])
    if known and joined and (last.shades or last.subject in words.subjects):
        return "pair", things, None
    return None


def _bare(words: Sequence[str]) -> bool:
    return all(word in DETERMINERS or word in NUMBERS for word in words)


def _place(between: Sequence[str]) -> str:
    """Return the preposition of a place, without a verb before it: "sitting on" is "on"."""
    if len(between) > 1 and between[0] == "that" and between[1] in COPULAS:
        between = between[2:]
    if len(between) > 1 and between[0] in COPULAS:
        between = between[1:]
    if len(between) > 1 and between[0] not in PREPOSITIONS:
        between = between[1:]
    return " ".join(between)


def _cells(
    reading: Reading,
    template: str,
    things: Sequence[Mention],
    scenery: Binding | None,
    words: Words,
) -> tuple[Cell, Cell | None]:
    bindings = _bindings(things)
    without = tuple(Binding(None, one.subject) for one in bindings)
    shade = scenery.colour if scenery else None
    folded = fold(reading.text)
    if template in TEMPLATES or template == "control":
        try:
            released = make_cell(template, bindings, shade, words.subjects)
        except PromptError:
            pass
        else:
            if fold(released.text) == folded:
                return released, make_cell(template, without, shade, words.subjects)
    scene = () if scenery is None else (scenery,)
    if bindings == without:
        cell = free_cell(reading.text, without, "control", scene)
        return cell, cell
    bare = without_colours(reading.text, things)
    control = None if bare is None else control_cell(bare, without, scene, words)
    own_control = control.id if control else ""
    return free_cell(reading.text, bindings, template, scene, own_control), control


def control_cell(
    text: str, bindings: tuple[Binding, ...], scenery: tuple[Binding, ...], words: Words
) -> Cell:
    """Make the control of a text without its colours: the released cell where it has one."""
    found = read(text, words)
    if not isinstance(found, str) and found[0].bindings == bindings:
        return found[0]
    return free_cell(text, bindings, "control", scenery)


def free_cell(
    text: str,
    bindings: tuple[Binding, ...],
    template: str,
    scenery: tuple[Binding, ...] = (),
    control_id: str = "",
) -> Cell:
    """Make a cell of a text in no released form; a control is its own control."""
    own_id = f"prompt/{slug(fold(text))}"
    kind = TEMPLATES[template].kind if template in TEMPLATES else "single"
    if len(bindings) > 1 and template != "control":
        kind = "pair"
    control = own_id if template == "control" else control_id
    return Cell(own_id, text, bindings, template, control, scenery, frozenset({kind}))
