"""Words that a tokenizer does not know, so that they are reported and never silently mangled.

open_clip's standard tokenizers know every word, in pieces where need be. A small CLIP with a closed
vocabulary knows a word only where it is one token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import regex

#: A byte-pair vocabulary smaller than this was made for a closed list of words.
_CLOSED_BELOW = 8192

_WORD = regex.compile(r"[\p{L}]+|[\p{N}]+")


def word_checker(
    tokenizer: Any, words: Iterable[str] | None = None
) -> Callable[[str], tuple[str, ...]]:
    """Return the function that lists the words of a text outside the vocabulary.

    Parameters
    ----------
    tokenizer : Any
        Of open_clip.
    words : iterable of str, optional
        The words that the model was trained on, where they are few and known.
    """
    if words is not None:
        listed = frozenset(words)
        return lambda text: _outside(text, listed.__contains__)
    bpe = getattr(tokenizer, "bpe", None)
    encoder = getattr(tokenizer, "encoder", None)
    if bpe is None or encoder is None or len(encoder) >= _CLOSED_BELOW:
        return lambda text: ()

    known: dict[str, bool] = {}

    def is_known(word: str) -> bool:
        if word not in known:
            units = "".join(tokenizer.byte_encoder[byte] for byte in word.encode())
            known[word] = " " not in bpe(units)
        return known[word]

    return lambda text: _outside(text, is_known)


def _outside(text: str, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    found = _WORD.findall(text.lower())
    return tuple(dict.fromkeys(word for word in found if not is_known(word)))
