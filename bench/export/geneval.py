"""GenEval's layout: a numbered folder a prompt, with ``metadata.jsonl`` and its samples.

Layout: Ghosh et al., "GenEval: An object-focused framework for evaluating text-to-image
alignment", NeurIPS 2023, https://github.com/djghosh13/geneval.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.export.pictures import stored_images
from bench.export.target import Staged
from bench.store.run import Run


def write(run: Run, target: Staged) -> int:
    """Write the pictures of a run; returns how many.

    Prompts are numbered by their cell ids in order, so that the same grid gives the same numbers
    whatever was made first.
    """
    cells: dict[str, dict[str, Any]] = {}
    for _, part in run.parts("samples", ["cell_id", "text", "bindings"]):
        for row in part.to_pylist():
            cells.setdefault(row["cell_id"], row)
    number = {cell: place for place, cell in enumerate(sorted(cells))}
    for cell, place in number.items():
        said = json.dumps(metadata(cells[cell]), ensure_ascii=False)
        target.write(f"{place:05d}/metadata.jsonl", said + "\n")
    written = 0
    for row in stored_images(run):
        place = number[row["cell_id"]]
        target.write(f"{place:05d}/samples/{row['index']:04d}.png", row["png"])
        written += 1
    return written


def metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what GenEval says of a prompt: the task, what should be there, and the text."""
    bindings: Sequence[Mapping[str, Any]] = row["bindings"]
    coloured = [one for one in bindings if one["colour"]]
    if not coloured:
        task = "single_object" if len(bindings) == 1 else "two_object"
    else:
        task = "colors" if len(bindings) == 1 else "color_attr"
    include = [
        {"class": one["subject"], "count": 1, **({"color": one["colour"]} if one["colour"] else {})}
        for one in bindings
    ]
    return {"tag": task, "include": include, "prompt": row["text"]}
