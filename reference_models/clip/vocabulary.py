"""A byte-pair vocabulary in which every word of the world is one token.

open_clip's `SimpleTokenizer` reads its merges from a file, so a small file gives a small embedding
and nothing of open_clip has to be replaced. Byte-pair encoding learned until no word is split
leaves each word a single token; any other word falls into pieces, which is how it is known to be
unknown.
"""

from __future__ import annotations

import gzip
import itertools
from collections import Counter
from pathlib import Path

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES

_GLUE = ("a", "an", "the", "of", "and", "on", "in", "front", "photo", "picture", "drawing")
_SCENERY = ("plate", "frame", "wall", "table")

#: Every word that the bundled CLIP is trained on.
WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        word
        for phrase in (*_GLUE, *_SCENERY, *COLOUR_NAMES, *SUBJECT_NAMES)
        for word in phrase.split()
    )
)
#: 256 bytes, the same at a word's end, and the two marks of start and end.
_BASE = 514


def learn_merges(words: tuple[str, ...] = WORDS) -> list[tuple[str, str]]:
    """Merges after which each word is one token, the commonest pair first."""
    parts = [[*word[:-1], word[-1] + "</w>"] for word in words]
    merges: list[tuple[str, str]] = []
    while any(len(part) > 1 for part in parts):
        pairs = Counter(pair for part in parts for pair in itertools.pairwise(part))
        pair = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(pair)
        parts = [_merge(part, pair) for part in parts]
    return merges


def _merge(part: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for piece in part:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


def write_merges(path: Path, merges: list[tuple[str, str]]) -> int:
    """Write the merges as open_clip reads them; the size of the vocabulary."""
    lines = ["merges of the closed vocabulary", *(" ".join(pair) for pair in merges)]
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
        file.write("\n".join(lines).encode())
    return _BASE + len(merges)


def article(noun: str) -> str:
    """``noun`` with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


__all__ = ["WORDS", "article", "learn_merges", "write_merges"]
