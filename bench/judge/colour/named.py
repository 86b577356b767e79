"""What a colour word means: basic terms, CSS and XKCD names, and hexadecimal codes."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from bench.errors import UsageError
from prompts.colours import COLOURS, Colour

#: Colours beside the basic ones that are read in any prompt: words that name nothing else. Of
#: others (salmon, olive, gold) only who asks knows whether a colour is meant.
PLAIN_WORDS: tuple[str, ...] = (
    *("aqua", "beige", "burgundy", "crimson", "cyan", "fuchsia", "indigo", "khaki"),
    *("magenta", "maroon", "mauve", "navy blue", "royal blue", "scarlet", "sky blue", "tan"),
    *("taupe", "teal", "turquoise", "violet"),
    *(f"{shade} {term}" for shade in ("light", "dark") for term in ("red", "green", "blue")),
)
_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})")


@cache
def colour_table() -> dict[str, tuple[int, int, int]]:
    """Names without spaces to 8-bit sRGB. A basic term wins over CSS, and CSS over XKCD."""
    from PIL import ImageColor

    table: dict[str, tuple[int, int, int]] = {}
    text = resources.files("bench.judge.colour").joinpath("xkcd.csv").read_text()
    for row in csv.DictReader(text.splitlines()):
        table[_key(row["name"])] = _from_hex(row["hex"][1:])
    # By name: Pillow keeps a colour that was used as a tuple in its table of codes.
    for css in ImageColor.colormap:
        table[_key(css)] = ImageColor.getrgb(css)[:3]
    for colour in COLOURS.values():
        table[colour.name] = colour.srgb
    table["grey"] = COLOURS["gray"].srgb
    return table


def _key(words: str) -> str:
    return re.sub(r"[^a-z0-9#]", "", words.lower())


def _from_hex(digits: str) -> tuple[int, int, int]:
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


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
    key = _key(words)
    table = colour_table()
    if key in table:
        return table[key]
    if words.strip().startswith("#") or re.fullmatch(r"[0-9a-f]*\d[0-9a-f]*", key):
        code = _HEX.fullmatch(words.strip().lower())
        if code:
            return _from_hex(code[1])
    near = difflib.get_close_matches(key, _polite_names(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ": use a CSS or XKCD name, or #3fa7d6"
    raise UsageError(f"no colour is called {words!r}{hint}")


def colour_words(text: str, given: Iterable[str] = ()) -> tuple[str, ...]:
    """List the colours beside the basic ones that a prompt may be read with.

    Parameters
    ----------
    text : str
        The prompt, for the hexadecimal codes in it.
    given : iterable of str
        Further names.
    """
    codes = re.findall(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", text.lower())
    return tuple(dict.fromkeys((*given, *PLAIN_WORDS, *codes)))


def own_codes(colours: Iterable[Colour]) -> dict[str, str] | None:
    """Codes of those colours that nothing else knows by name, or knows as another colour.

    Returns
    -------
    dict of str to str, or None
        Name to ``#rrggbb``; None where there is none.
    """
    codes = {one.name: one.hex for one in colours if colour_table().get(_key(one.name)) != one.srgb}
    return codes or None


@cache
def _polite_names() -> list[str]:
    """Names to propose: the basic terms and the CSS ones; the XKCD list has coarse ones."""
    from PIL import ImageColor

    return sorted({*COLOURS, *ImageColor.colormap})
