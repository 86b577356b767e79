"""The words that prompts are read with, and the head noun of a phrase: "big red car" is a car."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from prompts.colour_names import SPELLINGS, names_in_text
from prompts.colours import COLOURS
from prompts.grammar import plural, singular
from prompts.lexicon import (
    ADJECTIVES,
    ADVERBS,
    ED_NOUNS,
    ING_NOUNS,
    INTENSITIES,
    LY_NOUNS,
    NOUNS_AS_ADJECTIVES,
    PAST_FORMS,
    PICTURES,
    VIEWS,
    WHOLE_NOUNS,
)
from prompts.subjects import SCENERY, SUBJECTS, Subject
from prompts.text_tokens import tokenise

#: Longest head, in words: "hot air balloon".
LONGEST_HEAD = 3


#: Basic terms with a thing that only makes them stronger.
_STRONG = {
    "jet black": "black", "pitch black": "black", "coal black": "black", "ink black": "black",
    "snow white": "white", "lily white": "white", "milk white": "white", "ruby red": "red",
}  # fmt: skip
#: Longer words are none.
LONGEST_WORD = 500


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour as a text names it.

    Attributes
    ----------
    name : str
        As the vocabulary has it: ``light blue``, ``teal``.
    term : str
        Basic term that it is a shade of; ``""`` for none.
    """

    name: str
    term: str


class Words:
    """The colours and subjects that a text is read with.

    Parameters
    ----------
    colours : iterable of str
        Colour words besides those of `prompts.colour_names.names_in_text`; of several words, too.
    subjects : mapping of str to Subject
        Subjects besides the released ones.
    """

    def __init__(
        self, colours: Iterable[str] = (), subjects: Mapping[str, Subject] = SUBJECTS
    ) -> None:
        self.subjects: dict[str, Subject] = {**SUBJECTS, **subjects}
        self._colours = dict(_known_colours())
        for name in colours:
            words = tuple(tokenise(name).low)
            if words and name not in COLOURS:
                _enter(self._colours, words, Shade(name, _term_of(words)), words[0])
        self.nouns: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for subject in self.subjects.values():
            for form in (subject.name, subject.plural or plural(subject.name)):
                words = tuple(tokenise(form).low)
                if words:
                    _enter(self.nouns, words, subject.name, words[-1])
        #: Subjects that hold a colour word, by their first word: "red panda".
        self._coloured: dict[str, list[tuple[str, ...]]] = {}
        for entries in self.nouns.values():
            for words, _ in entries:
                if len(words) > 1 and any(word in self._colours for word in words):
                    self._coloured.setdefault(words[0], []).append(words)

    def colour_at(self, low: Sequence[str], at: int) -> tuple[Shade, int] | None:
        """Find the longest colour that begins at a token: what it is, and where it ends."""
        for words, shade in self._colours.get(low[at], ()):
            if tuple(low[at : at + len(words)]) == words:
                return shade, at + len(words)
        if low[at][:1] == "#" and len(low[at]) > 1:
            return Shade(low[at], ""), at + 1
        return None

    def coloured_subject(self, low: Sequence[str], at: int) -> int:
        """Return where a subject that holds a colour word ends ("red panda"), or 0."""
        ends = (
            at + len(words)
            for words in self._coloured.get(low[at], ())
            if tuple(low[at : at + len(words)]) == words
        )
        return max(ends, default=0)

    def subject_ending(self, low: Sequence[str], start: int, end: int) -> tuple[int, str] | None:
        """Find the longest subject that ends before ``end``: where it begins, and its name."""
        for words, name in self.nouns.get(low[end - 1], ()):
            begin = end - len(words)
            if begin >= start and tuple(low[begin:end]) == words:
                return begin, name
        return None

    def is_noun(self, word: str) -> bool:
        """Say whether a word ends the name of a subject."""
        return word in self.nouns


def _enter(table: dict[str, list[Any]], words: tuple[str, ...], value: object, key: str) -> None:
    entries = [entry for entry in table.get(key, ()) if entry[0] != words]
    table[key] = sorted([*entries, (words, value)], key=lambda entry: -len(entry[0]))


def _term_of(words: Sequence[str]) -> str:
    return words[-1] if words[-1] in COLOURS else ""


@cache
def _known_colours() -> dict[str, list[tuple[tuple[str, ...], Shade]]]:
    table: dict[str, list[tuple[tuple[str, ...], Shade]]] = {}
    for name, term in names_in_text().items():
        words = tuple(name.split())
        _enter(table, words, Shade(name, term), words[0])
    for strong, name in _STRONG.items():
        words = tuple(strong.split())
        _enter(table, words, Shade(name, name), words[0])
    for spelling, name in SPELLINGS.items():
        if name in table and spelling not in names_in_text():
            _enter(table, (spelling,), Shade(name, ""), spelling)
    return table


def is_participle(word: str) -> bool:
    """Say whether a word is a past form, such as "parked": after a noun it tells of it."""
    return word in PAST_FORMS or (len(word) > 3 and word.endswith("ed") and word not in ED_NOUNS)


def is_gerund(word: str) -> bool:
    """Say whether a word is a form in -ing, and no thing such as a building."""
    return len(word) > 4 and word.endswith("ing") and word not in ING_NOUNS


def is_adverb(word: str) -> bool:
    """Say whether a word tells where or how: "outdoors", "quietly"."""
    return word in ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in LY_NOUNS)


def is_adjective(word: str) -> bool:
    """Say whether a word tells what a thing is like, and is no part of its name."""
    if word in ADJECTIVES or word in INTENSITIES or word.isdigit():
        return True
    last = word.rsplit("-", 1)[-1] if "-" in word else ""
    if last and (last in ("style", "shaped", "sized", "like", "free", "up") or is_participle(last)):
        return True
    return is_participle(word) or (
        len(word) > 5 and word.endswith(("ous", "less", "ful", "ish")) and word != "radish"
    )


def is_bare_adjective(word: str) -> bool:
    """Say whether a word cannot be a noun even where nothing follows: not "a red square"."""
    return is_adjective(word) and word not in NOUNS_AS_ADJECTIVES


def head_noun(low: Sequence[str], start: int, end: int, words: Words) -> tuple[int, int] | None:
    """Find the name of the thing in a noun phrase without article and colour.

    Returns
    -------
    (int, int) or None
        First token of the name and the one after its last; None where there is no noun, or more
        words than are a name.
    """
    picture = False
    while end - start > 1 and words.subject_ending(low, start, end) is None:
        last = low[end - 1]
        picture = picture or last in PICTURES
        if not is_adverb(last) and not (picture and last in PICTURES | VIEWS):
            break
        end -= 1
    while start < end - 1 and is_adjective(low[start]) and tuple(low[start:end]) not in WHOLE_NOUNS:
        found = words.subject_ending(low, start, end)
        if found is not None and found[0] == start:
            break
        start += 1
    if end - start > 1 and is_gerund(low[start]) and is_gerund(low[end - 1]):
        return None
    if start >= end or end - start > LONGEST_HEAD:
        return None
    last = low[end - 1]
    known = words.is_noun(last) or (last.isdigit() and end - start > 1)
    if not known and (is_participle(last) or is_adverb(last) or is_bare_adjective(last)):
        return None
    if any(not _is_word(word) or word.endswith("'s") for word in low[start:end]):
        return None
    return start, end


def subject_name(
    low: Sequence[str], start: int, end: int, words: Words, one: bool
) -> tuple[str, bool]:
    """Return the name of a head noun, and whether it is a subject of the vocabulary."""
    found = words.subject_ending(low, start, end)
    if found is not None and found[0] == start:
        return found[1], True
    name = " ".join(low[start:end])
    return (name if one else singular(name)), False


def scenery_name(name: str) -> str:
    """Return the scenery that a noun is, "" for none; a frame is a picture frame."""
    name = "picture frame" if name == "frame" else name
    return name if name in SCENERY else ""


def _is_word(word: str) -> bool:
    return len(word) <= LONGEST_WORD and word.replace("'", "").replace("-", "").isalnum()
