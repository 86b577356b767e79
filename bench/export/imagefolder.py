"""An imagefolder as the ``datasets`` library reads it: pictures and one table of metadata."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from bench.export.pictures import stored_images
from bench.export.target import Staged
from bench.store.derived import read_verdicts
from bench.store.run import Run

COLUMNS = (
    *("file_name", "prompt", "sample_id", "cell_id", "control_id", "template", "index", "seed"),
    *("tags", "colour", "subject", "verdict", "words", "colour2", "subject2", "verdict2", "words2"),
    "invalid",
)


def write(run: Run, target: Staged, form: str = "csv") -> int:
    """Write the pictures of a run and ``metadata.csv``, or ``metadata.jsonl``; returns how many."""
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
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        target.write("metadata.csv", file.getvalue())
    else:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        target.write("metadata.jsonl", "".join(lines))
    return len(rows)


def _entry(
    name: str, row: Mapping[str, Any], said: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    found |= {key: row[key] for key in ("sample_id", "cell_id", "control_id", "template")}
    found |= {"file_name": name, "prompt": row["text"], "index": row["index"], "seed": row["seed"]}
    found |= {"tags": " ".join(row["tags"]), "invalid": row["invalid"] or ""}
    for number, (binding, suffix) in enumerate(zip(row["bindings"], ("", "2"), strict=False)):
        found[f"colour{suffix}"] = binding["colour"] or ""
        found[f"subject{suffix}"] = binding["subject"]
        verdict = said.get((row["sample_id"], number), {})
        found[f"verdict{suffix}"] = verdict.get("verdict", "")
        found[f"words{suffix}"] = verdict.get("words", "")
    return found
