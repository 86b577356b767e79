"""Headline numbers and differences as tables to paste: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from reports.differences import Difference
from reports.headline import Headline

Rows = Sequence[tuple[str, Mapping[str, Headline]]]

#: Left out where a row is a run, so that a table fits a page; the CSV has all.
_FINE = frozenset({"leak_spilled", "leak_swapped", "drawn"})


#: Labels that do not lean on the page around them.
_ALONE = {
    "leak_neighbour": "Leaked to another object",
    "leak_background": "Leaked to the background",
}


def _columns(rows: Rows) -> dict[str, str]:
    return {
        key: _ALONE.get(key, found.label)
        for _, headline in rows
        for key, found in headline.items()
        if key not in _FINE
    }


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
        safe = _marked(name)
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
        safe = _defused(name)
        for key, found in headline.items():
            numbers = [_plain(value) for value in (found.value, found.low, found.high)]
            writer.writerow([safe, key, *numbers, found.images, found.scored, found.cells])
    return out.getvalue()


#: Fields of a difference that are shares.
_NUMBERS = ("before", "after", "difference", "low", "high")


def difference_tables(
    runs: Sequence[tuple[str, Sequence[Difference]]], base: str
) -> dict[str, str]:
    """Write the differences of runs from the first as Markdown, LaTeX and CSV.

    Parameters
    ----------
    runs : sequence of (name, differences)
    base : str
        Name of the run that they are compared with.
    """
    head = ("Run", "Share of pictures", base, "Run's", "Difference", "95% interval", "Images")
    lines = [
        "| " + " | ".join(_marked(name) for name in head) + " |",
        "|:--|:--|--:|--:|--:|--:|--:|",
    ]
    tex = [
        "\\begin{tabular}{llrrrrr}",
        "\\toprule",
        " & ".join(_tex(name) for name in head) + " \\\\",
        "\\midrule",
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("run", "against", "metric", *_NUMBERS, "images", "cells"))
    for name, found in runs:
        for one in found:
            cells = _difference_cells(one)
            lines.append(f"| {_marked(name)} | {one.label} | " + " | ".join(cells) + " |")
            inked = [f"${cell}$" if cell[:1] in "+-" else cell for cell in cells]
            tex.append(" & ".join([_tex(name), _tex(one.label), *inked]) + " \\\\")
            numbers = [_plain(getattr(one, field)) for field in _NUMBERS]
            names = (_defused(name), _defused(base), one.name)
            writer.writerow((*names, *numbers, one.images, one.cells))
    tex += ["\\bottomrule", "\\end{tabular}"]
    texts = {"markdown": "\n".join(lines), "latex": "\n".join(tex)}
    return {kind: text + "\n" for kind, text in texts.items()} | {"csv": out.getvalue()}


def _difference_cells(one: Difference) -> list[str]:
    if not one.cells:
        return ["n/a", "n/a", "n/a", "", "0"]
    span = (
        ""
        if one.low is None or one.high is None
        else f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
    )
    return [
        f"{100 * one.before:.1f}",
        f"{100 * one.after:.1f}",
        f"{100 * one.difference:+.1f}",
        span,
        str(one.images),
    ]


def _plain(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.6f}"


def _marked(text: str) -> str:
    """Escape what Markdown would read as a mark; one line."""
    return "".join("\\" + c if c in "\\|`*_<>[]" else c for c in " ".join(text.split()))


def _defused(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return "'" + text if text[:1] in "=+-@\t" else text


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
