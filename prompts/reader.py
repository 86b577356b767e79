"""Which colours a text says of which things: the one reader of English for prompts and captions.

The text is cut into noun phrases at function words, signs and verbs. A colour is said of the head
of its phrase ("a big blue ceramic cup" says blue of cup), or of a subject that it follows ("the cup
is blue", "a car painted red", "a cup that is blue"). What is no colour of a thing is known by lists
(`prompts.lexicon`): parts ("blue-eyed cat"), people, compounds ("orange juice"), backgrounds.
Where the rules do not tell what a colour is said of, the reading has a problem, and a prompt with
one is not read. No step looks further than a few words, so that time is linear in the text.
"""

from __future__ import annotations

from dataclasses import replace

from prompts import lexicon as lex
from prompts.chunks import Chunk, Chunker
from prompts.colour_names import ambiguous_names
from prompts.errors import shown
from prompts.mentions import PART, Mention, Reading, Span, aside_of, why_refused
from prompts.noun_phrases import (
    Shade,
    Words,
    head_noun,
    is_adjective,
    is_adverb,
    is_participle,
    subject_name,
)

#: More colours of one noun are not gathered.
_MOST_SHADES = 6
#: Signs that end a clause.
_STOPS = frozenset(".,;:!?")


def read_text(text: str, words: Words) -> Reading:
    """Read a text; it never fails."""
    return _Reader(text, words).read()


class _Reader(Chunker):
    def __init__(self, text: str, words: Words) -> None:
        super().__init__(text, words)
        self.mentions: list[Mention] = []
        #: Whether all mentions so far are of one thing, which "it" can stand for.
        self.only = False

    def read(self) -> Reading:
        chunks = list(self.chunks())
        at = 0
        while at < len(chunks):
            at = self.mention(chunks, at)
        return Reading(self.text, self.tokens, tuple(self.mentions), self.hint)

    def mention(self, chunks: list[Chunk], number: int) -> int:
        """Read one phrase, with those that belong to it; return the number of the next."""
        chunk = chunks[number]
        if not chunk.shades:
            self.bare(chunk)
            return number + 1
        shades, rest, end, colour = list(chunk.shades), chunk.rest, chunk.end, chunk.colour
        problem = ""
        # Where the colours end, should no noun follow: "a stool, pink, big".
        alone = (number, end)
        while (
            not self.names_thing(rest, end)
            and number + 1 < len(chunks)
            and len(shades) <= _MOST_SHADES
        ):
            following = chunks[number + 1]
            between = self.low[end : following.start]
            if between not in ([","], ["and"], ["&"], ["or"], ["/"], [",", "and"], [",", "or"]):
                break
            if following.shades:
                shades += following.shades
                if "or" in between:
                    problem = f"{shown(self.phrase(colour[0], following.end))} leaves a choice"
            elif not is_adjective(self.low[following.start]):
                break
            colour = (colour[0], following.colour[1] or colour[1])
            rest, end = following.rest, following.end
            number += 1
            alone = (number, end) if following.shades else alone
        first = chunk.start
        if self.names_thing(rest, end):
            self.attribute(tuple(shades), first, colour, rest, end, problem)
        else:
            number, end = alone
            self.predicate(tuple(shades), chunk, colour, end, problem)
        return number + 1

    def bare(self, chunk: Chunk) -> None:
        """Take in a phrase without colour."""
        vague = next(
            (at for at in range(chunk.start, chunk.end) if self.low[at] in lex.VAGUE_COLOURS), -1
        )
        if vague >= 0:
            said = shown(self.phrase(vague, chunk.end))
            where = (vague, chunk.end)
            self.add((), vague, where, where, True, None, problem=f"{said} is no colour term")
            return
        if self.low[chunk.start] in ambiguous_names() and chunk.end - chunk.start > 1:
            word = shown(self.low[chunk.start])
            self.hint = self.hint or (
                f"{word} may be a colour or a thing: name it in the fields colour and subject"
            )
        head = head_noun(self.low, chunk.start, chunk.end, self.words)
        if head is None:
            return
        first, one, count = self.determiner(chunk.start)
        self.add((), first, (head[0], head[0]), head, one, count)

    def attribute(
        self,
        shades: tuple[Shade, ...],
        start: int,
        colour: Span,
        rest: int,
        end: int,
        problem: str,
    ) -> None:
        """Take in colours that stand before their noun."""
        first, one, count = self.determiner(start)
        aside = ""
        problem = problem or self.partly(colour)
        word = self.low[rest]
        if self.word(rest) in lex.COLOUR_NOUNS and rest + 1 < end:
            while rest + 1 < end and (
                self.low[rest] in lex.COLOUR_NOUNS or is_participle(self.low[rest])
            ):
                rest += 1
            word = self.low[rest]
        if word.rsplit("-", 1)[-1] in lex.PART_ADJECTIVES and rest + 1 < end:
            aside = PART
        elif word in lex.PATTERNS:
            problem = problem or f"{shown(self.phrase(colour[0], end))} has another colour, too"
        elif is_participle(word) and rest + 1 < end and not self.is_known(rest):
            problem = problem or f"what {shown(self.phrase(colour[0], rest + 1))} says is not known"
        elif any(
            is_participle(self.low[at]) and not is_adjective(self.low[at - 1])
            for at in range(rest + 1, end - 1)
        ):
            problem = (
                problem
                or f"it is not clear what is {shown(self.phrase(*colour))} in "
                + shown(self.phrase(colour[0], end))
            )
        head = head_noun(self.low, rest, end, self.words)
        if head is None:
            problem = problem or (
                "" if aside else f"there is no noun in {shown(self.phrase(colour[0], end))}"
            )
            head = (rest, end)
        if self.low[head[1] - 1] in lex.MEASURES and self.word(end) == "of":
            problem = problem or f"{shown(self.phrase(colour[0], end + 1))} is not read"
        at = colour[0]
        while at > start and self.word(at - 1) in lex.INTENSITIES - lex.SURFACES:
            at -= 1
        while at == start and self.word(at - 1) in ("very", "all", "completely"):
            at, start = at - 1, start - 1
        begin = self.spans[at][0]
        if self.word(at - 1) == "," and is_adjective(self.word(at - 2)):
            begin = self.spans[at - 1][0]
        cut = (begin, self.spans[rest][0])
        self.add(shades, first, colour, head, one, count, aside, problem, cut)

    def partly(self, colour: Span) -> str:
        """Say where a colour is not that of the whole thing, or another: "mostly", "rose gold"."""
        at = colour[0]
        other = self.word(at - 1) == "rose" and self.word(at) == "gold"
        if other or self.word(at) in lex.PARTLY or self.word(at - 1) in lex.PARTLY:
            return (
                f"{shown(self.phrase(max(at - 1, 0), colour[1]))} is no colour of the whole thing"
            )
        return ""

    def predicate(
        self, shades: tuple[Shade, ...], chunk: Chunk, colour: Span, end: int, problem: str
    ) -> None:
        """Take in colours that follow their noun: "is blue", "painted red", "blue in colour"."""
        at = chunk.start
        while is_adverb(self.word(at - 1)) or self.word(at - 1) in ("a", "all", "very", "quite"):
            at -= 1
        if self.word(at - 1) == "in" and self.word(at - 2) in lex.COLOURED:
            at -= 1
        problem = problem or self.partly((at, end))
        tie = self.word(at - 1)
        cut_end = end
        if self.word(end) == "in" and self.word(end + 1) in lex.COLOUR_NOUNS:
            cut_end = end + 2
            if tie not in lex.COPULAS:
                tie = "painted"
                at += 1
                at -= self.word(at - 2) == ","
        if tie not in lex.COPULAS and tie not in lex.COLOURED:
            self.lone(shades, chunk, colour, problem)
            return
        place = at - 1
        while self.word(place - 1) in lex.COPULAS or self.word(place - 1) in (
            "that",
            "which",
            "not",
        ):
            if self.word(place - 1) == "not":
                problem = problem or f"{shown(self.phrase(place - 1, end))} says what is not"
            place -= 1
        relative = self.word(place) in ("that", "which") or tie in lex.COLOURED
        index = self.subject_before(place, relative)
        if index is None:
            self.add(
                shades, chunk.start, colour, (chunk.start, chunk.end), True, None,
                problem=problem or f"it is not clear what is {shown(self.phrase(*colour))}",
            )  # fmt: skip
            return
        owner = self.mentions[index]
        begin = place
        whole = relative or self.word(cut_end) in ("", ".", ",", ";", "!", "and", "?")
        if self.word(place - 1) in lex.PRONOUNS:
            begin = place - 1
            whole = whole and self.word(begin - 1) in (".", ";", "!")
        self.mentions[index] = replace(
            owner,
            shades=owner.shades + shades,
            colour_span=(self.spans[colour[0]][0], self.spans[colour[1] - 1][1]),
            cut=(self.spans[begin][0], self.spans[cut_end - 1][1]) if whole else None,
            aside=owner.aside or (PART if owner.subject in lex.PARTS else ""),
            problem=owner.problem or problem or why_refused(self.low, self.text, owner, shades),
        )

    def subject_before(self, place: int, relative: bool) -> int | None:
        """Find what a predicate at a token is said of: the phrase before it, or a pronoun's."""
        word = self.word(place - 1)
        index = len(self.mentions) - 1
        if word in ("it", "they") or word in lex.COLOUR_NOUNS:
            return index if self.only else None
        last = self.mentions[index] if index >= 0 else None
        if last is None or last.last != place or last.problem:
            return None
        if relative:
            of = self.word(last.first - 1) == "of" and self.word(last.first - 2) not in lex.PICTURES
            return None if of else index
        # "The potato on the plate is blue": the first phrase of the clause, if nothing is done.
        first = index
        for at in range(index - 1, max(index - 5, -1), -1):
            between = self.low[self.mentions[at].last : self.mentions[first].first]
            if not between or not _STOPS.isdisjoint(between):
                break
            if not all(word in lex.PREPOSITIONS or word in lex.PLACES for word in between):
                return index if "and" in between else None
            first = at
        alone = first == index and self.word(last.first - 1) in lex.PREPOSITIONS
        return None if alone else first

    def lone(self, shades: tuple[Shade, ...], chunk: Chunk, colour: Span, problem: str) -> None:
        """Take in a colour that is said of no noun."""
        self.add(
            shades, chunk.start, colour, (chunk.start, chunk.end), True, None,
            problem=problem or f"{shown(self.phrase(*colour))} is said of no noun",
        )  # fmt: skip

    def add(
        self,
        shades: tuple[Shade, ...],
        first: int,
        colour: Span,
        head: Span,
        one: bool,
        count: int | None,
        aside: str = "",
        problem: str = "",
        cut: Span | None = None,
    ) -> None:
        """Add a mention, with what its place tells of it."""
        start, end = head
        name, _ = subject_name(self.low, start, end, self.words, one)
        known = self.words.subject_ending(self.low, start, end)
        if known is not None and known[0] > start and (self.low[known[0] - 1]) == "guinea":
            known = None
        spans = self.spans
        mention = Mention(
            shades=shades,
            subject=name,
            known=known[1] if known else "",
            count=count,
            span=(spans[first][0], spans[end - 1][1]),
            colour_span=(spans[colour[0]][0], spans[max(colour[0], colour[1] - 1)][1]),
            noun_span=(spans[start][0], spans[end - 1][1]),
            cut=cut,
            first=first,
            head=start,
            last=end,
            aside=aside or (aside_of(self.low, first, end) if shades else ""),
            problem=problem,
        )
        if shades and not problem:
            mention = replace(mention, problem=why_refused(self.low, self.text, mention, shades))
        self.only = not self.mentions or (self.only and self.mentions[-1].subject == name)
        self.mentions.append(mention)
