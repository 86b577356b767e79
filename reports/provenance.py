"""What made a run, as rows of a table: model, grid, scorer, versions, hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.reading import Run

#: Keys of ``run.json`` shown elsewhere on the page.
_ELSEWHERE = frozenset({"certificate", "control", "estimates"})

#: Longest value that is shown whole.
_LONGEST = 400


def facts(run: Run) -> list[tuple[str, str]]:
    """Rows of (name, value), nested keys joined by dots."""
    rows = [
        ("folder", str(run.path)),
        ("images", f"{len(run.samples):,}"),
        ("cells", f"{run.samples['cell_id'].nunique():,}"),
    ]
    rows += [
        (name, value)
        for name, value in _flatten(run.record)
        if name.split(".")[0] not in _ELSEWHERE
    ]
    return rows


def _flatten(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        rows = []
        for key, entry in value.items():
            rows += _flatten(entry, f"{prefix}.{key}" if prefix else str(key))
        return rows
    if isinstance(value, list):
        value = ", ".join(str(entry) for entry in value)
    text = "" if value is None else str(value)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return [(prefix, text)]


def model_of(run: Run) -> str:
    """Name of the model, or of the run where the record names none."""
    for key in ("model", "sampler"):
        value = run.record.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            return str(value["name"])
    return run.name
