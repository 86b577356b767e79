"""The word lists of ``lexicon.toml``, by which English prompts and captions are read."""

from __future__ import annotations

import tomllib
from importlib import resources

_LISTS = tomllib.loads(
    resources.files("prompts").joinpath("lexicon.toml").read_text(encoding="utf-8")
)


def _words(name: str) -> frozenset[str]:
    return frozenset(_LISTS[name].split())


_NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS: dict[str, int] = {word: 1 + at for at, word in enumerate(_NUMBERS.split())}
JOINS = frozenset({"and", "or", "&"})

PLAIN_COLOURS = _words("plain_colours")
INTENSITIES = _words("intensities")
SURFACES = _words("surfaces")
NOT_IN_NAMES = _words("not_in_names")
VAGUE_COLOURS = _words("vague_colours")
NO_COLOURS = _words("no_colours")
NOUNS_TOO = _words("nouns_too")
COMPOUNDS = {colour: frozenset(nouns.split()) for colour, nouns in _LISTS["compounds"].items()}

ONE_THING = _words("one_thing")
DETERMINERS = ONE_THING | _words("determiners")
PRONOUNS = _words("pronouns")
NEGATIONS = _words("negations")
SIMILES = _words("similes")
PREPOSITIONS = _words("prepositions")
PLACES = _words("places")
#: Before such a place.
PLACED = frozenset({"in", "on", "at", "to", "the", "from"})
COPULAS = _words("copulas")
COLOURED = _words("coloured")
COLOUR_NOUNS = _words("colour_nouns")
HAVE = _words("have")
#: Words that end a noun phrase.
STOP = frozenset().union(
    *(DETERMINERS, NUMBERS, PRONOUNS, NEGATIONS, SIMILES, JOINS, PREPOSITIONS, COPULAS, HAVE),
    _words("function"),
)

ADVERBS = _words("adverbs")
PICTURES = _words("pictures")
VIEWS = _words("views")
#: Sizes of a picture: they follow its subject, and have no colour.
_SIZES = frozenset({"3d", "4k", "8k", "hd", "uhd", "hdr", "art"})
SCENES = (PICTURES - _SIZES) | _words("lights")
BACKGROUNDS = _words("backgrounds")
NO_HEADS = _words("no_heads")
MEASURES = _words("measures")
PARTS = _words("parts")
PART_ADJECTIVES = _words("part_adjectives")
PEOPLE = _words("people")
ADJECTIVES = _words("adjectives")
NOUNS_AS_ADJECTIVES = _words("nouns_as_adjectives")
PRAISES = _words("praises")
MADE = _words("made")
PARTLY = _words("partly")
PATTERNS = _words("patterns")
ED_NOUNS = _words("ed_nouns")
ING_NOUNS = _words("ing_nouns")
LY_NOUNS = _words("ly_nouns")
PAST_FORMS = _words("past_forms")
WHOLE_NOUNS = frozenset(tuple(name.split()) for name in _LISTS["whole_nouns"].split(","))


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "x", "z", "ch", "sh", "go", "do")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


VERBS_BASE = _words("verbs")
VERBS_S = frozenset(map(_third_person, _words("verbs"))) - _words("more_often_nouns")
