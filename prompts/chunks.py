"""A text cut into noun phrases: at function words, signs, verbs and adverbs, with its colours.

A phrase ends before what its thing does or where it is: "a red car | parked", "a black dog |
running", "the blue bird | flies". A colour's word that is none here ("orange juice", "an orange")
stays a word of its phrase. No step looks further than a few words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prompts import lexicon as lex
from prompts.colour_names import named_colour
from prompts.errors import shown
from prompts.mentions import Span
from prompts.noun_phrases import Shade, Words, is_adjective, is_adverb, is_gerund, is_participle
from prompts.text_tokens import tokenise


@dataclass(frozen=True, slots=True)
class Chunk:
    """Content words between function words: adjectives, colours, and the words after them."""

    start: int
    end: int
    shades: tuple[Shade, ...] = ()
    colour: Span = (0, 0)
    #: Where the words of the noun begin.
    rest: int = 0


class Chunker:
    """Cuts a text into `Chunk`.

    Attributes
    ----------
    hint : str
        Why the first word that may be taken for a colour is none, "" where there is no such word.
    """

    def __init__(self, text: str, words: Words) -> None:
        self.text, self.words = text, words
        self.tokens = tokenise(text)
        self.low, self.spans = self.tokens.low, self.tokens.spans
        self.n = len(self.low)
        self.hint = ""

    def word(self, at: int) -> str:
        """Return a token, "" beyond both ends."""
        return self.low[at] if 0 <= at < self.n else ""

    def content(self, at: int) -> bool:
        """Say whether a token is a word that is in no list of function words."""
        word = self.word(at)
        if word in lex.PLACES and self.word(at + 1) == "of" and self.word(at - 1) in lex.PLACED:
            return False
        if word == "can":
            before = self.word(at - 1)
            noun = before in lex.DETERMINERS or (before[:1].isalnum() and before not in lex.STOP)
            return noun and self.word(at + 1) not in lex.VERBS_BASE | {"be", "not"}
        return (word[:1].isalnum() and word not in lex.STOP) or (len(word) > 1 and word[0] == "#")

    def colour(self, at: int) -> tuple[tuple[Shade, ...], int] | None:
        """Find a colour at a token, also in a word with hyphens; its end; None for none."""
        word = self.low[at]
        found = self.words.colour_at(self.low, at)
        if found is not None:
            shade, end = found
            return None if self.is_noun_here(at, end, shade) else ((shade,), end)
        if "-" in word:
            return self.hyphened(word, at)
        if self.word(at + 1) in ("colored", "coloured") and self.may_be_colour(word):
            # "a peach coloured sofa", but "a peach coloured red".
            after = self.word(at + 2)
            plain = after in lex.INTENSITIES or self.words.colour_at([after], 0) is not None
            if after and not plain and self.content(at + 2):
                return (Shade(word, ""),), at + 1
        return None

    def may_be_colour(self, word: str) -> bool:
        """Say whether a word is a colour where the text says so: "peach-coloured"."""
        plain = self.words.colour_at([word], 0) is None
        return plain and word not in lex.ADJECTIVES and named_colour(word) is not None

    def hyphened(self, word: str, at: int) -> tuple[tuple[Shade, ...], int] | None:
        """Read "blue-coloured", "navy-blue" and "black-and-white"; "blue-eyed" is no colour."""
        parts = word.split("-")
        marked = parts[-1] in lex.COLOURED
        parts = parts[:-1] if marked else parts
        while len(parts) > 1 and parts[0] in lex.INTENSITIES:
            parts = parts[1:]
        if marked and len(parts) == 1 and self.may_be_colour(parts[0]):
            return (Shade(parts[0], ""),), at + 1
        if parts[-1] == "ish":
            self.hint = self.hint or f"{shown(word)} is no colour term"
        shades: list[Shade] = []
        place = 0
        while parts and place < len(parts):
            found = self.words.colour_at(parts, place)
            if found is None and not (shades and parts[place] in lex.JOINS):
                if shades and is_participle(parts[-1]):
                    self.hint = self.hint or f"{shown(word)} is the colour of a part"
                return None
            if found is not None:
                shades.append(found[0])
            place = found[1] if found else place + 1
        if len(shades) > 1 and "and" not in parts:
            mixed = " ".join(shade.name for shade in shades)
            if named_colour(mixed):
                return (Shade(mixed, ""),), at + 1
        return (tuple(shades), at + 1) if shades else None

    def is_noun_here(self, at: int, end: int, shade: Shade) -> bool:
        """Say whether a colour's word is a thing here: "orange juice", "an orange"."""
        following = self.word(end)
        if following in lex.COMPOUNDS.get(shade.name, ()):
            if (following, self.word(end + 1)) in lex.WHOLE_NOUNS:
                return False
            self.hint = self.hint or f"{shown(self.phrase(at, end + 1))} is a kind and no colour"
            return True
        noun = end - at == 1 and (shade.name in lex.NOUNS_TOO or self.words.is_noun(self.low[at]))
        if noun and following in lex.COLOURED and end + 1 < self.n:
            return self.words.colour_at(self.low, end + 1) is not None
        before = at - 1
        while before >= 0 and self.describes(before):
            before -= 1
        coloured = before >= 0 and self.words.colour_at(self.low, before) is not None
        if noun and coloured and following in lex.PICTURES:
            return True
        if not noun or self.continues(end):
            return False
        if following in lex.JOINS and end + 1 < self.n:
            after = self.words.colour_at(self.low, end + 1)
            if after is not None and self.continues(after[1]):
                return False
        listed = following == "," and is_adjective(self.word(end + 1))
        if listed and not coloured and self.word(end + 1) not in lex.PRAISES:
            return False
        if following == "in" and self.word(end + 1) in lex.COLOUR_NOUNS:
            return False
        tie = self.word(before)
        # "a red coloured orange", but "an orange coloured red".
        painted = tie in lex.COLOURED and (
            before == 0
            or self.words.is_noun(self.low[before - 1])
            or self.words.colour_at(self.low, before - 1) is None
        )
        return not (painted or tie == "in" or tie in lex.COPULAS or following in lex.COLOUR_NOUNS)

    def describes(self, at: int) -> bool:
        """Say whether a word is an adjective or an adverb, and ties no colour to a thing."""
        word = self.low[at]
        return (is_adverb(word) or is_adjective(word)) and word not in lex.COLOURED

    def continues(self, at: int) -> bool:
        """Say whether a noun phrase goes on at a token."""
        word = self.word(at)
        return (
            self.content(at)
            and word not in lex.VERBS_S
            and not is_adverb(word)
            and not (is_gerund(word) and not self.content(at + 1))
            and not (is_participle(word) and word not in lex.COLOURED and not self.content(at + 1))
        )

    def chunks(self) -> Iterator[Chunk]:
        """Yield the phrases of the text, in order."""
        at = 0
        while at < self.n:
            if not self.content(at):
                at += 1
                continue
            chunk = self.chunk(at)
            if chunk.end > chunk.start:
                yield chunk
            at = max(chunk.end, at + 1)
            if chunk.end and self.content(at) and self.is_break(at, chunk):
                at += 1

    def is_break(self, at: int, chunk: Chunk) -> bool:
        """Say whether the phrase before ended at a verb or an adverb, which is passed over."""
        return chunk.end == at and at > chunk.start and self.ends_phrase(at, chunk.start)

    def chunk(self, start: int) -> Chunk:
        """Read the phrase that begins at a token; empty where what something does begins."""
        at, noun = start, False
        shades: list[Shade] = []
        colour = (0, 0)
        rest = 0
        while at < self.n and self.content(at):
            if end := self.words.coloured_subject(self.low, at):
                at, noun = end, True
                continue
            found = self.colour(at)
            if found is not None:
                if noun:
                    break
                shades += found[0]
                colour = (colour[0] if colour[1] else at, found[1])
                at = rest = found[1]
                while rest < self.n and self.word(rest) in lex.COLOURED:
                    at = rest = rest + 1
                continue
            if noun and self.ends_phrase(at, start):
                break
            word = self.low[at]
            if not noun and at == start and self.begins_clause(at):
                return Chunk(at, at)
            if not (is_adjective(word) or is_gerund(word)) or self.words.is_noun(word):
                noun = True
            at += 1
        return Chunk(start, at, tuple(shades), colour, rest if shades else start)

    def begins_clause(self, at: int) -> bool:
        """Say whether a phrase begins with what something does: "wearing blue boots"."""
        word = self.low[at]
        if is_adverb(word) and word not in lex.ADJECTIVES:
            return True
        before = self.word(at - 1)
        if is_gerund(word):
            return before not in lex.DETERMINERS and before not in lex.NUMBERS
        return is_participle(word) and not self.content(at + 1)

    def ends_phrase(self, at: int, start: int) -> bool:
        """Say whether a word after a noun is a verb or an adverb: "running", "parked", "sits"."""
        word, before = self.low[at], self.low[at - 1]
        if is_gerund(word) or is_adverb(word):
            return not self.words.is_noun(word)
        if is_participle(word):
            after = at + 1
            while word in lex.COLOURED and self.word(after) in lex.INTENSITIES:
                after += 1
            return not self.content(at + 1) or self.colour(after) is not None
        if word in lex.VERBS_S or (
            word in lex.VERBS_BASE and before.endswith("s") and before != "sports"
        ):
            return True
        if not word.endswith("s") or word.endswith(("ss", "us", "is")) or self.words.is_noun(word):
            return False
        following = self.word(at + 1)
        one = self.word(start - 1) in ("a", "an")
        return following in lex.DETERMINERS or (
            one and following in lex.PREPOSITIONS and following != "of" and at - start > 1
        )

    def phrase(self, start: int, end: int) -> str:
        """Return the words of some tokens as they stand in the text."""
        return self.text[self.spans[start][0] : self.spans[max(start, end - 1)][1]]

    def determiner(self, start: int) -> tuple[int, bool, int | None]:
        """Read the articles and numbers before a phrase: its first token, whether one, how many."""
        first, one, count = start, False, None
        if self.low[start].isdecimal():
            count = int(self.low[start][:6])
        while first > 0 and (
            self.low[first - 1] in lex.DETERMINERS or self.low[first - 1] in lex.NUMBERS
        ):
            first -= 1
            word = self.low[first]
            count = lex.NUMBERS.get(word, count)
            if word in lex.ONE_THING or word == "one":
                one, count = True, count or 1
        return first, one, count

    def names_thing(self, rest: int, end: int) -> bool:
        """Say whether there is a noun among the words after a colour."""
        return any(
            not (is_adjective(word) or is_adverb(word)) or self.words.is_noun(word)
            for word in self.low[rest:end]
        ) or (end > rest and self.low[end - 1] in lex.NOUNS_AS_ADJECTIVES)

    def is_known(self, at: int) -> bool:
        """Say whether a word in -ed only tells what a thing is like: "framed", "diamond-shaped"."""
        word = self.low[at]
        known = word in lex.ADJECTIVES or (word, self.word(at + 1)) in lex.WHOLE_NOUNS
        return known or word.endswith(("-shaped", "-sized", "-coloured", "-colored"))
