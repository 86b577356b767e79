"""Words as parts of cell ids: readable, and never the same for two words."""

from __future__ import annotations

import re

from prompts.hashing import content_hash

_PLAIN = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*")
_LONGEST_PLAIN = 48


def slug(word: str) -> str:
    """Return an id part of lower-case ASCII letters, digits and hyphens.

    Parameters
    ----------
    word : str
        A word or a text. Plain lower-case words of at most 48 characters keep their letters, with
        hyphens for spaces. Anything else keeps what is plain of it and gets ``~`` and ten digits
        of its hash, so that ``x-ray``, ``x ray``, ``X ray`` and ``rayon x`` stay four things.
    """
    if len(word) <= _LONGEST_PLAIN and _PLAIN.fullmatch(word):
        return word.replace(" ", "-")
    readable = re.sub(r"[^a-z0-9]+", "-", word[:400].lower())[:24].strip("-")
    return f"{readable}~{content_hash('slug', word, length=10)}"
