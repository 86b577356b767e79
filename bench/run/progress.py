"""How far a run is: a bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

from prompts.errors import printable

#: Seconds between two lines where stderr is no terminal.
LINE_SECONDS = 15.0


class Progress(Protocol):
    """Is told how far the run is."""

    def wait(self, what: str) -> None:
        """Show what takes time now and cannot be counted, until `begin` or `end`."""
        ...

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Start to count up to ``total``."""
        ...

    def advance(self, count: int) -> None:
        """Count some more; called from the scoring thread."""
        ...

    def say(self, text: str) -> None:
        """Tell one line."""
        ...

    def end(self) -> None:
        """Stop counting."""
        ...


class Silent:
    """Says nothing."""

    def wait(self, what: str) -> None:
        """Do nothing."""

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class Lines:
    """One line now and then."""

    def __init__(self, every: float = LINE_SECONDS) -> None:
        self.every = every
        self._what, self._total, self._done, self._before = "", 0, 0, 0
        self._start = self._last = time.monotonic()

    def wait(self, what: str) -> None:
        """Do nothing: a log has no use for what is over when it is read."""

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Start to count."""
        self._what, self._total, self._done, self._before = what, total, done, done
        self._start = self._last = time.monotonic()

    def advance(self, count: int) -> None:
        """Count, and tell how far it is where the last line is old enough."""
        self._done += count
        now = time.monotonic()
        if now - self._last < self.every and self._done < self._total:
            return
        self._last = now
        rate = (self._done - self._before) / max(now - self._start, 1e-9)
        left = (self._total - self._done) / rate if rate else float("inf")
        self.say(
            f"{self._what}: {self._done:,} of {self._total:,} images, {rate:.1f}/s, "
            f"{clock(left)} left"
        )

    def say(self, text: str) -> None:
        """Tell one line."""
        print(printable(text), file=sys.stderr, flush=True)

    def end(self) -> None:
        """Do nothing."""


class Bar:
    """A bar with rate and time left."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._bar: Any = None
        self._task: Any = None

    def wait(self, what: str) -> None:
        """Show a line that moves."""
        from rich.text import Text

        self.end()
        self._bar = self._console.status(Text(printable(what)))
        self._bar.start()

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Show the bar."""
        from rich import progress

        self.end()
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(what, total=total, completed=done, rate="")

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bar is None:
            return
        self._bar.advance(self._task, count)
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, rate=f"{speed:.1f}/s" if speed else "")

    def say(self, text: str) -> None:
        """Tell one line, above the bar."""
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def for_stderr() -> Progress:
    """Return a bar where stderr is a terminal, lines elsewhere."""
    return Bar() if sys.stderr.isatty() else Lines()


def counted(count: int, noun: str) -> str:
    """Count in words: ``1 image``, ``1,044 images``."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def clock(seconds: float) -> str:
    """Seconds as ``1:05:09``, ``5:09`` or ``9 s``."""
    if seconds == float("inf"):
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
