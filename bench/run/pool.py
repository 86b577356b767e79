"""A team: several workers, each a process with a crew of its own, on one machine or on many.

The leader asks and goes on; answers come when they come. A worker does what it is asked in the
order in which it is asked. What a worker is depends on the team: a process of this machine, or a
Ray actor somewhere; what it does stands in `bench.run.process_worker`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench.errors import BenchError


@dataclass(frozen=True)
class Answer:
    """What came of something that a worker was asked.

    Attributes
    ----------
    worker : str
    method : str
        What it was asked; empty where the worker was lost without a call outstanding.
    value : object
    error : Exception or None
        The user can mend it (`BenchError`), or it is a bug.
    lost : str
        Why the worker is no more; empty where it lives.
    """

    worker: str
    method: str
    value: Any = None
    error: Exception | None = None
    lost: str = ""


class TeamError(BenchError):
    """No worker is left; what was finished is stored."""

    exit_code = 3


class Team(Protocol):
    """Several workers that can be asked."""

    @property
    def workers(self) -> Sequence[str]:
        """Names of those that live."""
        ...

    def ask(self, worker: str, method: str, *args: Any) -> None:
        """Have a worker call a method of its `Station`; a lost worker answers that it is lost."""
        ...

    def answers(self, seconds: float) -> list[Answer]:
        """Return what has been answered; waits so long for the first."""
        ...

    def dismiss(self, worker: str) -> None:
        """End one worker at once."""
        ...

    def end(self) -> None:
        """End all workers at once."""
        ...
