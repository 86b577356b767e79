"""GenEval's layout: a numbered folder a prompt, with ``metadata.jsonl`` and its samples.

``00000/metadata.jsonl`` holds one JSON object: the prompt, the task (``tag``), and what should be
in the picture (``include``: class and colour). The pictures are ``00000/samples/0000.png`` or
``00000/samples/00000.png``; where there is no ``samples``, numbered pictures in the folder itself.
As in GenEval's ``evaluate_images.py``, what is not called by digits is no sample: a contact sheet,
a mask. Layout: Ghosh et al., "GenEval: An object-focused framework for evaluating text-to-image
alignment", NeurIPS 2023, https://github.com/djghosh13/geneval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import SUFFIXES, ImportedPicture, said_of
from bench.importers.trees import Tree

FILE = "metadata.jsonl"
_FILE = re.compile(
    r"(?P<set>(?:.+/)?)(?P<folder>\d+)/(?P<inner>samples/)?(?P<stem>[^/]+)\.(?P<end>\w+)"
)


def detect(tree: Tree) -> bool:
    """Whether a tree has this layout."""
    first = next((name for name in _metadata(tree.names)), None)
    return first is not None and "file_name" not in next(tree.rows(first), ("", {}))[1]


def pictures(tree: Tree, prompt_column: str | None = None) -> Iterator[ImportedPicture]:
    """Yield the pictures, prompt by prompt.

    Raises
    ------
    UsageError
        Damaged metadata, a symbolic link out of the folder, or several sets in one.
    """
    names = tree.names
    metadata = {name.rpartition("/")[0]: name for name in _metadata(names)}
    sets = sorted({folder.rpartition("/")[0] for folder in metadata})
    if len(sets) > 1:
        raise UsageError(
            f"{len(sets)} sets of GenEval in one: {', '.join(map(repr, sets[:3]))}; score one"
        )
    folders = _folders(names, sets[0])
    for folder in sorted({*folders, *metadata}):
        found = folders.get(folder, [])
        said, why_not = _fields_of(tree, metadata.get(folder), prompt_column)
        inner = any("/samples/" in name for name, _ in found)
        for name, match in sorted(found, key=lambda one: (len(one[1]["stem"]), one[0])):
            read = tree.reader(name)
            place = f"{tree.label}{name}"
            if match["stem"].isdigit() and bool(match["inner"]) == inner:
                yield ImportedPicture(place, said, read, why_not)
            else:
                yield ImportedPicture(
                    place, said, read, "GenEval's samples are digits", is_sample=False
                )


def _metadata(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        match = _FILE.fullmatch(name)
        if match and name.endswith(f"{match['folder']}/{FILE}"):
            yield name


def _folders(names: Sequence[str], root: str) -> dict[str, list[tuple[str, re.Match[str]]]]:
    """Pictures by the folder of their prompt, in the order of the folders' names."""
    found: dict[str, list[tuple[str, re.Match[str]]]] = {}
    for name in names:
        match = _FILE.fullmatch(name)
        if match and match["set"].rstrip("/") == root and f".{match['end'].lower()}" in SUFFIXES:
            found.setdefault(match["set"] + match["folder"], []).append((name, match))
    return found


def _fields_of(tree: Tree, name: str | None, column: str | None) -> tuple[dict[str, Any], str]:
    if name is None:
        return {}, f"no {FILE} in its folder"
    row = next(tree.rows(name), None)
    if row is None:
        raise UsageError(f"{tree.label}{name} is empty: expected a JSON object with the prompt")
    return said_of(row[1], column), ""
