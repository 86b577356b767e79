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
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from prompts.colours import BASIC, Colour
from prompts.grammar import plural
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, Subject

#: Words between a colour and its subject.
REACH = 3

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
_TO_SPACES = str.maketrans({mark: " " for mark in string.punctuation})

_STOP = frozenset(
    "a an the this that these those some any each every no all both its his her their my your our "
    "and or but nor & of on in at by to from with without into onto over under above below beside "
    "besides behind near next against around across along between among through for as like than "
    "off up down out inside outside atop is are was were be been being has have had do does did "
    "can will would should it he she they we you i who which what where when while there here not "
    "sits sit stands stand lies lie lay hangs hang rests rest holds hold eats eat wears wear shows "
    "show looks look one two three four five six seven eight nine ten".split()
)
_JOINS = frozenset({"and", "or", "&"})
_COPULAS = frozenset("is are was were painted colored coloured dyed".split())
_RELATIVES = frozenset({"that", "which"})
_SHADES = frozenset("all bright completely dark deep entirely light pale very vivid".split())
_COLOURED = frozenset({"colored", "coloured", "tinted", "hued", "painted"})

#: Words that take over from a subject before them: "apple pie" is no apple.
_COMPOUND_HEADS = frozenset(
    "bag bags basket bottom box bowl bread cake cakes cap carton case cases chips chop chops cider "
    "company cooler cover covers crate dealer door doors driver factory farm field fields fries "
    "garage handle holder holders hood juice key keys leaf leaves lid maker market mask milkshake "
    "neck noodles oil opener orchard pancakes park parking party patch peel pie pies plant plants "
    "rack rack racks rim roof salad sauce seat seats seed seeds shaped shell shells shelf shelves "
    "shop shops skin smoothie soup split stand stands store stores strap swing tank tanks tattoo "
    "tower toy tracks tree trees trunk tusk tusks wash wheel window windows yolk".split()
)
#: (word before, subject) that name another thing.
_OTHER_THINGS = frozenset({("guinea", "pig"), ("facebook", "book"), ("world", "cup")})


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
        self._heads = frozenset(part for word in self._nouns for part in word.split("-")[-1:])

    @staticmethod
    def _enter(
        table: dict[str, list[tuple[tuple[str, ...], str]]], phrase: str, name: str
    ) -> None:
        """Enter a phrase under its last word, the longest phrases first."""
        words = tuple(_TOKEN.findall(phrase.lower()))
        if words and (words, name) not in table.setdefault(words[-1], []):
            table[words[-1]].append((words, name))
            table[words[-1]].sort(key=lambda entry: -len(entry[0]))

    def add(self, caption: str) -> None:
        """Count one caption."""
        self._captions += 1
        text = caption.lower()
        if text.isascii() and self._heads.isdisjoint(text.translate(_TO_SPACES).split()):
            return
        pairs, subjects = self._read(_TOKEN.findall(text))
        if subjects:
            self._subjects.update(subjects)
            if pairs:
                self._pairs.update(pairs)

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
        if start and (tokens[start - 1], tokens[end]) in _OTHER_THINGS:
            return False
        if following in _COMPOUND_HEADS:
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
        if following in _JOINS and at + 3 < len(tokens) and tokens[at + 2] in self._colours:
            return self._continues(tokens[at + 3])
        return self._continues(following)

    @staticmethod
    def _continues(word: str) -> bool:
        return word[0].isalnum() and word not in _STOP and not _is_gerund(word)

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
        if at >= 2 and tokens[at - 1] in _JOINS:
            other = self._colour_at(tokens, at - 2)
            return [] if other is None else [other]
        return []

    def _after(self, tokens: list[str], end: int) -> list[str]:
        """Colour that is the predicate of a subject."""
        at = end + 1
        if at < len(tokens) and tokens[at] in _RELATIVES:
            at += 1
        if at >= len(tokens) or tokens[at] not in _COPULAS:
            return []
        at += 1
        while at < len(tokens) and tokens[at] in _SHADES:
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
            if parts[-1] in _COLOURED:
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
