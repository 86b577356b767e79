"""What the page's script reads: every judged image in columns, and the pictures that fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bench.records import VERDICTS
from prompts.colours import BASIC, COLOURS
from prompts.subjects import SUBJECTS
from reports.labels import METRIC_WORDS, RATES, VERDICT_WORDS
from reports.reading import Run
from reports.tabulation import ordered_colours, prior_strengths
from reports.trajectory import CURVES

#: Metrics are carried as whole thousandths.
SCALE = 1000

_VERDICT_INDEX = {name: number for number, name in enumerate(VERDICTS)}


def script_json(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def all_items(runs: Sequence[Run]) -> pd.DataFrame:
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


def cell_table(runs: Sequence[Run]) -> pd.DataFrame:
    """List the cells of all runs, controls included: id, text, template, control, tags."""
    columns = ["cell_id", "text", "template", "control_id", "tags"]
    cells = pd.concat([run.samples[columns].drop_duplicates("cell_id") for run in runs])
    return cells.drop_duplicates("cell_id").reset_index(drop=True)


def build_payload(
    runs: Sequence[Run], labels: Sequence[str], items: pd.DataFrame, cells: pd.DataFrame
) -> dict[str, Any]:
    """Gather the columns that the script filters, sorts and draws from."""
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
            for words in VERDICT_WORDS.values()
        ],
        "rates": [
            {
                "name": rate.name,
                "label": rate.label,
                "hits": [_VERDICT_INDEX[name] for name in rate.hits],
                "without": [_VERDICT_INDEX[name] for name in rate.without],
                "up": rate.higher_is_better,
            }
            for rate in RATES
        ],
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
            _run_columns(run, label, items[f"row_{number}"].to_numpy())
            for number, (run, label) in enumerate(zip(runs, labels, strict=True))
        ],
    }


def _run_columns(run: Run, label: str, rows: np.ndarray) -> dict[str, Any]:
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
        "verdict": spread([_VERDICT_INDEX.get(name, -1) for name in verdicts["verdict"]]),
        "observed": spread([basic.get(str(name)) for name in seen]),
        "words": spread(verdicts["words"].fillna("").astype(str).tolist()),
        "id": spread(ids),
        "seed": spread([str(seeds.get(name, "")) for name in ids]),
        "metrics": metrics,
    }
