"""Pictures whose prompt stands beside them, in them, or in their names.

Of ``a.png``: ``a.txt``, ``a.caption`` or ``a.json`` beside it, as WebDataset and trainers have it;
else what the program that made it wrote into it (`bench.importers.embedded`); else its name
(`bench.importers.names`). A contact sheet or a mask beside the samples is no sample.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from bench.errors import UsageError
from bench.importers.embedded import prompt_of_document, prompt_of_text, prompt_within
from bench.importers.names import is_sheet, prompt_of_name
from bench.importers.picture import SUFFIXES, ImportedPicture, UnreadableError, said_of
from bench.importers.trees import Tree
from prompts.tables import encoding_of

#: Endings of texts beside a picture, the first before the others.
_TEXTS = (".txt", ".caption", ".json")
#: Bytes of a picture that are kept from the search for its prompt until it is judged.
HELD = 1 << 24
_MASK = re.compile(r"[-_. ](?:mask|masks|seg|segmentation|depth|control|preview|thumb)$", re.I)


def detect(tree: Tree) -> bool:
    """Whether there are pictures at all."""
    return any(_suffix(name) in SUFFIXES for name in tree.names)


def pictures(
    tree: Tree, prompt_column: str | None = None, *, sheets: bool = False, missing: bool = False
) -> Iterator[ImportedPicture]:
    """Yield the pictures of a tree.

    Parameters
    ----------
    tree : Tree
    prompt_column : str, optional
        Key of the prompt in a ``.json``.
    sheets : bool
        Contact sheets are samples: they are cut into tiles.
    missing : bool
        A text without a picture is a picture that is missing.

    Raises
    ------
    UsageError
        A damaged text, or a symbolic link out of the folder.
    """
    names = tree.names
    beside = _Beside(names)
    for name in beside.pictures:
        texts = beside.own_texts(name)
        reason = "" if texts else beside.why_no_sample(name, sheets)
        texts = texts or beside.texts_of_key(name)
        read = tree.reader(name)
        place = f"{tree.label}{name}"
        if reason:
            yield ImportedPicture(place, {}, read, reason, is_sample=False)
            continue
        if texts:
            yield ImportedPicture(place, _fields_of(tree, texts, prompt_column), read)
            continue
        data: bytes | None = None
        try:
            data = read()
            prompt, why_not = prompt_within(data)
        except UnreadableError:
            prompt, why_not = "", ""
        if not prompt and not why_not:
            prompt, why_not = prompt_of_name(name)
        said = {"prompt": prompt} if prompt else {}
        if data is not None and len(data) <= HELD:
            read = _holding(data)
        data = None
        yield ImportedPicture(place, said, read, why_not)
    for name in beside.alone() if missing else ():
        place = f"{tree.label}{name}"
        yield ImportedPicture(place, _fields_of(tree, [name], prompt_column), _missing(place))


class _Beside:
    """Which texts belong to which picture."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = set(names)
        self.pictures = [name for name in names if _suffix(name) in SUFFIXES]
        self._stems = {_stem(name) for name in self.pictures}
        self._shared = Counter(_key(name) for name in self.pictures)
        self._keys: dict[str, list[str]] = {}
        for name in names:
            if _suffix(name) in _TEXTS:
                self._keys.setdefault(_key(name), []).append(name)
        self._used: set[str] = set()

    def own_texts(self, name: str) -> list[str]:
        """Texts of a picture by its whole name, with or without the ending."""
        found = [
            text
            for base in (_stem(name), name)
            for ending in _TEXTS
            if (text := base + ending) in self._names
        ]
        self._used |= set(found)
        return found

    def texts_of_key(self, name: str) -> list[str]:
        """Texts by what stands before the first dot, as WebDataset has it.

        One of each kind, and none of them another picture's own.
        """
        found = self._keys.get(_key(name), [])
        kinds = {_suffix(text) for text in found}
        if len(kinds) < len(found) or any(_stem(text) in self._stems for text in found):
            return []
        self._used |= set(found)
        return found

    def why_no_sample(self, name: str, sheets: bool) -> str:
        """Why a picture without a text of its own is no sample; empty where it is one."""
        if is_sheet(name) and not sheets:
            return "a contact sheet by its name; --tiles cuts it"
        stem = _stem(name)
        bare = _MASK.sub("", stem)
        if bare != stem and (bare in self._stems or self._shared[_key(name)] > 1):
            return "by its name it belongs to another picture"
        return ""

    def alone(self) -> list[str]:
        """Texts of no picture."""
        return [name for texts in self._keys.values() for name in texts if name not in self._used]


def _fields_of(tree: Tree, texts: Sequence[str], column: str | None) -> dict[str, Any]:
    """What the texts of a picture say; a plain text is the prompt, whatever else says one."""
    said: dict[str, Any] = {}
    for name in sorted(texts, key=lambda name: _TEXTS.index(_suffix(name)), reverse=True):
        place = f"{tree.label}{name}"
        try:
            data = tree.reader(name)()
            text = data.decode(encoding_of(data[:4]))
        except UnreadableError as error:
            raise UsageError(str(error)) from None
        except UnicodeDecodeError as error:
            raise UsageError(f"{place}: not UTF-8 text ({error.reason})") from None
        if _suffix(name) == ".json":
            row = _object(text, place)
            said = said_of(row, column)
            if "prompt" not in said and column is None and (found := prompt_of_document(row)[0]):
                said["prompt"] = found
        else:
            said["prompt"] = prompt_of_text(text)[0]
    return said


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise UsageError(f"{place}: expected a JSON object")
    return row


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _stem(name: str) -> str:
    return name[: len(name) - len(PurePosixPath(name).suffix)]


def _key(name: str) -> str:
    """WebDataset's key: the path up to the first dot of the file's name."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _holding(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _missing(place: str) -> Callable[[], bytes]:
    def read() -> bytes:
        raise UnreadableError("missing file", f"{place}: a prompt without a picture")

    return read
