"""Numbers as tables to paste or to save: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.errors import StoreError, UsageError
from bench.records import Estimate
from bench.statistics.labels import KIND_LABELS, label_of, with_of_k
from prompts.tables import guarded
from reports.comparison import ComparedMetric
from reports.headline import Headline, most_images
from reports.reading import RunTables

#: Left out where a row is a run, so that a table fits a page; the CSV has all.
_FINE = frozenset({"leakage_spilled", "leakage_swapped", "drawn"})

#: Columns of the table of a paper, where they were estimated; any and all of k come with the first.
PAPER: tuple[str, ...] = (
    "binding_score",
    "binding_given_drawn",
    "leakage_rate",
    "mixed",
)

#: Forms of a table by the ending of its file.
FORMS: dict[str, str] = {".csv": "csv", ".md": "markdown", ".tex": "latex"}

#: Fields of an estimate, and of a comparison, that a CSV has.
_ESTIMATE = (
    *("value", "low", "high", "population_low", "population_high"),
    *("images", "scored", "cells"),
)
_COMPARISON = ("before", "after", "difference", "low", "high", "p", "cells")

Row = Sequence[str]


def headline_tables(rows: Sequence[tuple[str, Mapping[str, Headline]]]) -> dict[str, str]:
    """Write the headline numbers, a row a run, in percent with 95% intervals."""
    columns = {
        key: found.label
        for _, numbers in rows
        for key, found in numbers.items()
        if key not in _FINE
    }
    head = ["Run", *columns.values(), "Images"]
    body = [
        [
            name,
            *(_cell(numbers[key].estimate if key in numbers else None) for key in columns),
            f"{most_images(list(numbers.values()))}",
        ]
        for name, numbers in rows
    ]
    lines = [
        (name, key, *_numbers(found.estimate, _ESTIMATE))
        for name, numbers in rows
        for key, found in numbers.items()
    ]
    return {
        "markdown": _markdown(head, body, 1),
        "latex": _latex(head, body, 1),
        "csv": _csv(("run", "metric", *_ESTIMATE), lines),
    }


def difference_tables(
    runs: Sequence[tuple[str, Sequence[ComparedMetric]]], base: str
) -> dict[str, str]:
    """Write the differences of runs from the first as Markdown, LaTeX and CSV.

    Parameters
    ----------
    runs : sequence of (name, comparisons)
    base : str
        Name of the run that they are compared with.
    """
    head = ["Run", "Metric", base, "Run's", "Difference", "95% interval", "p", "Cells"]
    body, lines = [], []
    for name, found in runs:
        for told in found:
            one = told.comparison
            span = "" if one.low is None or one.high is None else _span(one.low, one.high)
            shares = (f"{100 * one.before:.1f}", f"{100 * one.after:.1f}")
            change = f"{100 * one.difference:+.1f}"
            body.append([name, told.label, *shares, change, span, f"{one.p:.2g}", str(one.cells)])
            lines.append((name, base, one.metric, *_numbers(one, _COMPARISON)))
    return {
        "markdown": _markdown(head, body, 2),
        "latex": _latex(head, body, 2),
        "csv": _csv(("run", "against", "metric", *_COMPARISON), lines),
    }


def paper_table(runs: Sequence[tuple[str, RunTables]], form: str) -> str:
    """Write a row a run and kind of prompt: singles, scenes and pairs are never put together.

    Parameters
    ----------
    runs : sequence of (name, RunTables)
    form : str
        ``csv``, ``markdown`` or ``latex``. In percent with 95% intervals for this list of prompts,
        and that of the score for prompts like these beside it; the CSV has shares.
    """
    kinds = [
        (name, run, tag, kind)
        for name, run in runs
        for tag, kind in KIND_LABELS.items()
        if run.estimate(PAPER[0], f"tag:{tag}")
    ]
    estimated = (one.metric for _, run in runs for one in run.estimates)
    columns = [
        metric
        for metric in with_of_k(PAPER, estimated)
        if any(run.estimate(metric, f"tag:{tag}") for _, run, tag, _ in kinds)
    ]
    if form == "csv":
        lines = [
            (name, kind.lower(), metric, *_numbers(found, _ESTIMATE))
            for name, run, tag, kind in kinds
            for metric in columns
            if (found := run.estimate(metric, f"tag:{tag}"))
        ]
        return _csv(("run", "prompts", "metric", *_ESTIMATE), lines)
    labels = [label_of(one).label for one in columns]
    head = ["Run", "Prompts", labels[0], "Prompts like these", *labels[1:], "Judged", "Cells"]
    body = []
    for name, run, tag, kind in kinds:
        row = [run.estimate(metric, f"tag:{tag}") for metric in columns]
        score = row[0]
        assert score is not None
        judged = f"{score.scored} of {score.images}"
        cells = [*map(_cell, row)]
        cells.insert(1, _bracketed(score.population_low, score.population_high) or "n/a")
        body.append([name, kind, *cells, judged, str(score.cells)])
    return (_markdown if form == "markdown" else _latex)(head, body, 2)


def write_paper_table(runs: Sequence[tuple[str, RunTables]], path: Path) -> None:
    """Write the table of a paper in the form that the ending of the file asks for.

    Raises
    ------
    bench.errors.UsageError
        The ending names no form.
    bench.errors.StoreError
        The file cannot be written.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise UsageError(f"--table {path}: expected a file that ends in {', '.join(FORMS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(paper_table(runs, form), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def _cell(one: Estimate | None) -> str:
    if one is None or one.value != one.value:
        return "n/a"
    sign = "+" if label_of(one.metric).signed else ""
    text = f"{100 * one.value:{sign}.1f}"
    return " ".join(part for part in (text, _bracketed(one.low, one.high, sign)) if part)


def _bracketed(low: float | None, high: float | None, sign: str = "") -> str:
    if low is None or high is None:
        return ""
    return f"[{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def _span(low: float, high: float) -> str:
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def _numbers(record: object, fields: Iterable[str]) -> list[object]:
    return [_plain(getattr(record, field)) for field in fields]


def _plain(value: float | None) -> object:
    """Return a number, which no guard against formulas may touch; nothing where it is not known."""
    if value is None or value != value:
        return ""
    return round(value, 6)


def _markdown(head: Row, body: Sequence[Row], names: int) -> str:
    lines = [
        "| " + " | ".join(_marked(cell) for cell in head) + " |",
        "|" + ":--|" * names + "--:|" * (len(head) - names),
        *("| " + " | ".join([*map(_marked, row[:names]), *row[names:]]) + " |" for row in body),
    ]
    return "\n".join(lines) + "\n"


def _latex(head: Row, body: Sequence[Row], names: int) -> str:
    """Write a tabular with the rules of booktabs; the first columns are names."""
    lines = [
        "\\begin{tabular}{" + "l" * names + "r" * (len(head) - names) + "}",
        "\\toprule",
        " & ".join(map(_tex, head)) + " \\\\",
        "\\midrule",
        *(
            " & ".join([*map(_tex, row[:names]), *map(_inked, row[names:])]) + " \\\\"
            for row in body
        ),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _inked(cell: str) -> str:
    """Set what is a number, or a number and its interval, in mathematics."""
    if not cell or cell[0] not in "+-[0123456789" or " of " in cell or "e" in cell:
        return cell
    value, bracket, span = cell.partition(" [")
    return f"${value}$" + (f" $[{span}$" if bracket else "")


def _csv(head: Row, lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([guarded(cell) for cell in line] for line in lines)
    return out.getvalue()


def _marked(text: str) -> str:
    """Escape what Markdown would read as a mark; one line."""
    return "".join("\\" + c if c in "\\|`*_<>[]" else c for c in " ".join(text.split()))


_TEX = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "−": "$-$",
} | {c: "\\" + c for c in "&%$#_{}"}


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in text)
