"""Training captions, counted in one pass: which colours are said of which subjects.

Captions are read by the rules that prompts are read by (`prompts.reader`), so that a prompt is
``seen`` where its own words stood in a caption. What those rules leave open is not counted; of "a
blue and white cup" both colours are. A shade that is no colour of the vocabulary counts as its
basic term ("dark blue": blue). A subject counts where it is the head of its noun phrase, or the
last word of it ("coffee cup": cup; no apple in "apple pie"). A caption counts once for a pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from prompts.colours import BASIC, Colour
from prompts.manifest import TrainingManifest
from prompts.noun_phrases import Words
from prompts.reader import read_text
from prompts.subjects import SUBJECT_LIST, Subject

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
        self._colours = {colour.name for colour in colours}
        self._names = {subject.name for subject in subjects}
        self._words = Words(self._colours, {subject.name: subject for subject in subjects})
        self._heads = frozenset(
            last
            for word in self._words.nouns
            if word.isascii()
            for last in word.encode().translate(_FOLD).split()[-1:]
        )

    def add(self, caption: str) -> None:
        """Count one caption."""
        self._captions += 1
        if caption.isascii() and self._heads.isdisjoint(caption.encode().translate(_FOLD).split()):
            return
        pairs, subjects = self._read(caption)
        self._subjects.update(subjects)
        self._pairs.update(pairs)

    def add_all(self, captions: Iterable[str]) -> CaptionCounter:
        """Count captions from any iterator, and return the counter."""
        for caption in captions:
            self.add(caption)
        return self

    def manifest(self) -> TrainingManifest:
        """Return the counts so far."""
        return TrainingManifest(dict(self._pairs), dict(self._subjects), self._captions)

    def _read(self, caption: str) -> tuple[set[tuple[str, str]], set[str]]:
        pairs: set[tuple[str, str]] = set()
        subjects: set[str] = set()
        for mention in read_text(caption, self._words).mentions:
            if mention.known not in self._names:
                continue
            subjects.add(mention.known)
            if mention.aside or (mention.problem and len(mention.shades) < 2):
                continue
            for shade in mention.shades:
                colour = shade.name if shade.name in self._colours else shade.term
                if colour in self._colours:
                    pairs.add((colour, mention.known))
        return pairs, subjects


def count_captions(
    captions: Iterable[str],
    colours: Sequence[Colour] = BASIC,
    subjects: Sequence[Subject] = SUBJECT_LIST,
) -> TrainingManifest:
    """Count captions from any iterator of strings."""
    return CaptionCounter(colours, subjects).add_all(captions).manifest()
