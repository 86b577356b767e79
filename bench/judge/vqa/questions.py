"""What a vision-language model is asked of a picture, and what counts as its yes.

The wording is GenEval 2's (Kamath et al. 2025, arXiv 2512.16853): a question for each visual
primitive, "Are there any bicycles in the image?", "Are the bicycles white?", each followed by
"Answer in one word."; its score is the probability that the first token of the answer is a yes. The
question on leakage has the same form, of another place: "Is the plate blue?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.records import Regions
from prompts.cells import Binding, Cell
from prompts.grammar import PLURAL_ONLY, noun_phrase
from prompts.subjects import SUBJECTS, Subject

#: Follows every question.
INSTRUCTION = "Answer in one word."
#: First tokens of an answer that are a yes, whose probabilities are summed; those that are a no.
YES: tuple[str, ...] = ("Yes", "yes", " yes", " Yes")
NO: tuple[str, ...] = ("No", "no", " no", " No")
#: Where yes and no together have less than this, the model does not answer the question.
LEAST_ANSWERED = 0.01
#: Kinds of question, and the metric that each gives.
METRICS: dict[str, str] = {
    "presence": "vqa_presence",
    "colour": "vqa_bind",
    "leak": "vqa_leak",
}
#: Recorded with the scores.
WORDING: dict[str, str] = {
    "presence": f"Is there a SUBJECT in the image? {INSTRUCTION}",
    "colour": f"Is the SUBJECT COLOUR? {INSTRUCTION}",
    "leak": f"Is the PLACE COLOUR? {INSTRUCTION}",
}


@dataclass(frozen=True, slots=True)
class VqaQuestion:
    """One question on one binding: its kind, one of `METRICS`, and the text."""

    kind: str
    text: str


def questions_of(cell: Cell, index: int, regions: Regions) -> tuple[VqaQuestion, ...]:
    """Return what is asked of a binding in one picture.

    Parameters
    ----------
    cell : Cell
    index : int
        Of the binding.
    regions : Regions
        Named neighbours that were found are asked about; what is not there cannot be blue.

    Returns
    -------
    tuple of VqaQuestion
        Presence; for a binding that asks for a colour, the subject's colour, and whether the other
        subjects, the scenery, the neighbours and the background have it, unless they should.
    """
    return _questions(cell.bindings, cell.scenery, index, regions.neighbours)


@lru_cache(maxsize=4096)
def _questions(
    bindings: Sequence[Binding],
    scenery: Sequence[Binding],
    index: int,
    neighbours: tuple[str, ...],
) -> tuple[VqaQuestion, ...]:
    binding = bindings[index]
    found = [VqaQuestion("presence", is_there(binding.subject))]
    if binding.colour is None:
        return tuple(found)
    found.append(VqaQuestion("colour", has_colour(binding.subject, binding.colour)))
    others = (*bindings[:index], *bindings[index + 1 :], *scenery)
    places = {one.subject: one.colour for one in others}
    for name in neighbours:
        if name != "other":
            places.setdefault(name, None)
    places.setdefault("background", None)
    found += [
        VqaQuestion("leak", has_colour(place, binding.colour))
        for place, colour in places.items()
        if place != binding.subject and colour != binding.colour
    ]
    return tuple(found)


def is_there(noun: str) -> str:
    """Ask whether a thing is in the picture.

    Examples
    --------
    >>> is_there("apple")
    'Is there an apple in the image?'
    """
    verb = "Are" if _is_plural(noun) else "Is"
    return f"{verb} there {noun_phrase(None, _subject(noun))} in the image?"


def has_colour(noun: str, colour: str) -> str:
    """Ask whether a thing has a colour.

    Examples
    --------
    >>> has_colour("scissors", "blue")
    'Are the scissors blue?'
    """
    return f"{'Are' if _is_plural(noun) else 'Is'} the {noun} {colour}?"


def _subject(noun: str) -> Subject:
    return SUBJECTS.get(noun, Subject(noun))


def _is_plural(noun: str) -> bool:
    return noun.lower().rsplit(" ", 1)[-1] in PLURAL_ONLY
