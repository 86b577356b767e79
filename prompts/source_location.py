"""Where in a user's file something stands, for errors that name file, line and key."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prompts.errors import PromptError, nearest, shown

#: Longest word or phrase of a user's own.
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, 0 where it is not known.

    ``header`` is the line that names the fields, where that is another one: the head of a CSV.
    """

    path: str
    line: int = 0
    header: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def of_fields(self) -> Place:
        """Return the place where the names of the fields stand."""
        return Place(self.path, self.header or self.line)

    def error(self, message: str, kind: str = "file") -> PromptError:
        """Make an error that begins with the file and the line."""
        return PromptError(f"{self}: {message}", kind)

    def unknown_key(self, key: str, known: Iterable[str]) -> PromptError:
        """Make the error for a key that nothing reads."""
        names = list(known)
        match = nearest(key, names)
        guess = f"; did you mean {shown(match)}?" if match else ""
        return self.error(f"unknown key {shown(key)}: expected one of {', '.join(names)}{guess}")


def read_file(path: str | Path) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    PromptError
        Where it cannot be opened or is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PromptError(f"cannot read {path}: {error.strerror or error}", "file") from None
    except UnicodeDecodeError as error:
        raise PromptError(
            f"{path}: byte {error.start} is not UTF-8 text; save the file as UTF-8", "file"
        ) from None


def find_line(text: str, *needles: str) -> int:
    """Return the line on which the last needle stands after the ones before it; 0 for none."""
    at = 0
    for needle in needles:
        found = text.find(needle, at)
        at = at if found < 0 else found
    return text.count("\n", 0, at) + 1 if at or text.startswith(needles[:1]) else 0


def check_word(value: object, what: str, place: Place) -> str:
    """Return a user's word with single spaces.

    Raises
    ------
    PromptError
        Where it is not a text of 1 to 100 characters with a letter or digit and no control
        character.
    """
    if not isinstance(value, str):
        raise place.error(f"{what} must be a text, got {shown(value)}")
    word = " ".join(value.split())
    if not word:
        raise place.error(f"{what} is empty")
    if len(word) > LONGEST_WORD:
        raise place.error(
            f"{what} {shown(word)} has {len(word)} characters, at most {LONGEST_WORD} are allowed"
        )
    if any(unicodedata.category(mark) in ("Cc", "Cs") for mark in word):
        raise place.error(f"{what} {shown(word)} holds a control character; remove it")
    if not any(mark.isalnum() for mark in word):
        raise place.error(f"{what} {shown(word)} has no letter and no digit")
    return word
