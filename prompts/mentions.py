"""What was read in a text: the things that it names, with their colours or why they have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prompts import lexicon as lex
from prompts.errors import shown
from prompts.noun_phrases import Shade
from prompts.text_tokens import Tokens

Span = tuple[int, int]
#: Kinds of a colour that is no colour of a thing, and hinders no other from being read.
PART, BACKGROUND = "part", "background"


@dataclass(frozen=True, slots=True)
class Mention:
    """A thing that a text names, with the colours that it says of it.

    Attributes
    ----------
    shades : tuple of Shade
        None where the text says no colour of it, more than one for "a blue and white cup".
    subject : str
        Name of its head noun, singular; that of the vocabulary where it is there.
    known : str
        The subject of the vocabulary that it ends in ("coffee cup": cup), "" for none.
    count : int or None
        How many are named; None for some.
    span, colour_span, noun_span : (int, int)
        Where the phrase, its colours and its head stand in the text.
    cut : (int, int) or None
        What must be taken out of the text so that it says no colour; None where that leaves no
        sentence.
    first, head, last : int
        The tokens of the phrase, article included, and where its head begins.
    aside : str
        `PART` or `BACKGROUND` where the colour is that, "" otherwise.
    problem : str
        Why it cannot be told what the colour is said of, "" where it can.
    """

    shades: tuple[Shade, ...]
    subject: str
    known: str
    count: int | None
    span: Span
    colour_span: Span
    noun_span: Span
    cut: Span | None
    first: int
    head: int
    last: int
    aside: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a text: its things in order, and words that may be taken for colours.

    ``hint`` says of the first such word why it is none: "orange juice", "blue-eyed", "salmon".
    """

    text: str
    tokens: Tokens
    mentions: tuple[Mention, ...]
    hint: str = ""

    @property
    def problem(self) -> str:
        """The first reason why the text is not understood, "" for none."""
        return next((one.problem for one in self.mentions if one.problem), "")


def word_at(low: Sequence[str], at: int) -> str:
    """Return a token, "" beyond both ends."""
    return low[at] if 0 <= at < len(low) else ""


def aside_of(low: Sequence[str], first: int, end: int) -> str:
    """Say whether a coloured phrase is a background, or a part of something named before it.

    "A cat and a white paw" are two things; "a cat with white paws" is one.
    """
    last = low[end - 1]
    if last in lex.BACKGROUNDS:
        return BACKGROUND
    if last not in lex.PARTS:
        return ""
    own = low[first] in ("a", "an") and word_at(low, first - 1) in ("and", "")
    return "" if own else PART


def why_refused(low: Sequence[str], text: str, mention: Mention, shades: Sequence[Shade]) -> str:
    """Say why colours of a thing, at this place of a text, are not read; "" where they are."""
    clause = "" if mention.aside else _refusal(low, mention, shades)
    return f"{shown(text[slice(*mention.span)])} {clause}" if clause else ""


def _refusal(low: Sequence[str], mention: Mention, shades: Sequence[Shade]) -> str:
    last = low[mention.last - 1]
    before, earlier = word_at(low, mention.first - 1), word_at(low, mention.first - 2)
    after = word_at(low, mention.last)
    light = last == "light" and before in ("under", "in", "with", "by")
    if len({one.name for one in (*mention.shades, *shades)}) > 1:
        return "has several colours"
    if last in lex.PEOPLE:
        return "tells of people"
    if last in lex.SCENES or light:
        return "is a colour of the whole picture"
    if last in lex.NO_HEADS:
        return "names no thing"
    if (
        before in lex.NEGATIONS
        or low[mention.first] == "no"
        or (before, earlier) == ("of", "instead")
    ):
        return "is said not to be there"
    if before in lex.SIMILES and earlier not in ("well", "such"):
        return "is a likeness"
    if earlier == "out":
        earlier = word_at(low, mention.first - 3)
    if before in ("of", "from") and earlier in lex.MADE:
        return "is what something is made of"
    if "or" in (before, after):
        return "is one of several choices"
    if after == "'":
        return "owns something"
    return ""
