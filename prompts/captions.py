"""Training captions, counted in one pass: which colours are said of which subjects.

The rule. A subject is named by its singular or plural, in any case, where it is the head of its
noun phrase: not before another subject or a word that makes a compound of it ("egg sandwich",
"apple pie", "car door"), not in a possessive ("the car's door"). A colour is said of it where

- it stands before the subject in the same noun phrase, with at most three words between ("a blue
  ceramic cup"), reading back from the subject until an article, a preposition, a conjunction, a
  verb in -ing or any punctuation; "blue and white cup" says both; or
- it follows as its predicate: "the cup is blue", "a car painted red".

"Grey" is "gray"; "blue-colored cup" says blue and "red-haired pig" says nothing of red. A word that
is a colour and a subject ("orange") is the colour where a word of the phrase follows it, else the
subject: "an orange car", "an orange orange", "a red orange". A caption counts once for a pair.

These are rules on words: no grammar is analysed, so that millions of captions take seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from prompts.caption_words import (
    COLOURED,
    COMPOUND_HEADS,
    COPULAS,
    JOINS,
    OTHER_THINGS,
    RELATIVES,
    SHADES,
    STOP,
)
from prompts.colours import BASIC, Colour
from prompts.grammar import plural
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, Subject

#: Words between a colour and its subject.
REACH = 3

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
#: Bytes of ASCII text to lower case, with spaces for punctuation: for the quick look at a caption.
_FOLD = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256)
)


class CaptionCounter:
    """Counts captions as they come; memory depends on the vocabulary alone.

    Parameters
    ----------
    colours : sequence of Colour
    subjects : sequence of Subject
    """

    def __init__(
        self,
        colours: Sequence[Colour] = BASIC,
        subjects: Sequence[Subject] = SUBJECT_LIST,
    ) -> None:
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._subjects: Counter[str] = Counter()
        self._captions = 0
        self._colours: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for colour in colours:
            self._enter(self._colours, colour.name, colour.name)
            if "gray" in colour.name.lower():
                self._enter(self._colours, colour.name.lower().replace("gray", "grey"), colour.name)
        self._nouns: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for subject in subjects:
            self._enter(self._nouns, subject.name, subject.name)
            self._enter(self._nouns, subject.plural or plural(subject.name), subject.name)
        self._heads = frozenset(
            last
            for word in self._nouns
            if word.isascii()
            for last in word.encode().translate(_FOLD).split()[-1:]
        )

    @staticmethod
    def _enter(table: dict[str, list[tuple[tuple[str, ...], str]]], phrase: str, name: str) -> None:
        """Enter a phrase under its last word, the longest phrases first."""
        words = tuple(_TOKEN.findall(phrase.lower()))
        if words and (words, name) not in table.setdefault(words[-1], []):
            table[words[-1]].append((words, name))
            table[words[-1]].sort(key=lambda entry: -len(entry[0]))

    def add(self, caption: str) -> None:
        """Count one caption."""
        self._captions += 1
        if caption.isascii() and self._heads.isdisjoint(caption.encode().translate(_FOLD).split()):
            return
        pairs, subjects = self._read(_TOKEN.findall(caption.lower()))
        for subject in subjects:
            self._subjects[subject] += 1
        for pair in pairs:
            self._pairs[pair] += 1

    def add_all(self, captions: Iterable[str]) -> CaptionCounter:
        """Count captions from any iterator, and return the counter."""
        for caption in captions:
            self.add(caption)
        return self

    def manifest(self) -> TrainingManifest:
        """Return the counts so far."""
        return TrainingManifest(dict(self._pairs), dict(self._subjects), self._captions)

    def _read(self, tokens: list[str]) -> tuple[set[tuple[str, str]], set[str]]:
        pairs: set[tuple[str, str]] = set()
        subjects: set[str] = set()
        for end, token in enumerate(tokens):
            if token not in self._nouns:
                continue
            found = self._match(self._nouns, tokens, end)
            if found is None:
                continue
            start, name = found
            if not self._is_head(tokens, start, end):
                continue
            subjects.add(name)
            for colour in self._before(tokens, start) + self._after(tokens, end):
                pairs.add((colour, name))
        return pairs, subjects

    @staticmethod
    def _match(
        table: dict[str, list[tuple[tuple[str, ...], str]]], tokens: list[str], end: int
    ) -> tuple[int, str] | None:
        """Find the longest phrase of a table that ends at a token: its start and its name."""
        for words, name in table.get(tokens[end], ()):
            start = end + 1 - len(words)
            if start >= 0 and (len(words) == 1 or tuple(tokens[start : end + 1]) == words):
                return start, name
        return None

    def _is_head(self, tokens: list[str], start: int, end: int) -> bool:
        following = tokens[end + 1] if end + 1 < len(tokens) else ""
        if start and (tokens[start - 1], tokens[end]) in OTHER_THINGS:
            return False
        if following in COMPOUND_HEADS:
            return False
        if tokens[end] in self._colours:
            return not self._is_colour_here(tokens, end)
        if following in self._nouns and following not in self._colours:
            return self._match(self._nouns, tokens, end + 1) is None
        return True

    def _is_colour_here(self, tokens: list[str], at: int) -> bool:
        """Decide for a word that is a colour and a subject: a colour where a noun follows."""
        if at + 1 >= len(tokens):
            return False
        following = tokens[at + 1]
        if following in JOINS and at + 3 < len(tokens) and tokens[at + 2] in self._colours:
            return self._continues(tokens[at + 3])
        return self._continues(following)

    @staticmethod
    def _continues(word: str) -> bool:
        return word[0].isalnum() and word not in STOP and not _is_gerund(word)

    def _before(self, tokens: list[str], start: int) -> list[str]:
        """Colours in the noun phrase before a subject."""
        at = start - 1
        for _ in range(REACH + 1):
            if at < 0:
                break
            token = tokens[at]
            colour = self._colour_at(tokens, at)
            if colour is not None:
                return [colour, *self._joined(tokens, at)]
            if not self._continues(token):
                break
            at -= 1
        return []

    def _joined(self, tokens: list[str], at: int) -> list[str]:
        """Colour joined to another by "and", before it."""
        if at >= 2 and tokens[at - 1] in JOINS:
            other = self._colour_at(tokens, at - 2)
            return [] if other is None else [other]
        return []

    def _after(self, tokens: list[str], end: int) -> list[str]:
        """Colour that is the predicate of a subject."""
        at = end + 1
        if at < len(tokens) and tokens[at] in RELATIVES:
            at += 1
        if at >= len(tokens) or tokens[at] not in COPULAS:
            return []
        at += 1
        while at < len(tokens) and tokens[at] in SHADES:
            at += 1
        for last in range(at, min(at + 3, len(tokens))):
            found = self._match(self._colours, tokens, last)
            if found is not None and found[0] == at:
                return [found[1]]
        return []

    def _colour_at(self, tokens: list[str], at: int) -> str | None:
        token = tokens[at]
        if token in self._colours:
            found = self._match(self._colours, tokens, at)
            return None if found is None else found[1]
        if "-" in token:
            parts = token.split("-")
            if parts[-1] in COLOURED:
                parts.pop()
            found = self._match(self._colours, parts, len(parts) - 1) if parts else None
            return None if found is None else found[1]
        return None


def _is_gerund(word: str) -> bool:
    return len(word) > 4 and word.endswith("ing")


def count_captions(
    captions: Iterable[str],
    colours: Sequence[Colour] = BASIC,
    subjects: Sequence[Subject] = SUBJECT_LIST,
) -> TrainingManifest:
    """Count captions from any iterator of strings; see the rule above."""
    return CaptionCounter(colours, subjects).add_all(captions).manifest()
