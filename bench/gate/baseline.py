"""The baseline: the verdicts of a run in a small file that git can review."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import NotComparableError, UsageError
from bench.judge.verdict import DEFAULT
from bench.records import VERDICTS, Estimate
from bench.store import files
from bench.store.manifest import Manifest

FORMAT = 1

#: One letter a verdict, in the strings of the baseline.
LETTERS: dict[str, str] = dict(
    zip(VERDICTS, ("b", "s", "n", "g", "m", "p", "w", "x", "a", "u", "i"), strict=True)
)
MISSING = "-"
_VERDICT_OF = {letter: verdict for verdict, letter in LETTERS.items()}

#: Estimates that stand in the file for a reader; the gate does not use them.
SHOWN = ("binding_score", "binding_given_drawn", "drawn", "leakage_rate")


def make_baseline(manifest: Manifest, verdicts: pd.DataFrame, estimates: Iterable[Estimate]) -> str:
    """Text of the baseline of a run: sorted JSON, one cell a line, the same for the same images.

    Raises
    ------
    NotComparableError
        The run is not finished, or was made with ``--limit``.
    """
    require_whole(manifest)
    head = {
        "format": FORMAT,
        "about": comparable(manifest),
        "weights": manifest.sampler.weights,
        "model": manifest.sampler.name,
        "verdicts": {letter: verdict for verdict, letter in LETTERS.items()},
        "scores": {
            one.metric: None if one.value != one.value else round(one.value, 4)
            for one in estimates
            if one.group == "all" and one.metric in SHOWN
        },
    }
    lines = [
        f"  {json.dumps(cell)}: {json.dumps(entry, sort_keys=True)}"
        for cell, entry in sorted(_cells(verdicts).items())
    ]
    text = json.dumps(head, indent=1, sort_keys=True)
    return text[:-2] + ',\n "cells": {\n' + ",\n".join(lines) + "\n }\n}\n"


def read_baseline(path: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Read a baseline: what it was made with, and its verdicts.

    Returns
    -------
    about : dict
    verdicts : DataFrame
        Columns ``cell_id, binding, index, verdict``.

    Raises
    ------
    UsageError
        No such file, or no baseline.
    NotComparableError
        Of another format.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; write it with `bench baseline RUN --out {path}`")
    try:
        stored = json.loads(files.read_text(path))
        version = stored["format"]
        if version != FORMAT:
            raise NotComparableError(
                f"{path}: format {version}, this bench reads {FORMAT}; write the baseline again"
            )
        rows = [
            (cell, binding, index, _VERDICT_OF[letter])
            for cell, entry in stored["cells"].items()
            for binding, letters in enumerate(entry["images"].split(" "))
            for index, letter in enumerate(letters)
            if letter != MISSING
        ]
        about = dict(stored["about"])
        if not rows:
            raise ValueError("it has no image of any cell")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no baseline: {type(error).__name__} {error}") from error
    return about, pd.DataFrame(rows, columns=["cell_id", "binding", "index", "verdict"])


def comparable(manifest: Manifest) -> dict[str, Any]:
    """Return what two runs must have in common to be compared, by field."""
    options = manifest.sampler.identity()["options"]
    return {
        "suite": manifest.suite,
        "bench": manifest.versions.get("binding-bench", ""),
        "grid": manifest.grid.hash,
        "cells": manifest.grid.cells,
        "seeds": manifest.seeds,
        "image_size": None if manifest.image_size is None else list(manifest.image_size),
        "rules": asdict(DEFAULT),
        "segmenter": manifest.segmenter.identity(),
        "scorers": {name: one.identity() for name, one in sorted(manifest.scorers.items())},
        "sampler": options,
    }


def require_whole(manifest: Manifest) -> None:
    """Refuse a run that is not finished, or was cut short on purpose."""
    if not manifest.complete:
        raise NotComparableError(
            f"run {manifest.name!r} is not finished; run the same `bench run` again"
        )
    if manifest.limit is not None:
        raise NotComparableError(
            f"run {manifest.name!r} was made with --limit {manifest.limit}; make it without"
        )


def _cells(verdicts: pd.DataFrame) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[int, dict[int, str]]] = {}
    columns = [verdicts[name].tolist() for name in ("cell_id", "binding", "index", "verdict")]
    for cell, binding, index, verdict in zip(*columns, strict=True):
        found.setdefault(cell, {}).setdefault(binding, {})[index] = LETTERS[verdict]
    return {cell: _entry(bindings) for cell, bindings in found.items()}


def _entry(bindings: dict[int, dict[int, str]]) -> dict[str, Any]:
    images = 1 + max(max(letters) for letters in bindings.values())
    strings = [
        "".join(bindings.get(number, {}).get(index, MISSING) for index in range(images))
        for number in range(1 + max(bindings))
    ]
    counts = Counter(letter for letters in strings for letter in letters if letter != MISSING)
    named = {_VERDICT_OF[letter]: count for letter, count in counts.items()}
    return {"images": " ".join(strings), "n": sum(counts.values()), **named}
