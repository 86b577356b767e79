"""GenEval's layout: a numbered folder a prompt, with ``metadata.jsonl`` and its samples.

``00000/metadata.jsonl`` holds one JSON object: the prompt, the task (``tag``), and what should be
in the picture (``include``: class and colour). The pictures are ``00000/samples/0000.png`` or
``00000/samples/00000.png``; where there is no ``samples``, numbered pictures in the folder itself.
Layout: Ghosh et al., "GenEval: An object-focused framework for evaluating text-to-image
alignment", NeurIPS 2023, https://github.com/djghosh13/geneval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.picture import SUFFIXES, Picture, check_inside, reader, said_of
from bench.importers.tables import read_rows

FILE = "metadata.jsonl"
SAMPLES = "samples"
#: Tasks that ask for no colour of a thing, and whose prompts are no neutral controls.
OTHER_TASKS = ("counting", "position")


def folders(root: Path) -> list[Path]:
    """Folders of prompts, in the order of their names."""
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name.isdigit())


def detect(root: Path) -> bool:
    """Whether a folder has this layout."""
    if not root.is_dir():
        return False
    first = next((one / FILE for one in folders(root) if (one / FILE).is_file()), None)
    if first is None:
        return False
    row = next(iter(read_rows(first)), ("", {}))[1]
    return "file_name" not in row


def pictures(root: Path, prompt_column: str | None = None) -> Iterator[Picture]:
    """Yield the pictures, prompt by prompt.

    Raises
    ------
    UsageError
        Damaged metadata, or a symbolic link out of the folder.
    """
    for folder in folders(root):
        said, why_not = _said(root, folder, prompt_column)
        for path in _samples(folder):
            place = path.relative_to(root).as_posix()
            check_inside(root, path, place)
            yield Picture(place, said, reader(path), why_not)


def _said(root: Path, folder: Path, column: str | None) -> tuple[dict[str, Any], str]:
    path = folder / FILE
    if not path.exists() and not path.is_symlink():
        return {}, f"no {FILE} in its folder"
    check_inside(root, path, path.relative_to(root).as_posix())
    rows = list(read_rows(path))
    if not rows:
        raise UsageError(f"{path} is empty: expected a JSON object with the prompt")
    row = rows[0][1]
    said = said_of(row, column)
    task = row.get("tag")
    if task in OTHER_TASKS:
        return said, f"GenEval's task {task!r} asks for no colour"
    return {"prompt": said.get("prompt"), **asked(row)}, ""


def asked(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return colours and subjects that ``include`` tells, as fields of a list of prompts.

    Empty where it says nothing that can be used: no class, more than one of a class, or more than
    two classes.
    """
    include = row.get("include")
    if not isinstance(include, list) or not 1 <= len(include) <= 2:
        return {}
    found: dict[str, Any] = {}
    for one, suffix in zip(include, ("", "2"), strict=False):
        if not isinstance(one, Mapping) or one.get("count", 1) != 1 or not one.get("class"):
            return {}
        found[f"subject{suffix}"] = one["class"]
        if one.get("color"):
            found[f"colour{suffix}"] = one["color"]
    return found


def _samples(folder: Path) -> list[Path]:
    inner = folder / SAMPLES
    # A grid of all samples (grid.png) stands beside them in the folder; it is no sample.
    found = [
        path
        for path in (inner if inner.is_dir() else folder).iterdir()
        if path.suffix.lower() in SUFFIXES and (inner.is_dir() or path.stem.isdigit())
    ]
    return sorted(found, key=lambda path: (len(path.stem), path.name))
