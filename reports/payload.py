"""What the page's script reads: every judged image in columns, and the pictures that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bench.judge.colour.naming import memberships
from bench.statistics.labels import label_of
from bench.statistics.outcomes import LOWER_IS_BETTER
from prompts.colours import BASIC, COLOURS
from prompts.subjects import SUBJECTS
from reports.about import command
from reports.labels import METRIC_WORDS, RATES, verdict_order, verdict_words
from reports.reading import RunTables
from reports.tabulation import ordered_colours, prior_strengths
from reports.thumbnails import encode_labels
from reports.trajectory import CURVES

#: Metrics are carried as whole thousandths.
SCALE = 1000

#: Steps of red, green and blue in the table of colour names; a power of two.
LEVELS = 32

#: Characters that turn the text after them around: overrides, embeddings and isolates.
_TURNING = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def visible(text: str) -> str:
    """Write characters that would turn a text around as their code."""
    return text.translate(_TURNING)


def script_json(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = visible(text)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def all_items(runs: Sequence[RunTables]) -> pd.DataFrame:
    """Every (cell, index, binding) that any run judged, in the order of the first run.

    Returns
    -------
    DataFrame
        Columns ``cell_id, index, binding, colour, subject`` and, for run k, ``verdict_k``,
        ``bind_k``, ``leak_background_k``, ``leak_neighbour_k``, ``row_k`` (the row in the run's
        verdict table, -1 where it has none), and ``changed``: the runs differ in the verdict.
    """
    keys = ["cell_id", "index", "binding"]
    tables = []
    for number, run in enumerate(runs):
        table = run.verdicts[[*keys, "colour", "subject", "verdict"]].copy()
        for name in ("bind", "leak_background", "leak_neighbour"):
            table[name] = run.verdicts.get(name, np.nan)
        table["row"] = np.arange(len(table))
        own = ["verdict", "bind", "leak_background", "leak_neighbour", "row"]
        tables.append(table.rename(columns={name: f"{name}_{number}" for name in own}))
    items = tables[0]
    for table in tables[1:]:
        items = items.merge(table, how="outer", on=[*keys, "colour", "subject"], sort=False)
    first = items["row_0"].fillna(len(items))
    items = items.iloc[np.argsort(first.to_numpy(), kind="stable")].reset_index(drop=True)
    changed = np.zeros(len(items), bool)
    for number in range(len(runs)):
        items[f"row_{number}"] = items[f"row_{number}"].fillna(-1).astype(int)
        if number:
            both = items["verdict_0"].notna() & items[f"verdict_{number}"].notna()
            changed |= (both & (items["verdict_0"] != items[f"verdict_{number}"])).to_numpy()
    items["changed"] = changed
    return items


def cell_table(runs: Sequence[RunTables]) -> pd.DataFrame:
    """List the cells of all runs, controls included: id, text, template, control, tags."""
    columns = ["cell_id", "text", "template", "control_id", "tags"]
    cells = pd.concat([run.samples[columns].drop_duplicates("cell_id") for run in runs])
    return cells.drop_duplicates("cell_id").reset_index(drop=True)


def build_payload(
    runs: Sequence[RunTables], labels: Sequence[str], items: pd.DataFrame, cells: pd.DataFrame
) -> dict[str, Any]:
    """Gather the columns that the script filters, sorts and draws from.

    Parameters
    ----------
    runs : sequence of RunTables
    labels : sequence of str
        Distinct names of the runs.
    items, cells : DataFrame
        From `all_items` and `cell_table`.
    """
    position = pd.Series(np.arange(len(cells)), index=cells["cell_id"])
    tags = sorted({tag for group in cells["tags"] for tag in group})
    tag_index = {tag: number for number, tag in enumerate(tags)}
    priors: dict[str, float] = {}
    for run in reversed(runs):
        priors |= prior_strengths(run)
    colours = ordered_colours(items["colour"])
    subjects = list(dict.fromkeys(items["subject"].astype(str)))
    subject_index = {name: number for number, name in enumerate(subjects)}
    colour_index = {name: number for number, name in enumerate(colours)}
    control = cells["control_id"].map(position).fillna(-1).astype(int)
    verdicts = verdict_order(name for run in runs for name in run.verdicts["verdict"].unique())
    number_of = {name: number for number, name in enumerate(verdicts)}
    return {
        "scale": SCALE,
        "basic": [{"name": colour.name, "hex": colour.hex} for colour in BASIC],
        "colours": [
            {"name": name, "hex": COLOURS[name].hex if name in COLOURS else None}
            for name in colours
        ],
        "subjects": [
            {
                "name": name,
                "canonical": list(SUBJECTS[name].canonical) if name in SUBJECTS else [],
                "prior": None if name not in priors else round(priors[name], 3),
            }
            for name in subjects
        ],
        "verdicts": [
            {"name": words.name, "label": words.label, "meaning": words.meaning}
            for words in map(verdict_words, verdicts)
        ],
        "rates": [
            {
                "name": share.name,
                "label": label_of(share.name).label,
                "hits": [number_of[name] for name in share.hits if name in number_of],
                "among": [number_of[name] for name in share.among if name in number_of],
                "up": share.name not in LOWER_IS_BETTER,
            }
            for share in RATES
        ],
        "names": name_table(),
        "metrics": METRIC_WORDS,
        "curves": dict(CURVES),
        "tags": tags,
        "cells": {
            "id": cells["cell_id"].tolist(),
            "text": cells["text"].tolist(),
            "template": cells["template"].tolist(),
            "control": control.tolist(),
            "tags": [[tag_index[tag] for tag in group] for group in cells["tags"]],
        },
        "items": {
            "cell": items["cell_id"].map(position).tolist(),
            "index": items["index"].astype(int).tolist(),
            "binding": items["binding"].astype(int).tolist(),
            "colour": [colour_index[name] for name in items["colour"]],
            "subject": [subject_index[name] for name in items["subject"].astype(str)],
        },
        "runs": [
            _run_columns(run, label, items[f"row_{number}"].to_numpy(), number_of)
            for number, (run, label) in enumerate(zip(runs, labels, strict=True))
        ],
    }


def _run_columns(
    run: RunTables, label: str, rows: np.ndarray, number_of: Mapping[str, int]
) -> dict[str, Any]:
    """Columns of one run, one value an item, null where the run did not judge it."""
    verdicts = run.verdicts
    present = rows >= 0

    def spread(values: list[Any]) -> list[Any]:
        return [
            values[row] if ok else None
            for row, ok in zip(rows.tolist(), present.tolist(), strict=True)
        ]

    basic = {colour.name: number for number, colour in enumerate(BASIC)}
    seeds = dict(zip(run.samples["sample_id"], run.samples["seed"], strict=True))
    metrics = {}
    for name in METRIC_WORDS:
        if name in verdicts and verdicts[name].notna().any():
            column = verdicts[name].to_numpy(dtype=float, na_value=np.nan)
            rounded = [
                None if value != value else round(value * SCALE) for value in column.tolist()
            ]
            metrics[name] = spread(rounded)
    seen: list[Any] = (
        verdicts["observed"].tolist() if "observed" in verdicts else [None] * len(verdicts)
    )
    ids = verdicts["sample_id"].tolist()
    return {
        "label": label,
        "run": str(run.record.get("id", "")),
        "command": command(run),
        "verdict": spread([number_of[name] for name in verdicts["verdict"]]),
        "observed": spread([basic.get(str(name)) for name in seen]),
        "words": spread(verdicts["words"].fillna("").astype(str).tolist()),
        "id": spread(ids),
        "seed": spread([str(seeds.get(name, "")) for name in ids]),
        "metrics": metrics,
    }


def name_table() -> str:
    """Strongest basic terms of the middles of a 32 x 32 x 32 division of the sRGB cube.

    Run lengths as in `reports.thumbnails.encode_labels`, red slowest, blue fastest.
    """
    step = 256 // LEVELS
    middles = np.arange(LEVELS) * step + step // 2
    red, green, blue = np.meshgrid(middles, middles, middles, indexing="ij")
    pixels = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    names = memberships(pixels, exact=True).argmax(axis=-1)
    return encode_labels(names.astype(np.uint8).reshape(LEVELS, -1))
