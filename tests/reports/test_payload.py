"""What the script of the page reads."""

from __future__ import annotations

import pandas as pd

from bench.records import VERDICTS
from reports.payload import all_items, build_payload, cell_table, visible
from reports.views import letter_of
from tests.reports.helpers import changed


def test_what_turns_a_text_around_is_written_out():
    assert visible("a \u202eeulb potato") == "a [U+202E]eulb potato"
    assert visible("\u05ea\u05e4") == "\u05ea\u05e4"


def test_letters_go_on_after_z():
    assert [letter_of(n) for n in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_payload_lines_up_runs_by_cell_index_and_binding(first, second):
    thinned = changed(second, verdicts=second.verdicts.iloc[5:].reset_index(drop=True))
    items = all_items([first, thinned])
    cells = cell_table([first, thinned])
    payload = build_payload([first, thinned], ["a", "b"], items, cells)
    assert len(items) == len(first.verdicts)
    assert payload["runs"][1]["verdict"][:5] == [None] * 5
    for run, table in zip(payload["runs"], (first.verdicts, thinned.verdicts), strict=True):
        place = {
            sample: row
            for row, sample in enumerate(table["sample_id"] + table["binding"].astype(str))
        }
        for item, sample in enumerate(run["id"]):
            if sample is None:
                continue
            row = table.iloc[place[sample + str(payload["items"]["binding"][item])]]
            assert VERDICTS[run["verdict"][item]] == row["verdict"]
            assert payload["cells"]["id"][payload["items"]["cell"][item]] == row["cell_id"]
    assert not items["changed"].iloc[:5].any()
    assert isinstance(items["changed"].dtype, type(pd.Series([True]).dtype))
