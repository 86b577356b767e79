"""The baseline: the verdicts of one run, or of several, in a small file that git can review."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import NotComparableError, UsageError
from bench.gate.fields import require_comparable
from bench.judge.readings import usual_parts_hash
from bench.judge.scorers.measured import REVISION
from bench.judge.verdict import DEFAULT
from bench.records import Estimate
from bench.store import files
from bench.store.manifest import Manifest

#: Format 2 has a list of runs; format 1, of a single run, is read too.
FORMAT = 2

#: One letter a verdict, in the strings of the baseline.
LETTERS: dict[str, str] = {
    "bound": "b",
    "spilled": "s",
    "neighbour": "n",
    "background": "g",
    "mixed": "m",
    "prior": "p",
    "swapped": "w",
    "wrong": "x",
    "absent": "a",
    "invalid": "i",
    "unjudged": "u",
}
MISSING = "-"
_VERDICT_OF = {letter: verdict for verdict, letter in LETTERS.items()}

#: Estimates that stand in the file for a reader; the gate does not use them.
SHOWN = ("binding_score", "binding_given_drawn", "drawn", "leakage_rate")


def make_baseline(runs: Sequence[tuple[Manifest, pd.DataFrame, Iterable[Estimate]]]) -> str:
    """Text of the baseline of runs: sorted JSON, one cell a line, the same for the same images.

    Parameters
    ----------
    runs : sequence of (Manifest, DataFrame, iterable of Estimate)
        One run, or several trainings of one recipe: each with its verdicts and its estimates.

    Raises
    ------
    NotComparableError
        A run is not finished, or was made with ``--limit``; or two were not made alike.
    """
    manifests = [manifest for manifest, _, _ in runs]
    for manifest in manifests:
        require_whole(manifest)
        require_comparable(comparable(manifests[0]), comparable(manifest), among="the runs")
    head = {
        "format": FORMAT,
        "about": comparable(manifests[0]),
        "runs": [
            {
                "weights": manifest.sampler.weights,
                "model": manifest.sampler.name,
                "seeds": manifest.seeds,
                "scores": {
                    one.metric: None if one.value != one.value else round(one.value, 4)
                    for one in estimates
                    if one.group == "all" and one.metric in SHOWN
                },
            }
            for manifest, _, estimates in runs
        ],
        "verdicts": {letter: verdict for verdict, letter in LETTERS.items()},
    }
    cells = [_cells(verdicts) for _, verdicts, _ in runs]
    lines = [
        f"  {json.dumps(cell)}: {json.dumps([one.get(cell, '') for one in cells])}"
        for cell in sorted(set().union(*cells))
    ]
    text = json.dumps(head, indent=1, sort_keys=True)
    return text[:-2] + ',\n "cells": {\n' + ",\n".join(lines) + "\n }\n}\n"


def read_baseline(path: Path) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Read a baseline: what it was made with, and the verdicts of its runs.

    Returns
    -------
    about : dict
    runs : list of DataFrame
        Columns ``cell_id, binding, index, verdict``.

    Raises
    ------
    UsageError
        No such file, or no baseline.
    NotComparableError
        Of another format.
    """
    if not path.is_file():
        raise UsageError(
            f"there is no baseline {path}; write it with `bench baseline RUN --out {path}`"
        )
    again = f"write it again with `bench baseline RUN --out {path}`"
    try:
        stored = json.loads(files.read_text(path))
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its bytes"
        raise UsageError(
            f"{path} is no baseline: {where} cannot be read as JSON; {again}"
        ) from None
    if not isinstance(stored, dict) or "format" not in stored:
        raise UsageError(f"{path} is no baseline: it names no format; {again}")
    if stored["format"] not in (1, FORMAT):
        raise NotComparableError(
            f"{path} has format {stored['format']}, and this release reads 1 and {FORMAT}; {again}"
        )
    for name in ("about", "cells"):
        if not isinstance(stored.get(name), dict):
            raise UsageError(f"{path} is no baseline: it has no {name!r}; {again}")
    about = {key: value for key, value in stored["about"].items() if key != "seeds"}
    rows: list[list[tuple[str, int, int, str]]] = []
    for cell, entry in stored["cells"].items():
        runs = [entry.get("images")] if isinstance(entry, dict) else entry
        if not isinstance(runs, list) or not all(isinstance(one, str) for one in runs):
            raise UsageError(f"{path} is no baseline: cell {cell!r} has no verdicts; {again}")
        rows += [[] for _ in range(len(runs) - len(rows))]
        for found, images in zip(rows, runs, strict=False):
            found += _judgements(cell, images, f"{path} is no baseline", again)
    if not any(rows):
        raise UsageError(f"{path} is no baseline: it has no image of any cell; {again}")
    return about, [pd.DataFrame(found, columns=_COLUMNS) for found in rows]


_COLUMNS = ["cell_id", "binding", "index", "verdict"]


def _judgements(
    cell: str, images: str, refusal: str, remedy: str
) -> Iterator[tuple[str, int, int, str]]:
    for binding, letters in enumerate(images.split(" ")):
        for index, letter in enumerate(letters):
            if letter == MISSING:
                continue
            if letter not in _VERDICT_OF:
                raise UsageError(f"{refusal}: cell {cell!r} has no verdict {letter!r}; {remedy}")
            yield cell, binding, index, _VERDICT_OF[letter]


def comparable(manifest: Manifest) -> dict[str, Any]:
    """Return what two runs must have in common to be compared, by field."""
    options = manifest.sampler.identity()["options"]
    return {
        "suite": manifest.suite,
        "bench": manifest.versions.get("binding-bench", ""),
        "grid": manifest.grid.hash,
        "cells": manifest.grid.cells,
        "image_size": None if manifest.image_size is None else list(manifest.image_size),
        "rules": {**asdict(DEFAULT), "usual_parts": usual_parts_hash(), "revision": REVISION},
        "segmenter": manifest.segmenter.identity(),
        # What a picture is like moves no verdict.
        "scorers": {
            name: one.identity() for name, one in sorted(manifest.scorers.items()) if name != "ood"
        },
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


def _cells(verdicts: pd.DataFrame) -> dict[str, str]:
    """Return for each cell one letter an image, one word a binding."""
    found: dict[str, dict[int, dict[int, str]]] = {}
    columns = [verdicts[name].tolist() for name in _COLUMNS]
    for cell, binding, index, verdict in zip(*columns, strict=True):
        found.setdefault(cell, {}).setdefault(binding, {})[index] = LETTERS[verdict]
    return {cell: _entry(bindings) for cell, bindings in found.items()}


def _entry(bindings: dict[int, dict[int, str]]) -> str:
    images = 1 + max(max(letters) for letters in bindings.values())
    return " ".join(
        "".join(bindings.get(number, {}).get(index, MISSING) for index in range(images))
        for number in range(1 + max(bindings))
    )
