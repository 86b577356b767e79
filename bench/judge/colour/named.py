"""What a colour word means: basic terms, CSS and XKCD names, and hexadecimal codes.

The names are those of `prompts.colour_names`, the one list of the project.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache

from bench.errors import UsageError
from prompts.colour_names import colour_key, colour_table, css_names, parse_hex
from prompts.colours import COLOURS, Colour


def basic_term(words: str) -> str | None:
    """Find the basic term that these words are, or None: ``Grey`` is gray, ``teal`` is none."""
    word = words.strip().lower()
    word = "gray" if word == "grey" else word
    return word if word in COLOURS else None


def resolve(words: str) -> tuple[int, int, int]:
    """Look up the 8-bit sRGB of a colour.

    Parameters
    ----------
    words : str
        A basic term, a CSS or XKCD name (case and spaces do not matter), ``#rgb`` or ``#rrggbb``.

    Raises
    ------
    UsageError
        Nothing has this name; the message proposes the nearest one.
    """
    key = colour_key(words)
    table = colour_table()
    if words.strip()[:1] != "#" and key in table:
        return table[key]
    if words.strip().startswith("#") or re.fullmatch(r"[0-9a-f]*\d[0-9a-f]*", key):
        code = parse_hex(words)
        if code:
            return code
    near = difflib.get_close_matches(key, _polite_names(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ": use a CSS or XKCD name, or #3fa7d6"
    raise UsageError(f"no colour is called {words!r}{hint}")


def own_codes(colours: Iterable[Colour]) -> dict[str, str] | None:
    """Codes of those colours that nothing else knows by name, or knows as another colour.

    Returns
    -------
    dict of str to str, or None
        Name to ``#rrggbb``; None where there is none.
    """
    codes = {
        one.name: one.hex for one in colours if colour_table().get(colour_key(one.name)) != one.srgb
    }
    return codes or None


@cache
def _polite_names() -> list[str]:
    """Names to propose: the basic terms and the CSS ones; the XKCD list has coarse ones."""
    return sorted({*COLOURS, *(colour_key(name) for name in css_names())})
