"""Ctrl-C and SIGTERM: finish what is in hand, then stop; a second one stops at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from types import FrameType


class Interrupts:
    """Whether the user asked to stop.

    While `breakable` is entered the first signal raises KeyboardInterrupt there, so that a long
    sampling step does not make the user wait; elsewhere it only sets ``asked``, so that no image
    is lost between two lines.
    """

    def __init__(self) -> None:
        self.asked = False
        self._breakable = False

    @contextlib.contextmanager
    def installed(
        self, codes: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)
    ) -> Iterator[Interrupts]:
        """Take over some signals for a while; in another thread than the main, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {code: signal.getsignal(code) for code in codes}
        for code in before:
            signal.signal(code, self._handle)
        try:
            yield self
        finally:
            for code, handler in before.items():
                signal.signal(code, handler)

    @contextlib.contextmanager
    def breakable(self) -> Iterator[None]:
        """Code that a signal may break into."""
        self._breakable = True
        try:
            yield
        finally:
            self._breakable = False

    def _handle(self, code: int, frame: FrameType | None) -> None:
        first = not self.asked
        self.asked = True
        if self._breakable or not first:
            self._breakable = False
            raise KeyboardInterrupt
