"""Balanced orders: any beginning of them uses every item nearly equally often."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

from prompts.hashing import content_hash

T = TypeVar("T")
U = TypeVar("U")


def shuffled(names: Sequence[str], salt: str) -> list[str]:
    """Return the names in an order that depends on the names and the salt alone."""
    return sorted(names, key=lambda name: (content_hash("order", salt, name), name))


def all_pairs(items: Sequence[T]) -> list[tuple[T, T]]:
    """Return every unordered pair once, arranged in rounds that use each item equally often.

    Round d pairs item i with item i + d around the circle, even i first, so that the beginning of
    a round meets new items. Who stands first alternates from round to round.
    """
    n = len(items)
    order = [*range(0, n, 2), *range(1, n, 2)]
    pairs = []
    for step in range(1, n // 2 + 1):
        half = 2 * step == n
        for i in order:
            if half and i >= step:
                continue
            first, second = items[i], items[(i + step) % n]
            pairs.append((first, second) if step % 2 else (second, first))
    return pairs


def rotate(first: Sequence[T], second: Sequence[U]) -> Iterator[tuple[T, U]]:
    """Yield every combination of two sequences once, stepping through both at the same time."""
    if not first or not second:
        return
    turn = math.lcm(len(first), len(second))
    for k in range(len(first) * len(second)):
        yield first[k % len(first)], second[(k + k // turn) % len(second)]
