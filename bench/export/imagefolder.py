"""An imagefolder as the ``datasets`` library reads it: pictures and one table of metadata."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.export.pictures import stored_images
from bench.export.target import Staged
from bench.store.derived import read_verdicts
from bench.store.run import Run
from prompts.list_fields import SUFFIXES
from prompts.tables import guarded

COLUMNS = (
    *("file_name", "prompt", "sample_id", "cell_id", "control_id", "template", "index", "seed"),
    *("tags", "colour", "subject", "verdict", "words", "colour2", "subject2", "verdict2", "words2"),
    "invalid",
)


def write(run: Run, target: Staged, form: str = "csv") -> tuple[int, int]:
    """Write the pictures of a run and ``metadata.csv``, or ``metadata.jsonl``.

    Returns
    -------
    (int, int)
        The pictures, and the fields of the CSV that begin as a formula: these have an apostrophe
        before them, which `prompts.tables` takes away again.
    """
    verdicts = read_verdicts(run)
    said = {
        (row["sample_id"], int(row["binding"])): row
        for row in verdicts[["sample_id", "binding", "verdict", "words"]].to_dict("records")
    }
    rows = []
    for row in stored_images(run):
        name = f"images/{row['sample_id']}.png"
        target.write(name, row["png"])
        rows.append(_entry(name, row, said))
    rows.sort(key=lambda row: (row["cell_id"], row["index"]))
    if form == "csv":
        file = io.StringIO()
        columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        safe = [{name: guarded(value) for name, value in row.items()} for row in rows]
        writer.writerows(safe)
        changed = sum(one != two for one, two in zip(_values(rows), _values(safe), strict=True))
        target.write("metadata.csv", file.getvalue())
    else:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        target.write("metadata.jsonl", "".join(lines))
        changed = 0
    return len(rows), changed


def _values(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [value for row in rows for value in row.values()]


def _entry(
    name: str, row: Mapping[str, Any], judged: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    found |= {key: row[key] for key in ("sample_id", "cell_id", "control_id", "template")}
    found |= {"file_name": name, "prompt": row["text"], "index": row["index"], "seed": row["seed"]}
    found |= {"tags": " ".join(row["tags"]), "invalid": row["invalid"] or ""}
    for number, (binding, suffix) in enumerate(zip(row["bindings"], SUFFIXES, strict=False)):
        found[f"colour{suffix}"] = binding["colour"] or ""
        found[f"subject{suffix}"] = binding["subject"]
        verdict = judged.get((row["sample_id"], number), {})
        found[f"verdict{suffix}"] = verdict.get("verdict", "")
        found[f"words{suffix}"] = verdict.get("words", "")
    return found
