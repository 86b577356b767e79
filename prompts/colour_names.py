"""Every colour that has a name: the basic terms, CSS and XKCD, and which are read in a prompt.

``colour_names.csv`` holds the named colours of CSS Color Module Level 4 (W3C), section 6.1, and the
colours of the XKCD survey (Munroe, 2010, CC0). A basic term wins over CSS, and CSS over XKCD.

Many of these names are things as well: salmon, olive, chocolate. In a prompt only those are read as
colours that name nothing else (`prompts.lexicon.PLAIN_COLOURS`), and names of more words that end
in one of them ("forest green"). Others are colours where the prompt says so ("salmon-coloured"), or
where the user does.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources

from prompts.colours import COLOURS
from prompts.lexicon import INTENSITIES, NO_COLOURS, NOT_IN_NAMES, PLAIN_COLOURS

#: Other spellings, as they are found in the table.
SPELLINGS = {"grey": "gray", "golden": "gold", "vermilion": "vermillion"}
#: Names of the survey that are two colours or a thing in a prompt: "a green apple".
_NOT_IN_TEXT = frozenset({"blood orange", "almost black", "fire brick"})
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def parse_hex(code: str) -> tuple[int, int, int] | None:
    """Return (R, G, B) of ``#rgb`` or ``#rrggbb`` (the ``#`` may be left out), or None."""
    digits = code.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    if len(digits) != 6 or not _HEX_DIGITS.issuperset(digits):
        return None
    value = int(digits, 16)
    return value >> 16, value >> 8 & 255, value & 255


def colour_key(words: str) -> str:
    """Return a name as the table is searched: case, spaces and hyphens do not matter."""
    word = re.sub(r"[^a-z0-9]", "", words.casefold())
    return SPELLINGS.get(word, word.replace("grey", "gray"))


@cache
def colour_table() -> dict[str, tuple[int, int, int]]:
    """Return 8-bit sRGB by `colour_key`, of all names."""
    table: dict[str, tuple[int, int, int]] = {}
    for name, code, _ in _rows():
        table.setdefault(colour_key(name), parse_hex(code) or (0, 0, 0))
    return table | {colour.name: colour.srgb for colour in COLOURS.values()}


def named_colour(words: str) -> tuple[int, int, int] | None:
    """Look up the 8-bit sRGB of a name, in any case, with or without spaces; None for no name."""
    return colour_table().get(colour_key(words))


@cache
def css_names() -> tuple[str, ...]:
    """Return the CSS names, with spaces, to propose to a user; XKCD has coarse ones."""
    return tuple(name for name, _, source in _rows() if source == "css")


@cache
def names_in_text() -> dict[str, str]:
    """Return the names that any prompt is read with, each with its basic term, "" for none.

    ``"light blue": "blue"``, ``"teal": ""``. A name of two basic terms ("red orange") is no name
    here: in a prompt it may be a red orange.
    """
    basic = frozenset(COLOURS)
    found = {name: name for name in COLOURS} | dict.fromkeys(PLAIN_COLOURS, "")
    for raw, _, _ in _rows():
        *first, last = name = raw.replace("grey", "gray").split()
        words = " ".join(name)
        if first and last in basic | PLAIN_COLOURS and words not in _NOT_IN_TEXT:
            plain = [word for word in first if word in basic | PLAIN_COLOURS - {"navy", "aqua"}]
            if NOT_IN_NAMES.isdisjoint(first) and first[0] not in INTENSITIES and not plain:
                found[words] = last if last in basic else ""
    return found


@cache
def ambiguous_names() -> frozenset[str]:
    """Return the names of one word that may be a colour or a thing: "salmon"."""
    single = {name for name, _, _ in _rows() if " " not in name and "/" not in name}
    return frozenset(single - set(COLOURS) - PLAIN_COLOURS - set(SPELLINGS) - NO_COLOURS)


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    text = resources.files("prompts").joinpath("colour_names.csv").read_text(encoding="utf-8")
    return tuple((row[0], row[1], row[2]) for row in csv.reader(text.splitlines()[1:]))
