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


def described(run: Run) -> str:
    """One line that tells a run from another: model, grid, size, day."""
    record = run.record
    images, cells = len(run.samples), int(run.samples["cell_id"].nunique())
    parts = [
        f"model {record['sampler']['name']}",
        f"{record['grid']['name']} grid",
        f"{images:,} images of {cells:,} prompts",
        f"masks by {record['segmenter']['name']}",
        str(record["created"])[:10],
    ]
    return " · ".join(parts)
