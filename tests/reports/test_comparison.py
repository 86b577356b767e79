"""A later run against the first: the comparisons of the gate, and what changed."""

from __future__ import annotations

import pytest

from bench.records import Comparison
from bench.statistics.compare import compare, pair
from reports.comparison import (
    _reading,
    changed_cells,
    compared,
    moved,
    nice_reach,
    reach,
    shifts,
    whole,
)
from reports.payload import all_items
from tests.reports.helpers import changed, with_verdict


def test_comparisons_are_those_of_the_gate(first, second):
    gate = compare(pair(first.verdicts, second.verdicts))
    page = compared(first, second)
    assert [one.comparison for one in page] == gate
    assert page[0].label == "Binding score"
    assert {one.kind for one in page} >= {"", "colour", "subject"}
    alone = compared(first, second, slices=False)
    assert [one.comparison.metric for one in alone] == ["binding_score"]
    elsewhere = second.verdicts.assign(cell_id="another")
    assert compared(first, changed(second, verdicts=elsewhere)) == []


def comparison(
    difference: float, p: float, cells: int, metric: str = "binding_score"
) -> Comparison:
    return Comparison(
        metric, "all", 0.5, 0.5 + difference, difference, None, None, p, 0.1, cells, "", ""
    )


@pytest.mark.parametrize(
    ("difference", "p", "cells", "metric", "family", "words"),
    [
        (-0.2, 0.01, 40, "binding_score", 1, "worse"),
        (0.2, 0.01, 40, "binding_score", 1, "better"),
        (0.2, 0.01, 40, "leakage_rate", 1, "worse"),
        (0.0, 0.01, 40, "binding_score", 1, "no clear difference"),
        (-0.2, 0.2, 40, "binding_score", 1, "no clear difference"),
        # Five cells of one group all change one way once in sixteen; ten of 43 groups likewise.
        (-1.0, 0.0625, 5, "binding_score", 1, "too few cells: 5, 6 needed"),
        (-1.0, 0.09, 10, "binding_score", 43, "too few cells: 10, 11 needed"),
    ],
)
def test_readings(difference, p, cells, metric, family, words):
    assert _reading(comparison(difference, p, cells, metric), family) == words


def test_moved_names_the_group_that_was_made_worse_and_no_other(first):
    assert moved(compared(first, first)) == []
    bound = changed(first, verdicts=first.verdicts.assign(verdict="bound"))
    blue = bound.verdicts["colour"] == "blue"
    one = moved(compared(bound, with_verdict(bound, blue, "prior")))
    assert one[0].key == "blue"
    assert one[0].comparison.difference == -1
    assert not any(other.clear for other in one[1:])


def test_axis_holds_every_interval_and_is_no_wider_than_it_must(first, second):
    found = whole(compared(first, second))
    ends = [abs(e) for one in found for e in (one.comparison.low, one.comparison.high)]
    assert reach(found) >= max(ends)
    assert nice_reach(0.0) == 0.05
    assert nice_reach(0.11) == 0.2
    assert nice_reach(0.93) == 1.0


def test_changed_cells_count_judgements_and_name_what_became(first):
    items = all_items([first, first])
    items["verdict_0"] = "bound"
    items["verdict_1"] = "bound"
    cells = list(dict.fromkeys(items["cell_id"]))
    worst, mild, better = cells[0], cells[1], cells[2]
    items.loc[items["cell_id"] == worst, "verdict_1"] = "prior"
    items.loc[items.index[items["cell_id"] == mild][0], "verdict_1"] = "mixed"
    items.loc[items["cell_id"] == better, "verdict_0"] = "absent"
    lost, gained = changed_cells(items, {worst: "a prompt"}, 0, 1)
    judged = int((items["cell_id"] == worst).sum())
    assert [one.cell_id for one in lost] == [worst, mild]
    assert (lost[0].before, lost[0].after, lost[0].judged) == (judged, 0, judged)
    assert lost[0].became == f"{judged} kept its own colour"
    assert lost[0].text == "a prompt"
    assert all(key[0] == worst for key in lost[0].keys)
    assert [one.cell_id for one in gained] == [better]
    assert gained[0].became.endswith("subject missing")
    counts = {(one.before, one.after): one.count for one in shifts(items, 0, 1)}
    assert counts[("bound", "prior")] == judged
    assert counts[("bound", "mixed")] == 1
    assert ("bound", "bound") not in counts


def test_an_invalid_picture_is_neither_loss_nor_gain(first):
    items = all_items([first, first])
    items["verdict_0"] = "bound"
    items["verdict_1"] = "invalid"
    assert changed_cells(items, {}, 0, 1) == ([], [])
    assert shifts(items, 0, 1) == []
