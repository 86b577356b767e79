"""What made a run: its record in groups, one line that tells it from another, its command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from reports.reading import RunTables

#: Groups of the record, in the order of the page: name, and the keys of ``run.json``.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Run", ("name", "id", "created", "finished", "suite", "format", "limit")),
    ("Prompts", ("grid", "seeds", "images", "image_size", "trajectory", "invalid")),
    ("Model", ("sampler", "account", "usage")),
    ("Judge", ("segmenter", "scorers")),
    ("Machine", ("machine", "versions")),
)
#: Keys of ``run.json`` shown elsewhere on the page.
_ELSEWHERE = frozenset({"certificate", "control", "self_check", "estimates", "command"})

#: Longest value that is shown whole.
_LONGEST = 400

#: The root, home or drive that an absolute path begins with.
_ROOT = re.compile(r"(?:~|[A-Za-z]:)?[\\/]")
#: Such a path within a text: its folders, up to the last separator.
_FOLDERS = re.compile(
    r"(?<![^\s'\"=(,\[])" + _ROOT.pattern + r"(?:[^\s'\",)\]]*[\\/])?(?=[^\s'\",)\]])"
)


def without_folders(text: str) -> str:
    """Leave of every absolute path in a text its last part: a page is mailed to others."""
    if _ROOT.match(text):
        return "…/" + re.split(r"[\\/]", text.rstrip("\\/"))[-1]
    return _FOLDERS.sub("…/", text)


def facts(run: RunTables) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (name, value), nested keys joined by dots, without absolute paths."""
    record = {key: value for key, value in run.record.items() if key not in _ELSEWHERE}
    record["images"] = f"{len(run.samples):,}"
    named = {key for _, keys in _GROUPS for key in keys}
    groups = [*_GROUPS, ("Other", tuple(key for key in record if key not in named))]
    found = []
    for title, keys in groups:
        rows = [row for key in keys if key in record for row in _flatten(record[key], key)]
        if rows:
            found.append((title, rows))
    return found


def _flatten(value: Any, prefix: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [row for key, entry in value.items() for row in _flatten(entry, f"{prefix}.{key}")]
    if isinstance(value, list):
        value = ", ".join(without_folders(str(entry)) for entry in value)
    text = "" if value is None else without_folders(str(value))
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return [(prefix, text)]


def described(run: RunTables) -> str:
    """One line that tells a run from another: model, grid, size, day."""
    record = run.record
    images, cells = len(run.samples), int(run.samples["cell_id"].nunique())
    parts = [
        f"model {without_folders(record['sampler']['name'])}",
        f"{record['grid']['name']} grid",
        f"{images:,} images of {cells:,} prompts",
        f"masks by {record['segmenter']['name']}",
        str(record["created"])[:10],
    ]
    return " · ".join(parts)


def command(run: RunTables) -> str:
    """Return the command that made the run, without the folders of that machine."""
    stored = str(run.record.get("command") or "")
    try:
        words = shlex.split(stored)
    except ValueError:
        return without_folders(stored)
    shown = []
    for word in words:
        name, equals, value = word.partition("=")
        shown.append(name + equals + without_folders(value) if equals else without_folders(word))
    return " ".join(shlex.quote(word) for word in shown)
