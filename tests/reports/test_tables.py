"""Tables to paste and to save."""

from __future__ import annotations

import csv
import io
import math

import pytest

from bench.errors import UsageError
from bench.records import Estimate
from reports import tables
from reports.comparison import (
    compared,
    whole,
)
from reports.headline import Headline, headlines
from tests.reports.helpers import changed


def estimated(metric: str, value: float, low=None, high=None, group: str = "all") -> Estimate:
    return Estimate(metric, group, value, low, high, 9, 9, 3)


NUMBERS = {
    "binding_score": Headline(estimated("binding_score", 0.5, 0.4, 0.6), "Score & 100%", ""),
    "gap_seen_novel": Headline(estimated("gap_seen_novel", -0.1), "Gap", "", signed=True),
    "leakage_rate": Headline(estimated("leakage_rate", math.nan), "None", ""),
}


def test_tables_hold_the_numbers_and_escape_the_name():
    texts = tables.headline_tables([("a|b_1 <x>", NUMBERS)])
    row = "| a\\|b\\_1 \\<x\\> | 50.0 [40.0, 60.0] | -10.0 | n/a | 9 |"
    assert row in texts["markdown"]
    assert "a|b\\_1 <x>" in texts["latex"]
    assert "Score \\& 100\\%" in texts["latex"]
    assert "$50.0$ $[40.0, 60.0]$" in texts["latex"]
    assert "$-10.0$" in texts["latex"]
    made = tables.headline_tables([("=1+1", NUMBERS)])["csv"]
    read = list(csv.DictReader(io.StringIO(made)))
    assert read[0]["run"] == "'=1+1"
    assert float(read[0]["value"]) == 0.5
    assert float(read[1]["value"]) == -0.1
    assert read[2]["value"] == ""


def test_tables_of_differences(first, second):
    found = whole(compared(first, second))
    texts = tables.difference_tables([("b|2", found)], "a_1")
    lines = texts["markdown"].splitlines()
    assert len(lines) == 2 + len(found)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert texts["latex"].count("\\\\") == 1 + len(found)
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [row["metric"] for row in rows] == [one.comparison.metric for one in found]
    for row, one in zip(rows, found, strict=True):
        assert row["against"] == "a_1"
        assert float(row["difference"]) == pytest.approx(one.comparison.difference, abs=1e-6)
        assert float(row["low"]) == pytest.approx(one.comparison.low, abs=1e-6)


def test_table_of_a_paper_keeps_kinds_apart_in_every_form(first, second, tmp_path):
    runs = [("a_1", first), ("b", second)]
    markdown = tables.paper_table(runs, "markdown").splitlines()
    assert len(markdown) == 2 + 2 * 2
    assert [line.split(" | ")[1] for line in markdown[2:]] == ["Singles", "Pairs"] * 2
    single = first.estimate("binding_score", "tag:single")
    shown = f"{100 * single.value:.1f} [{100 * single.low:.1f}, {100 * single.high:.1f}]"
    assert shown in markdown[2]
    low, high = single.population_low, single.population_high
    beside = f"[{100 * low:.1f}, {100 * high:.1f}]"
    assert f"{shown} | {beside} |" in markdown[2]
    assert f"| {single.scored} of {single.images} | {single.cells} |" in markdown[2]
    latex = tables.paper_table(runs, "latex")
    assert "a\\_1 & Singles & $" in latex
    assert latex.count("\\\\") == 5
    rows = list(csv.DictReader(io.StringIO(tables.paper_table(runs, "csv"))))
    assert {row["prompts"] for row in rows} == {"singles", "pairs"}
    assert float(rows[0]["value"]) == pytest.approx(single.value, abs=1e-6)
    for name in ("t.csv", "t.md", "t.tex"):
        tables.write_paper_table(runs, tmp_path / "paper" / name)
    assert (tmp_path / "paper" / "t.tex").read_text() == latex
    with pytest.raises(UsageError, match=r"\.csv, \.md, \.tex"):
        tables.write_paper_table(runs, tmp_path / "t.txt")


def test_any_and_all_of_k_stand_beside_the_mean(first):
    names = ("all_of_10", "all_of_2", "any_of_2", "any_of_10")
    groups = ("all", "tag:single")
    extra = [estimated(name, 0.5, 0.4, 0.6, group) for name in names for group in groups]
    kept = [one for one in first.estimates if "_of_" not in one.metric]
    run = changed(first, estimates=(*kept, *extra))
    head = tables.paper_table([("a", run)], "markdown").splitlines()[0]
    words = ("Bound in any of 2", "Bound in all of 2", "Bound in any of 10", "Bound in all of 10")
    columns = ("Binding score", "Prompts like these", *words, "Binding, given drawn")
    assert "| " + " | ".join(columns) + " |" in head
    assert list(headlines(run))[:3] == ["binding_score", "any_of_2", "all_of_2"]
