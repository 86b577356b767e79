"""The headline numbers of one run or several as a table to paste: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from reports.headline import Headline

Rows = Sequence[tuple[str, Mapping[str, Headline]]]


def _columns(rows: Rows) -> dict[str, str]:
    return {key: found.label for _, headline in rows for key, found in headline.items()}


def _cell(found: Headline | None, dash: str) -> str:
    if found is None or not found.known:
        return "n/a"
    sign = "+" if found.signed else ""
    text = f"{100 * found.value:{sign}.1f}"
    if found.low is None or found.high is None:
        return text
    return f"{text} [{100 * found.low:{sign}.1f}{dash}{100 * found.high:{sign}.1f}]"


def markdown(rows: Rows) -> str:
    """Write a Markdown table, in percent with 95% intervals."""
    columns = _columns(rows)
    lines = [
        "| Run | " + " | ".join(columns.values()) + " | Images |",
        "|:--|" + "--:|" * (len(columns) + 1),
    ]
    for name, headline in rows:
        safe = "".join("\\" + c if c in "\\|`*_<>[]" else c for c in " ".join(name.split()))
        cells = [_cell(headline.get(key), ", ") for key in columns]
        lines.append(f"| {safe} | " + " | ".join([*cells, str(_images(headline))]) + " |")
    return "\n".join(lines) + "\n"


def latex(rows: Rows) -> str:
    """Write a LaTeX tabular (booktabs), in percent with 95% intervals."""
    columns = _columns(rows)
    head = " & ".join(["Run", *(_tex(label) for label in columns.values()), "Images"])
    lines = [
        "\\begin{tabular}{l" + "r" * (len(columns) + 1) + "}",
        "\\toprule",
        head + " \\\\",
        "\\midrule",
    ]
    for name, headline in rows:
        cells = [_cell(headline.get(key), ", ") for key in columns]
        cells = [
            "$" + c.replace(" [", "$ [$", 1).replace("]", "$]") + ("" if "[" in c else "$")
            if c != "n/a"
            else c
            for c in cells
        ]
        lines.append(" & ".join([_tex(name), *cells, str(_images(headline))]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def comma_separated(rows: Rows) -> str:
    """Write CSV, one line a run and metric, as shares between 0 and 1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["run", "metric", "value", "low", "high", "images", "scored", "cells"])
    for name, headline in rows:
        safe = "'" + name if name[:1] in "=+-@\t" else name
        for key, found in headline.items():
            numbers = [
                "" if value is None or value != value else f"{value:.6f}"
                for value in (found.value, found.low, found.high)
            ]
            writer.writerow([safe, key, *numbers, found.images, found.scored, found.cells])
    return out.getvalue()


def _images(headline: Mapping[str, Headline]) -> int:
    return max((found.images for found in headline.values()), default=0)


_TEX = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "−": "$-$",
} | {c: "\\" + c for c in "&%$#_{}"}


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in text)
