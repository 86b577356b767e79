"""A prompt cut into words with their places, without what is no English: tags, weights, switches.

Left out are LoRA tags (``<lora:x:1>``), weights (``(blue:1.3)``), the brackets around a few words,
switches at the end (``--ar 1:1``) and a negative prompt. A text in quotes is one token: it is what
a sign says. Every part of the work is linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What stands in quotes is read as text in the picture up to this many characters.
_LONGEST_QUOTE = 200
#: Brackets around so many words only weigh them; around more they are an aside.
_WEIGHED_WORDS = 3
QUOTED = '"'

_TOKEN = re.compile(
    rf"""
    <[^<>\n]{{1,{_LONGEST_QUOTE}}}>                         # <lora:name:0.8>
    | :\s?\d{{1,3}}(?:\.\d{{1,3}})?(?=\s?[)\]}}])           # the weight in (word:1.3)
    | \#(?:[0-9a-fA-F]{{6}}|[0-9a-fA-F]{{3}})\b             # a hexadecimal colour
    | "[^"\n]{{1,{_LONGEST_QUOTE}}}"
    | “[^”\n]{{1,{_LONGEST_QUOTE}}}”
    | (?<!\w)'[^'\n]{{1,{_LONGEST_QUOTE}}}(?:'\w[^'\n]{{0,40}}){{0,3}}'(?!\w)
    | (?<!\w)‘[^’\n]{{1,{_LONGEST_QUOTE}}}(?:’\w[^’\n]{{0,40}}){{0,3}}’(?!\w)
    | [^\W_]+(?:(?:['’]-?|-)[^\W_]+)*
    | [^\w\s]
    """,
    re.VERBOSE,
)
_END = re.compile(r"(?:^|\s)--[a-z]|\bnegative prompt:", re.IGNORECASE)
#: Read as two words, the second of them "is" or "are".
_CONTRACTIONS = frozenset({"that's", "it's", "they're", "there's", "who's"})
#: Capitals after these are what is written: "the word BLUE".
_WRITTEN = frozenset({"word", "words", "text", "says", "reads", "saying", "reading", "letters"})
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words and signs of a text, in order.

    Attributes
    ----------
    low : list of str
        In lower case, "grey" as "gray"; ``QUOTED`` for a text in quotes.
    spans : list of (int, int)
        Where each stands in the text.
    """

    low: list[str]
    spans: list[tuple[int, int]]


def tokenise(text: str) -> Tokens:
    """Cut a text into tokens; see above for what is left out."""
    end = _END.search(text)
    low: list[str] = []
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    dropped: set[int] = set()
    weighed = False
    for match in _TOKEN.finditer(text, 0, end.start() if end else len(text)):
        word = match.group()
        first = word[0]
        if first == "<" and len(word) > 1:
            continue
        if first == ":" and len(word) > 1:
            weighed = True
            continue
        if first in _OPEN:
            opened.append(len(low))
        elif first in _CLOSE and opened:
            start = opened.pop()
            if weighed or len(low) - start - 1 <= _WEIGHED_WORDS:
                dropped |= {start, len(low)}
            weighed = weighed and bool(opened) and start - 1 in opened
        elif len(word) > 2 and first in "\"'“‘":
            word = QUOTED
        written = len(word) > 1 and word.isupper() and low and low[-1] in _WRITTEN
        if written:
            word = QUOTED
        word = word.lower().replace("’", "'")
        start, stop = match.span()
        if word in _CONTRACTIONS:
            cut = start + word.index("'")
            low.append(word[: cut - start])
            spans.append((start, cut))
            start, word = cut, "are" if word.endswith("re") else "is"
        low.append("gray" if word == "grey" else word)
        spans.append((start, stop))
    if dropped:
        kept = [at for at in range(len(low)) if at not in dropped]
        return Tokens([low[at] for at in kept], [spans[at] for at in kept])
    return Tokens(low, spans)


def fold(text: str) -> str:
    """Return text as it is compared: lower case, single spaces, "grey" as "gray"."""
    words = text.lower().split()
    return " ".join("gray" if word == "grey" else word for word in words)
