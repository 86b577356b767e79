"""Tags of a cell: which colours are natural for its subjects, and which pairs were trained on.

For a binding of colour c to a subject with canonical colours K:

- ``canonical``: c is in K.
- ``anti-canonical``: the subject has a strong prior and c is one of the three basic colours that
  are farthest from K, where the distance of c is the smallest CIE76 difference between its
  prototype and that of any colour in K. A colour outside the vocabulary is anti-canonical where it
  is at least as far from K as the nearest of those three.
- ``uncanonical``: any other colour.

Exactly one of the three holds, and none where K is empty. A cell has the tag of its hardest
binding: anti-canonical before uncanonical before canonical; ``novel`` before ``seen``. Controls ask
for no colour and have none of these tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from prompts.cells import Cell
from prompts.colours import BASIC, COLOURS, Colour
from prompts.lab import delta_e
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECTS, Subject

KINDS: tuple[str, ...] = ("single", "distractor", "pair", "control")
#: From the easiest to the hardest.
CANONICITY: tuple[str, ...] = ("canonical", "uncanonical", "anti-canonical")
FAMILIARITY: tuple[str, ...] = ("seen", "novel")

#: How many of the basic colours are anti-canonical for a subject with a strong prior.
ANTI_CANONICAL_COLOURS = 3


def canonicity(
    colour: str, subject: Subject, colours: Mapping[str, Colour] = COLOURS
) -> str | None:
    """Return the tag of a colour on a subject, or None for a subject of unknown prior.

    Parameters
    ----------
    colour : str
        Name; a colour without a known prototype is never anti-canonical.
    subject : Subject
    colours : mapping of str to Colour
        Prototypes of the colours outside the basic ones.
    """
    if not subject.canonical:
        return None
    if colour in subject.canonical:
        return "canonical"
    if not subject.strong:
        return "uncanonical"
    prototypes = tuple(
        known.srgb
        for name in subject.canonical
        if (known := COLOURS.get(name) or colours.get(name)) is not None
    )
    asked = COLOURS.get(colour) or colours.get(colour)
    if asked is None or not prototypes:
        return "uncanonical"
    far = _distance(asked.srgb, prototypes) >= _threshold(prototypes)
    return "anti-canonical" if far else "uncanonical"


def anti_canonical_colours(subject: Subject) -> tuple[str, ...]:
    """Return the basic colours that are anti-canonical for a subject, in vocabulary order."""
    return tuple(
        colour.name for colour in BASIC if canonicity(colour.name, subject) == "anti-canonical"
    )


def tag_cell(
    cell: Cell,
    manifest: TrainingManifest | None = None,
    subjects: Mapping[str, Subject] = SUBJECTS,
    colours: Mapping[str, Colour] = COLOURS,
) -> Cell:
    """Return the cell with its tags: its kind, its canonicity, and seen / novel.

    Parameters
    ----------
    cell : Cell
        Its kind tag is kept; all other tags are made anew.
    manifest : TrainingManifest, optional
        Without one there is no ``seen`` and no ``novel``.
    subjects, colours : mapping
        Subjects and colours outside the vocabulary.
    """
    asked = [(one.colour, one.subject) for one in cell.bindings if one.colour is not None]
    tags = set(cell.tags & set(KINDS))
    naturals = {
        tag
        for colour, name in asked
        if (tag := canonicity(colour, _subject(name, subjects), colours)) is not None
    }
    if naturals:
        tags.add(max(naturals, key=CANONICITY.index))
    tagged = replace(cell, tags=frozenset(tags))
    return tagged if manifest is None else tag_familiarity(tagged, manifest)


def tag_familiarity(cell: Cell, manifest: TrainingManifest) -> Cell:
    """Return the cell tagged ``seen`` or ``novel`` by this manifest; its other tags stay."""
    asked = [(one.colour, one.subject) for one in cell.bindings if one.colour is not None]
    tags = cell.tags - set(FAMILIARITY)
    if asked:
        novel = any(manifest.count(colour, subject) == 0 for colour, subject in asked)
        tags |= {"novel" if novel else "seen"}
    return replace(cell, tags=frozenset(tags))


def _subject(name: str, subjects: Mapping[str, Subject]) -> Subject:
    return subjects.get(name) or SUBJECTS.get(name) or Subject(name)


def _distance(srgb: tuple[int, int, int], prototypes: tuple[tuple[int, int, int], ...]) -> float:
    return min(delta_e(srgb, prototype) for prototype in prototypes)


@lru_cache(maxsize=1024)
def _threshold(prototypes: tuple[tuple[int, int, int], ...]) -> float:
    distances = sorted((_distance(colour.srgb, prototypes) for colour in BASIC), reverse=True)
    return distances[ANTI_CANONICAL_COLOURS - 1]
