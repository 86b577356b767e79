"""What goes wrong with a user's words, said in one line: value, expectation, nearest, remedy."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

#: Unicode categories of marks that do something instead of being seen; joiners are among them.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Longest piece of a user's own text that a message repeats.
_SHOWN = 60


class PromptError(ValueError):
    """A word, a grid or a file that no prompts can be made from.

    Parameters
    ----------
    message : str
        One line.
    kind : str
        What was wrong: ``colour``, ``subject``, ``template``, ``preset``, ``grid``, ``file``,
        ``manifest`` or ``captions``.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


def printable(text: str) -> str:
    """Return a text as one line for a terminal: what would steer it is written as an escape.

    Control characters (an escape sequence in the name of a file), marks that turn the direction of
    writing, and line ends.
    """
    return "".join(
        mark
        if mark == " " or unicodedata.category(mark) not in _STEERING
        else mark.encode("unicode_escape", "backslashreplace").decode("ascii")
        for mark in text
    )


def shown(value: object) -> str:
    """Return a value as a message shows it: quoted, on one line, at most 60 characters of it."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known name closest to ``word``, or an empty string where none is close."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word[:200].casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[close[0]] if close else ""


def unknown(kind: str, word: str, known: Iterable[str], remedy: str = "") -> PromptError:
    """Make the error for a name that is not in a table.

    Parameters
    ----------
    kind : str
        What the name should have been: ``colour``, ``preset``, ...
    word : str
        The name given.
    known : iterable of str
        The names that are allowed.
    remedy : str
        What to do when the name was meant, as a clause.
    """
    names = list(known)
    match = nearest(word, names)
    guess = f"; did you mean {shown(match)}?" if match else ""
    advice = f" {remedy}" if remedy else ""
    end = "" if guess.endswith("?") else "."
    return PromptError(
        f"unknown {kind} {shown(word)}: expected one of {', '.join(names)}{guess}{end}{advice}",
        kind,
    )
