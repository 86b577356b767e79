"""Which colours a text says of which things: the one reader of English for prompts and captions.

The text is cut into noun phrases at function words, signs and verbs. A colour is said of the head
of its phrase ("a big blue ceramic cup" says blue of cup), or of a subject that it follows ("the cup
is blue", "a car painted red", "a cup that is blue"). What is no colour of a thing is known by lists
(`prompts.lexicon`): parts ("blue-eyed cat"), people, compounds ("orange juice"), backgrounds.
Where the rules do not tell what a colour is said of, the reading has a problem, and a prompt with
one is not read. No step looks further than a few words, so that time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prompts.colour_names import ambiguous_names, named_colour
from prompts.errors import shown
from prompts.lexicon import (
    ADJECTIVES,
    BACKGROUNDS,
    COLOUR_NOUNS,
    COLOURED,
    COMPOUNDS,
    COPULAS,
    DETERMINERS,
    HAVE,
    INTENSITIES,
    JOINS,
    MEASURES,
    NEGATIONS,
    NO_HEADS,
    NOUNS_AS_ADJECTIVES,
    NOUNS_TOO,
    NUMBERS,
    ONE_THING,
    PART_ADJECTIVES,
    PARTS,
    PATTERNS,
    PEOPLE,
    PICTURES,
    PLACED,
    PLACES,
    PREPOSITIONS,
    PRONOUNS,
    SCENES,
    SIMILES,
    STOP,
    SURFACES,
    VAGUE_COLOURS,
    VERBS_BASE,
    VERBS_S,
    WHOLE_NOUNS,
)
from prompts.noun_phrases import (
    Shade,
    Words,
    head_noun,
    is_adjective,
    is_adverb,
    is_gerund,
    is_participle,
    subject_name,
)
from prompts.text_tokens import Tokens, tokenise

Span = tuple[int, int]
#: More colours of one noun are not gathered.
_MOST_SHADES = 6
#: Signs that end a clause.
_STOPS = frozenset(".,;:!?")
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


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Content words between function words: adjectives, colours, and the words after them."""

    start: int
    end: int
    shades: tuple[Shade, ...] = ()
    colour: Span = (0, 0)
    #: Where the words of the noun begin.
    rest: int = 0


def is_known_adjective(word: str) -> bool:
    """Say whether a word in -ed is one of the list, or told by its ending: "diamond-shaped"."""
    return word in ADJECTIVES or word.endswith(("-shaped", "-sized", "-coloured", "-colored"))


def read_text(text: str, words: Words) -> Reading:
    """Read a text; it never fails."""
    return _Reader(text, words).read()


class _Reader:
    def __init__(self, text: str, words: Words) -> None:
        self.text, self.words = text, words
        self.tokens = tokenise(text)
        self.low, self.spans = self.tokens.low, self.tokens.spans
        self.n = len(self.low)
        self.mentions: list[Mention] = []
        self.hint = ""
        #: Whether all mentions so far are of one thing, which "it" can stand for.
        self.only = False

    def read(self) -> Reading:
        chunks = list(self.chunks())
        at = 0
        while at < len(chunks):
            at = self.mention(chunks, at)
        return Reading(self.text, self.tokens, tuple(self.mentions), self.hint)

    # Words -------------------------------------------------------------------------------------

    def word(self, at: int) -> str:
        """Return a token, "" beyond both ends."""
        return self.low[at] if 0 <= at < self.n else ""

    def content(self, at: int) -> bool:
        """Say whether a token is a word that is in no list of function words."""
        word = self.word(at)
        if word in PLACES and self.word(at + 1) == "of" and self.word(at - 1) in PLACED:
            return False
        if word == "can":
            before = self.word(at - 1)
            noun = before in DETERMINERS or (before[:1].isalnum() and before not in STOP)
            return noun and self.word(at + 1) not in VERBS_BASE | {"be", "not"}
        return (word[:1].isalnum() and word not in STOP) or (len(word) > 1 and word[0] == "#")

    def colour(self, at: int) -> tuple[tuple[Shade, ...], int] | None:
        """Find a colour at a token, also in a word with hyphens; its end; None for none."""
        word = self.low[at]
        found = self.words.colour_at(self.low, at)
        if found is not None:
            shade, end = found
            return None if self.is_noun_here(at, end, shade) else ((shade,), end)
        if "-" in word:
            return self.hyphened(word, at)
        if word in ambiguous_names() and self.word(at + 1) in COLOURED:
            return (Shade(word, ""),), at + 1
        return None

    def hyphened(self, word: str, at: int) -> tuple[tuple[Shade, ...], int] | None:
        """Read "blue-coloured", "navy-blue" and "black-and-white"; "blue-eyed" is no colour."""
        parts = word.split("-")
        marked = parts[-1] in COLOURED
        parts = parts[:-1] if marked else parts
        while len(parts) > 1 and parts[0] in INTENSITIES:
            parts = parts[1:]
        if marked and len(parts) == 1 and parts[0] in ambiguous_names():
            return (Shade(parts[0], ""),), at + 1
        if parts[-1] == "ish":
            self.hint = self.hint or f"{shown(word)} is no colour term"
        shades: list[Shade] = []
        place = 0
        while parts and place < len(parts):
            found = self.words.colour_at(parts, place)
            if found is None and not (shades and parts[place] in JOINS):
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
        if following in COMPOUNDS.get(shade.name, ()):
            if (following, self.word(end + 1)) in WHOLE_NOUNS:
                return False
            self.hint = self.hint or f"{shown(self.said(at, end + 1))} is a kind and no colour"
            return True
        noun = end - at == 1 and (shade.name in NOUNS_TOO or self.words.is_noun(self.low[at]))
        if not noun or self.continues(end):
            return False
        if following in JOINS and self.words.colour_at(
            self.low, end + 1 if end + 1 < self.n else at
        ):
            after = self.words.colour_at(self.low, end + 1) if end + 1 < self.n else None
            if after is not None and self.continues(after[1]):
                return False
        before = at - 1
        while (
            before >= 0
            and (is_adverb(self.low[before]) or is_adjective(self.low[before]))
            and (self.low[before] not in COLOURED)
        ):
            before -= 1
        return (
            self.word(before) not in COPULAS | COLOURED | {"in"} and following not in COLOUR_NOUNS
        )

    def continues(self, at: int) -> bool:
        """Say whether a noun phrase goes on at a token."""
        word = self.word(at)
        return (
            self.content(at)
            and word not in VERBS_S
            and not is_adverb(word)
            and not (is_gerund(word) and not self.content(at + 1))
            and not (is_participle(word) and word not in COLOURED and not self.content(at + 1))
        )

    # Phrases -----------------------------------------------------------------------------------

    def chunks(self) -> Iterator[_Chunk]:
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

    def is_break(self, at: int, chunk: _Chunk) -> bool:
        """Say whether the phrase before ended at a verb or an adverb, which is passed over."""
        return chunk.end == at and at > chunk.start and self.ends_phrase(at, chunk.start)

    def chunk(self, start: int) -> _Chunk:
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
                while rest < self.n and self.word(rest) in COLOURED:
                    at = rest = rest + 1
                continue
            if noun and self.ends_phrase(at, start):
                break
            word = self.low[at]
            if not noun and at == start and self.begins_clause(at):
                return _Chunk(at, at)
            if not (is_adjective(word) or is_gerund(word)) or self.words.is_noun(word):
                noun = True
            at += 1
        return _Chunk(start, at, tuple(shades), colour, rest if shades else start)

    def begins_clause(self, at: int) -> bool:
        """Say whether a phrase begins with what something does: "wearing blue boots"."""
        word = self.low[at]
        if is_adverb(word) and word not in ADJECTIVES:
            return True
        before = self.word(at - 1)
        if is_gerund(word):
            return before not in DETERMINERS and before not in NUMBERS
        return is_participle(word) and not self.content(at + 1)

    def ends_phrase(self, at: int, start: int) -> bool:
        """Say whether a word after a noun is a verb or an adverb: "running", "parked", "sits"."""
        word, before = self.low[at], self.low[at - 1]
        if is_gerund(word) or is_adverb(word):
            return not self.words.is_noun(word)
        if is_participle(word):
            after = at + 1
            while word in COLOURED and self.word(after) in INTENSITIES:
                after += 1
            return not self.content(at + 1) or self.colour(after) is not None
        if word in VERBS_S or (word in VERBS_BASE and before.endswith("s") and before != "sports"):
            return True
        if not word.endswith("s") or word.endswith(("ss", "us", "is")) or self.words.is_noun(word):
            return False
        following = self.word(at + 1)
        one = self.word(start - 1) in ("a", "an")
        return following in DETERMINERS or (
            one and following in PREPOSITIONS and following != "of" and at - start > 1
        )

    # Colours and things ------------------------------------------------------------------------

    def mention(self, chunks: list[_Chunk], number: int) -> int:
        """Read one phrase, with those that belong to it; return the number of the next."""
        chunk = chunks[number]
        if not chunk.shades:
            self.bare(chunk)
            return number + 1
        shades, rest, end, colour = list(chunk.shades), chunk.rest, chunk.end, chunk.colour
        problem = ""
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
                    problem = f"{shown(self.said(colour[0], following.end))} leaves a choice"
            elif not is_adjective(self.low[following.start]) or not self.names_thing(
                following.start, following.end
            ):
                break
            colour = (colour[0], following.colour[1] or colour[1])
            rest, end = following.rest, following.end
            number += 1
        first = chunk.start
        if self.names_thing(rest, end):
            self.attribute(tuple(shades), first, colour, rest, end, problem)
        else:
            self.predicate(tuple(shades), chunk, colour, end, problem)
        return number + 1

    def names_thing(self, rest: int, end: int) -> bool:
        """Say whether there is a noun among the words after a colour."""
        return any(
            not (is_adjective(word) or is_adverb(word)) or self.words.is_noun(word)
            for word in self.low[rest:end]
        ) or (end > rest and self.low[end - 1] in NOUNS_AS_ADJECTIVES)

    def bare(self, chunk: _Chunk) -> None:
        """Take in a phrase without colour."""
        vague = next(
            (at for at in range(chunk.start, chunk.end) if self.low[at] in VAGUE_COLOURS), -1
        )
        if vague >= 0:
            said = shown(self.said(vague, chunk.end))
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
        word = self.low[rest]
        if self.word(rest) in COLOUR_NOUNS and rest + 1 < end:
            while rest + 1 < end and (
                self.low[rest] in COLOUR_NOUNS or is_participle(self.low[rest])
            ):
                rest += 1
            word = self.low[rest]
        if word.rsplit("-", 1)[-1] in PART_ADJECTIVES and rest + 1 < end:
            aside = PART
        elif word in PATTERNS:
            problem = problem or f"{shown(self.said(colour[0], end))} has another colour, too"
        elif is_participle(word) and rest + 1 < end and not is_known_adjective(word):
            problem = problem or f"what {shown(self.said(colour[0], rest + 1))} says is not known"
        elif any(
            is_participle(self.low[at]) and not is_adjective(self.low[at - 1])
            for at in range(rest + 1, end - 1)
        ):
            problem = problem or f"it is not clear what is {shown(self.said(*colour))} in " + shown(
                self.said(colour[0], end)
            )
        head = head_noun(self.low, rest, end, self.words)
        if head is None:
            problem = problem or (
                "" if aside else f"there is no noun in {shown(self.said(colour[0], end))}"
            )
            head = (rest, end)
        if self.low[head[1] - 1] in MEASURES and self.word(end) == "of":
            problem = problem or f"{shown(self.said(colour[0], end + 1))} is not read"
        at = colour[0]
        while at > start and self.word(at - 1) in INTENSITIES - SURFACES:
            at -= 1
        while at == start and self.word(at - 1) in ("very", "all", "completely"):
            at, start = at - 1, start - 1
        begin = self.spans[at][0]
        if self.word(at - 1) == "," and is_adjective(self.word(at - 2)):
            begin = self.spans[at - 1][0]
        cut = (begin, self.spans[rest][0])
        self.add(shades, first, colour, head, one, count, aside, problem, cut)

    def predicate(
        self, shades: tuple[Shade, ...], chunk: _Chunk, colour: Span, end: int, problem: str
    ) -> None:
        """Take in colours that follow their noun: "is blue", "painted red", "blue in colour"."""
        at = chunk.start
        while is_adverb(self.word(at - 1)) or self.word(at - 1) in ("a", "all", "very", "quite"):
            at -= 1
        if self.word(at - 1) == "in" and self.word(at - 2) in COLOURED:
            at -= 1
        tie = self.word(at - 1)
        cut_end = end
        if self.word(end) == "in" and self.word(end + 1) in COLOUR_NOUNS:
            cut_end = end + 2
            if tie not in COPULAS:
                tie = "painted"
                at += 1
                at -= self.word(at - 2) == ","
        if tie not in COPULAS and tie not in COLOURED:
            self.lone(shades, chunk, colour, problem)
            return
        place = at - 1
        while self.word(place - 1) in COPULAS or self.word(place - 1) in ("that", "which", "not"):
            if self.word(place - 1) == "not":
                problem = problem or f"{shown(self.said(place - 1, end))} says what is not"
            place -= 1
        relative = self.word(place) in ("that", "which") or tie in COLOURED
        index = self.subject_before(place, relative)
        if index is None:
            self.add(
                shades, chunk.start, colour, (chunk.start, chunk.end), True, None,
                problem=problem or f"it is not clear what is {shown(self.said(*colour))}",
            )  # fmt: skip
            return
        owner = self.mentions[index]
        begin = place
        whole = relative or self.word(cut_end) in ("", ".", ",", ";", "!", "and", "?")
        if self.word(place - 1) in PRONOUNS:
            begin = place - 1
            whole = whole and self.word(begin - 1) in (".", ";", "!")
        self.mentions[index] = replace(
            owner,
            shades=owner.shades + shades,
            colour_span=(self.spans[colour[0]][0], self.spans[colour[1] - 1][1]),
            cut=(self.spans[begin][0], self.spans[cut_end - 1][1]) if whole else None,
            aside=owner.aside or (PART if owner.subject in PARTS else ""),
            problem=owner.problem or problem or self.refused(owner, shades),
        )

    def subject_before(self, place: int, relative: bool) -> int | None:
        """Find what a predicate at a token is said of: the phrase before it, or a pronoun's."""
        word = self.word(place - 1)
        index = len(self.mentions) - 1
        if word in ("it", "they") or word in COLOUR_NOUNS:
            return index if self.only else None
        last = self.mentions[index] if index >= 0 else None
        if last is None or last.last != place or last.problem:
            return None
        if relative:
            of = self.word(last.first - 1) == "of" and self.word(last.first - 2) not in PICTURES
            return None if of else index
        # "The potato on the plate is blue": the first phrase of the clause, if nothing is done.
        first = index
        for at in range(index - 1, max(index - 5, -1), -1):
            between = self.low[self.mentions[at].last : self.mentions[first].first]
            if not between or not _STOPS.isdisjoint(between):
                break
            if not all(word in PREPOSITIONS or word in PLACES for word in between):
                return index if "and" in between else None
            first = at
        alone = first == index and self.word(last.first - 1) in PREPOSITIONS
        return None if alone else first

    def lone(self, shades: tuple[Shade, ...], chunk: _Chunk, colour: Span, problem: str) -> None:
        """Take in a colour that is said of no noun."""
        self.add(
            shades, chunk.start, colour, (chunk.start, chunk.end), True, None,
            problem=problem or f"{shown(self.said(*colour))} is said of no noun",
        )  # fmt: skip

    def determiner(self, start: int) -> tuple[int, bool, int | None]:
        """Read the articles and numbers before a phrase: its first token, whether one, how many."""
        first, one, count = start, False, None
        if self.low[start].isdigit():
            count = int(self.low[start][:6])
        while first > 0 and (self.low[first - 1] in DETERMINERS or self.low[first - 1] in NUMBERS):
            first -= 1
            word = self.low[first]
            count = NUMBERS.get(word, count)
            if word in ONE_THING or word == "one":
                one, count = True, count or 1
        return first, one, count

    def said(self, start: int, end: int) -> str:
        """Return the words of some tokens as they stand in the text."""
        return self.text[self.spans[start][0] : self.spans[max(start, end - 1)][1]]

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
            aside=aside or (self.aside(first, start, end) if shades else ""),
            problem=problem,
        )
        if shades and not problem:
            mention = replace(mention, problem=self.refused(mention, shades))
        self.only = not self.mentions or (self.only and self.mentions[-1].subject == name)
        self.mentions.append(mention)

    def aside(self, first: int, start: int, end: int) -> str:
        """Say whether a coloured noun is a background, or a part of something named before."""
        last = self.low[end - 1]
        if last in BACKGROUNDS:
            return BACKGROUND
        if last not in PARTS:
            return ""
        own = self.word(first) in ("a", "an") and self.word(first - 1) in ("and", "")
        return "" if own and self.word(first - 1) not in HAVE else PART

    def refused(self, mention: Mention, shades: tuple[Shade, ...]) -> str:
        """Say why a colour of this noun, at this place, is not read; "" where it is."""
        if mention.aside:
            return ""
        last = self.low[mention.last - 1]
        said = shown(self.text[slice(*mention.span)])
        before = self.word(mention.first - 1)
        if len({one.name for one in (*mention.shades, *shades)}) > 1:
            return f"{said} has several colours"
        if last in PEOPLE:
            return f"{said} tells of people"
        if last in SCENES and (last not in PICTURES or self.word(mention.last) != ""):
            return f"{said} is a colour of the whole picture"
        if last in SCENES:
            return f"{said} is a colour of the whole picture"
        if last in NO_HEADS:
            return f"{said} names no thing"
        if last == "light" and before in ("under", "in", "with", "by"):
            return f"{said} is a colour of the whole picture"
        if before in NEGATIONS or self.word(mention.first) in ("no", "not"):
            return f"{said} is said not to be there"
        if before == "of" and self.word(mention.first - 2) in ("instead",):
            return f"{said} is said not to be there"
        if before in SIMILES and self.word(mention.first - 2) not in ("well", "such"):
            return f"{said} is a likeness"
        if before in ("of", "from") and self.made_of(mention.first - 2):
            return f"{said} is what something is made of"
        if before == "or" or self.word(mention.last) == "or":
            return f"{said} is one of several choices"
        if self.word(mention.last) in ("'",) or self.word(mention.last - 1).endswith("'s"):
            return f"{said} owns something"
        return ""

    def made_of(self, at: int) -> bool:
        return self.word(at) == "made" or (self.word(at) == "out" and self.word(at - 1) == "made")
