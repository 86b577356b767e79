"""The forms of a decision, or of a refusal to decide: terminal, JSON, Markdown, JUnit, GitHub."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from bench.errors import BenchError
from bench.gate.decide import Change, Decision
from bench.records import Comparison, json_fields
from bench.statistics.outcomes import PASS, REGRESSION
from bench.store import files

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Slices shown beside the primary score: those that lost most.
SHOWN = 12
#: Columns of text that the table needs.
WIDTH = 132


#: What stands for the verdict where nothing could be compared.
REFUSED = "not comparable"

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SIGNS = {PASS: "✅", REGRESSION: "❌"}


def to_dict(decision: Decision) -> dict[str, Any]:
    """Return the decision as plain values; NaN as None."""
    return {
        "verdict": decision.verdict,
        "sentence": decision.sentence,
        "null": decision.null,
        "code": decision.code,
        "margin": decision.margin,
        "alpha": decision.alpha,
        "strict": decision.strict,
        "warnings": list(decision.warnings),
        "comparisons": [json_fields(one) for one in decision.comparisons],
        "worst": [asdict(one) for one in decision.changes],
    }


def refusal(error: BenchError) -> dict[str, Any]:
    """Return what stands in the JSON where nothing could be compared."""
    return {"verdict": REFUSED, "sentence": f"{REFUSED}: {error}", "code": error.exit_code}


def to_json(outcome: Decision | BenchError) -> str:
    """Return the decision, or the refusal, as JSON."""
    found = to_dict(outcome) if isinstance(outcome, Decision) else refusal(outcome)
    return json.dumps(found, indent=1)


def render(decision: Decision) -> RenderableType:
    """Return the decision for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *_columns(decision)):
        words = name in ("", "verdict")
        table.add_column(name, justify="left" if words else "right", no_wrap=True)
    for one in _shown(decision):
        table.add_row(*(Text(cell) for cell in _row(one)))
    style = {PASS: "green", REGRESSION: "bold red"}.get(decision.verdict, "yellow")
    lines = [Text(decision.null, style="dim")]
    lines += [Text(f"warning: {line}", style="yellow") for line in decision.warnings]
    worst = [Text(f"  {one.words}") for one in decision.changes]
    if worst:
        worst.insert(0, Text("cells that lost most", style="bold"))
    blank = Text("")
    return Group(Text(decision.sentence, style=style), *lines, blank, table, blank, *worst)


def to_markdown(outcome: Decision | BenchError, title: str, report: str = "") -> str:
    """Return the decision, or the refusal, as Markdown.

    Parameters
    ----------
    outcome : Decision or BenchError
    title : str
    report : str
        Path of the report, for links from the worst cells to their pictures.
    """
    verdict = outcome.verdict if isinstance(outcome, Decision) else REFUSED
    lines = [f"## {_SIGNS.get(verdict, '⚠️')} {_escaped(title)}", ""]
    if not isinstance(outcome, Decision):
        return "\n".join([*lines, _escaped(refusal(outcome)["sentence"])]) + "\n"
    columns = _columns(outcome)
    lines += [_escaped(outcome.sentence), "", _escaped(outcome.null), ""]
    lines += [f"> {_escaped(line)}" for line in outcome.warnings]
    lines += ["", f"| | {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}---|"]
    lines += [
        "| " + " | ".join(_escaped(cell) for cell in _row(one)) + " |" for one in _shown(outcome)
    ]
    if outcome.changes:
        lines += ["", "Cells that lost most:", ""]
        lines += ["| cell | bound before | now | became |", "|---|---:|---:|---|"]
        lines += [
            f"| {_linked(one, report)} | {one.before} of {one.images_before} "
            f"| {one.after} of {one.images} | {_escaped(one.became)} |"
            for one in outcome.changes
        ]
    return "\n".join(lines) + "\n"


def address_from(summary: Path, report: Path) -> str:
    """Return the address of a report for links in a summary that may lie in another folder."""
    try:
        return Path(os.path.relpath(report, summary.parent)).as_posix()
    except ValueError:
        # Another drive: there is no relative path.
        return report.absolute().as_posix()


def append(path: Path, text: str) -> None:
    """Add text to a file, as ``$GITHUB_STEP_SUMMARY`` wants it."""
    files.make_folder(path.parent)
    with files.clear_errors("write", path), path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_junit(path: Path, outcome: Decision | BenchError) -> None:
    """Write JUnit XML: the primary score is a test, and every slice; a refusal is an error."""
    from junitparser import Error, JUnitXml, TestCase, TestSuite

    suite = TestSuite("bench check")
    if isinstance(outcome, Decision):
        for case in _cases(outcome):
            suite.add_testcase(case)
    else:
        case = TestCase("binding_score all", "bench.check")
        case.result = [Error(refusal(outcome)["sentence"], REFUSED)]
        suite.add_testcase(case)
    xml = JUnitXml("bench")
    xml.add_testsuite(suite)
    xml.update_statistics()
    # XML has no way to write most control characters; a user's subject may hold one.
    text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", xml.tostring().decode("utf-8"))
    files.write_whole(path, lambda file: file.write(text.encode("utf-8")))


def _cases(decision: Decision) -> Iterator[Any]:
    from junitparser import Failure, Skipped, TestCase

    for number, one in enumerate(decision.comparisons):
        case = TestCase(f"{one.metric} {one.group}", "bench.check")
        if number == 0 and decision.code != 0:
            case.result = [Failure(decision.sentence, decision.verdict)]
        elif one.verdict != PASS:
            # Only the primary score decides: a slice is told and does not fail the suite.
            case.result = [Skipped(one.sentence, one.verdict)]
        yield case


def workflow_commands(outcome: Decision | BenchError) -> Iterator[str]:
    """Yield workflow commands that GitHub shows beside the change."""
    if not isinstance(outcome, Decision):
        yield f"::error title=bench check::{_command(refusal(outcome)['sentence'])}"
        return
    level = "error" if outcome.code else "warning" if outcome.verdict != PASS else "notice"
    yield f"::{level} title=bench check::{_command(outcome.sentence)}"
    for one in outcome.fallen:
        yield f"::warning title=bench check::{_command(one.sentence)}"


def _columns(decision: Decision) -> tuple[str, ...]:
    level = f"{100 * (1 - decision.alpha):.4g}% interval"
    return "before", "after", "change", level, "p", "finds", "cells", "verdict"


def _linked(one: Change, report: str) -> str:
    if not report:
        return _escaped(one.cell)
    # Parentheses and spaces would end the address in Markdown.
    return f"[{_escaped(one.cell)}]({quote(report, safe='/:')}#{urlencode({'cell': one.cell})})"


def _shown(decision: Decision) -> list[Comparison]:
    primary, *others = decision.comparisons
    whole = [one for one in others if one.group == "all"]
    slices = [one for one in others if one.group != "all" and one.difference < 0]
    slices.sort(key=lambda one: (one.verdict != REGRESSION, one.difference))
    return [primary, *whole, *slices[:SHOWN]]


def _row(one: Comparison) -> tuple[str, ...]:
    name = one.metric.replace("_", " ") if one.group == "all" else one.group.replace(":", " ")
    interval = (
        ""
        if one.low is None or one.high is None
        else (f"{100 * one.low:+.1f} to {100 * one.high:+.1f}")
    )
    return (
        name,
        f"{one.before:.1%}",
        f"{one.after:.1%}",
        f"{100 * one.difference:+.1f}",
        interval,
        f"{one.p:.2g}",
        "" if one.detectable >= 1 else f"{one.detectable:.1%}",
        f"{one.cells:,}",
        one.label,
    )


def _escaped(text: str) -> str:
    for mark in ("\\", "|", "<", ">", "*", "_", "`", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _command(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
