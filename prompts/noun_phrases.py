"""Noun phrases of a prompt: "a blue potato" read back into a colour and a subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prompts.colours import COLOUR_NAMES
from prompts.grammar import article, plural, singular
from prompts.subjects import SCENERY, SUBJECTS, Subject

_NUMBERS = "one two three four five six seven eight nine ten"
DETERMINERS = frozenset(f"a an the some several many this that {_NUMBERS}".split())
_ONE_THING = frozenset({"a", "an", "one", "this", "that"})
#: Words that no unknown subject holds: with one of them the prompt says more than a thing.
_NO_NOUN = frozenset(
    f"and or with without on in at of by from to for near beside behind under over above below "
    f"between against next left right front is are was were that which who not no {_NUMBERS} "
    f"a an the".split()
)
#: Longest subject outside the vocabulary, in words.
_LONGEST_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase that was read: its colour, its subject, and its text without the colour."""

    colour: str | None
    subject: str
    bare: str


class Words:
    """The colours and subjects that phrases are read with.

    Parameters
    ----------
    colours : iterable of str
        Colour words besides the basic terms; several words in one are allowed.
    subjects : mapping of str to Subject
        Subjects besides the released ones.
    """

    def __init__(
        self, colours: Iterable[str] = (), subjects: Mapping[str, Subject] = SUBJECTS
    ) -> None:
        self.subjects: dict[str, Subject] = {**SUBJECTS, **subjects}
        names = (*COLOUR_NAMES, *colours)
        self._colours = {fold(name): name for name in names}
        self._longest = max(len(name.split()) for name in self._colours)
        self._nouns: dict[str, str] = {}
        for subject in self.subjects.values():
            self._nouns[fold(subject.plural or plural(subject.name))] = subject.name
        for subject in self.subjects.values():
            self._nouns[fold(subject.name)] = subject.name
        self._scenery = {name: name for name in SCENERY} | {"frame": "picture frame"}

    def thing(self, text: str) -> Phrase | None:
        """Read a phrase about a subject; an unknown one only where a colour precedes it."""
        determiner, rest = _split_determiner(text)
        if rest in self._nouns:
            return Phrase(None, self._nouns[rest], text)
        colour, noun = self._split_colour(rest)
        if colour is None:
            return None
        subject = self._nouns.get(noun) or self._unknown(determiner, noun)
        if subject is None:
            return None
        if determiner in ("a", "an"):
            determiner = article(noun)
        return Phrase(colour, subject, f"{determiner} {noun}" if determiner else noun)

    def scene(self, text: str) -> Phrase | None:
        """Read a phrase about a plate, a wall, a picture frame or a table."""
        _, rest = _split_determiner(text)
        if rest in self._scenery:
            return Phrase(None, self._scenery[rest], text)
        colour, noun = self._split_colour(rest)
        if colour is None or noun not in self._scenery:
            return None
        return Phrase(colour, self._scenery[noun], text)

    def _split_colour(self, text: str) -> tuple[str | None, str]:
        words = text.split()
        for count in range(min(self._longest, len(words) - 1), 0, -1):
            colour = self._colours.get(" ".join(words[:count]))
            if colour is not None:
                return colour, " ".join(words[count:])
        return None, text

    def _unknown(self, determiner: str, noun: str) -> str | None:
        words = noun.split()
        if len(words) > _LONGEST_UNKNOWN or any(word in _NO_NOUN for word in words):
            return None
        if words[0] in self._colours or not all(_is_word(word) for word in words):
            return None
        return noun if determiner in _ONE_THING else singular(noun)


def fold(text: str) -> str:
    """Return text as it is compared: lower case, single spaces, "grey" as "gray"."""
    words = text.lower().split()
    return " ".join("gray" if word == "grey" else word for word in words)


def _split_determiner(text: str) -> tuple[str, str]:
    first, _, rest = text.partition(" ")
    return (first, rest) if first in DETERMINERS and rest else ("", text)


def _is_word(word: str) -> bool:
    return all(part.isalnum() for part in word.replace("’", "'").replace("'", "-").split("-"))
