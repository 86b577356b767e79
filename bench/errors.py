"""Errors that a user can cause, each with the exit code of the command line.

A message names the value, what was expected and the remedy, in one line.
"""

from __future__ import annotations


class BenchError(Exception):
    """Something is wrong that the user can mend; ``exit_code`` is what the command returns."""

    exit_code = 2


class UsageError(BenchError):
    """An unknown name, an impossible option, an unreadable input."""

    exit_code = 2


class NotComparableError(BenchError):
    """Two things that must not be compared, or a run that is not complete."""

    exit_code = 3


class InterruptedRunError(BenchError):
    """The user stopped a run; what was in hand is stored."""

    exit_code = 130


class StoreError(BenchError):
    """A run folder that is damaged, foreign, or cannot be written."""

    exit_code = 3
