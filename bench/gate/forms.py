"""The forms of a decision: terminal, JSON, Markdown, JUnit, annotations of GitHub."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from bench.gate.decide import Decision
from bench.records import Comparison
from bench.store import files

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Slices shown beside the primary score in the terminal: those that changed most.
SHOWN = 12


def to_dict(decision: Decision) -> dict[str, Any]:
    """Return the decision as plain values; NaN as None."""
    return {
        "verdict": decision.verdict,
        "sentence": decision.sentence,
        "code": decision.code,
        "warnings": list(decision.warnings),
        "comparisons": [_plain(asdict(one)) for one in decision.comparisons],
        "worst": [asdict(one) for one in decision.changes],
    }


def to_json(decision: Decision) -> str:
    """Return the decision as JSON."""
    return json.dumps(to_dict(decision), indent=1)


def failed(error: BenchError) -> dict[str, Any]:
    """Return what stands in the JSON where nothing could be compared."""
    return {
        "verdict": "not comparable",
        "sentence": f"not comparable: {error}",
        "code": error.exit_code,
    }


def render(decision: Decision) -> RenderableType:
    """Return the decision for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "before", "after", "change", "95% interval", "p", "verdict"):
        table.add_column(name, justify="left" if name in ("", "verdict") else "right")
    for one in _shown(decision):
        table.add_row(*(Text(cell) for cell in _row(one)))
    style = {"pass": "green", "regression": "bold red"}.get(decision.verdict, "yellow")
    lines = [Text(f"warning: {line}", style="yellow") for line in decision.warnings]
    worst = [
        Text(f"  {one.cell}: {one.before} to {one.after} of {one.images} bound, now {one.became}")
        for one in decision.changes
    ]
    if worst:
        worst.insert(0, Text("cells that lost most", style="bold"))
    blank = Text("")
    return Group(Text(decision.sentence, style=style), *lines, blank, table, blank, *worst)


def to_markdown(decision: Decision, title: str) -> str:
    """Return the decision as Markdown."""
    sign = {"pass": "✅", "regression": "❌"}.get(decision.verdict, "⚠️")
    lines = [f"## {sign} {_escaped(title)}", "", _escaped(decision.sentence), ""]
    lines += [f"> {_escaped(line)}" for line in decision.warnings]
    lines += [
        "",
        "| | before | after | change | 95% interval | p | verdict |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        "| " + " | ".join(_escaped(cell) for cell in _row(one)) + " |" for one in _shown(decision)
    ]
    if decision.changes:
        lines += ["", "| cell | bound before | after | of | became |", "|---|---:|---:|---:|---|"]
        lines += [
            f"| {_escaped(one.cell)} | {one.before} | {one.after} | {one.images} "
            f"| {_escaped(one.became)} |"
            for one in decision.changes
        ]
    return "\n".join(lines) + "\n"


def append(path: Path, text: str) -> None:
    """Add text to a file, as ``$GITHUB_STEP_SUMMARY`` wants it."""
    files.make_folder(path.parent)
    with files.clear_errors("write", path), path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_junit(path: Path, decision: Decision) -> None:
    """Write the decision as JUnit XML: the primary score is a test, and every slice."""
    from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

    suite = TestSuite("bench check")
    for number, one in enumerate(decision.comparisons):
        case = TestCase(f"{one.metric} {one.group}", "bench.check")
        fails = decision.code != 0 if number == 0 else False
        if fails:
            case.result = [Failure(decision.sentence, decision.verdict)]
        elif one.verdict != "pass":
            # Only the primary score decides: a slice is told and does not fail the suite.
            case.result = [Skipped(one.sentence)]
        suite.add_testcase(case)
    xml = JUnitXml("bench")
    xml.add_testsuite(suite)
    xml.update_statistics()
    files.write_whole(path, lambda file: file.write(xml.tostring()))


def workflow_commands(decision: Decision) -> Iterable[str]:
    """Yield workflow commands that GitHub shows beside the change."""
    level = "error" if decision.code else "warning" if decision.verdict != "pass" else "notice"
    yield f"::{level} title=bench check::{_command(decision.sentence)}"
    for one in decision.fallen:
        yield f"::warning title=bench check::{_command(one.sentence)}"


def _shown(decision: Decision) -> list[Comparison]:
    primary, *others = decision.comparisons
    whole = [one for one in others if one.group == "all"]
    slices = [one for one in others if one.group != "all"]
    slices.sort(key=lambda one: (one.verdict != "regression", one.difference))
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
        one.verdict,
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in values.items()
    }


def _escaped(text: str) -> str:
    for mark in ("\\", "|", "<", ">", "*", "_", "`", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _command(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
