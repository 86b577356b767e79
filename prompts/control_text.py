"""The text of a control: a prompt without the words of its colours, where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prompts.grammar import article
from prompts.mentions import Mention

#: How much of a text around a colour is looked at when it is taken out, in characters.
_NEAR = 80
_BRACKETS = frozenset("([{")


def without_colours(text: str, things: Iterable[Mention]) -> str | None:
    """Take the colours of things out of a text, and mend the articles before them.

    Returns
    -------
    str or None
        None where what is left would be no sentence.
    """
    cuts = [one.cut for one in things if one.shades]
    parts: list[str] = []
    at = 0
    for cut in sorted(cuts, key=lambda cut: cut or (0, 0)):
        if cut is None:
            return None
        start, end = cut
        if start < at:
            continue
        before = text[max(at, start - _NEAR) : start]
        parts.append(text[at : start - len(before)])
        before, lead, end = _take_out(before, text[start:end], text[end : end + _NEAR], end)
        parts += [before, lead]
        at = end
    return "".join([*parts, text[at:]]).lstrip(" ,")


def _take_out(before: str, piece: str, after: str, end: int) -> tuple[str, str, int]:
    """Take a piece out between two pieces of text, with the bracket that it leaves open.

    Returns
    -------
    (str, str, int)
        The text before it with its article mended, what comes in its place, and where the text
        goes on.
    """
    while before[-1:] in _BRACKETS and before and any(sign in piece for sign in ")]}"):
        before = before[:-1]
        piece = re.sub(r"[)\]}]", "", piece, count=1)
    lead = re.search(r"(?<![\w'’])(an?)\s+[(\[{]*$", before, re.IGNORECASE)
    if lead and after[:1].strip():
        mended = article(after)
        mended = mended.capitalize() if lead[1][0].isupper() else mended
        return before[: lead.start(1)] + mended + before[lead.end(1) :], "", end
    if not after or after[0] in " .,;:!?)":
        before = before.rstrip()
        skip = len(after) - len(after.lstrip(".")) if before.endswith((".", ";")) else 0
        return before, "", end + skip
    if piece[:1].isupper() and after[:1].islower():
        return before, after[0].upper(), end + 1
    return before, " " if before[-1:].isalnum() or before[-1:] == "," else "", end
