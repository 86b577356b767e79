"""Denormal numbers: set to zero while a training runs, since some processors crawl on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def are_flushed() -> bool:
    """Whether this thread sets denormal results of its arithmetic to zero."""
    return sys.float_info.min / 2 == 0.0


@contextmanager
def flushed() -> Iterator[None]:
    """Flush denormals to zero inside, in this thread; afterwards all is as it was.

    Also a decorator. The mode belongs to the thread, not to torch: left on, it would change the
    arithmetic of whatever the process does next. Where the processor cannot, nothing happens.
    """
    before = are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
