"""The pure parts: counts, sentences, certificate, tables."""

from __future__ import annotations

import csv
import io
import math

import pandas as pd
import pytest

from bench.records import VERDICTS
from reports import tables
from reports.cautions import cautions, comparison_cautions
from reports.certificate import read_certificate
from reports.differences import differences
from reports.headline import Headline, headlines, in_ten
from reports.payload import all_items, build_payload, cell_table
from reports.reading import Run
from reports.tabulation import counts_by_pair, excesses, observed, places, verdict_counts
from reports.wording import PLACES, RATES, VERDICT_WORDS


def test_every_verdict_has_words_one_place_and_an_icon(page_file):
    assert tuple(VERDICT_WORDS) == VERDICTS
    placed = [verdict for place in PLACES for verdict in place.verdicts]
    assert sorted(placed) == sorted(set(VERDICTS) - {"invalid"})
    source = page_file.read_text(encoding="utf-8")
    assert all(f'<symbol id="v-{name}"' in source for name in VERDICTS)


def test_rates_have_the_values_of_the_estimates(first):
    estimates = {one.metric: one.value for one in first.estimates if one.group == "all"}
    items = all_items([first, first])
    found = {one.name: one for one in differences(items, 0, 1)}
    shared = [rate.name for rate in RATES if rate.name in estimates]
    assert len(shared) >= 6
    for name in shared:
        assert found[name].before == pytest.approx(estimates[name])
        assert found[name].difference == 0
        assert (found[name].low, found[name].high) == (0, 0)


def test_difference_is_found_with_the_sign_of_the_change(first):
    items = all_items([first, first])
    items["verdict_1"] = "bound"
    found = {one.name: one for one in differences(items, 0, 1)}
    score = found["binding_score"]
    assert score.after == 1
    assert score.difference > 0
    assert score.reading == "better"
    assert found["leakage_rate"].difference < 0
    assert found["leakage_rate"].reading == "better"
    one_cell = items[items["cell_id"] == items["cell_id"].iloc[0]]
    alone = differences(one_cell, 0, 1)[0]
    assert alone.low is None
    assert alone.reading == "too few cells"


def test_places_and_observed_sum_to_all(first):
    counts = verdict_counts(first)
    rows = places(first)
    assert sum(row.images for row in rows) == sum(counts.values()) - counts["invalid"]
    for place, total in zip(PLACES, zip(*(row.counts for row in rows), strict=True), strict=True):
        assert sum(total) == sum(counts[name] for name in place.verdicts)
    columns, matrix = observed(first)
    assert matrix[-1].colour is None
    for row in matrix[:-1]:
        assert sum(row.shares) == pytest.approx(1)
        assert len(row.shares) == len(columns)
    pairs = counts_by_pair(first)
    assert int(pairs[list(VERDICTS)].to_numpy().sum()) == len(first.verdicts)


def test_excess_joins_the_control_of_the_same_index(first):
    rows = {row.place: row for row in excesses(first)}
    assert set(rows) == {"subject", "neighbour", "background"}
    for row in rows.values():
        assert 0 <= row.control <= 1
        assert row.images > 0
    assert rows["subject"].prompt > rows["subject"].control


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "no pictures"),
        (1, "all pictures"),
        (0.5, "about half the pictures"),
        (0.98, "nearly all pictures"),
        (0.72, "7 in 10 pictures"),
        (0.1, "1 in 10 pictures"),
        (0.02, "1 in 50 pictures"),
        (0.0946, "1 in 11 pictures"),
    ],
)
def test_shares_in_words(share, words):
    assert in_ten(share) == words


def test_headline_sentences_follow_the_interval(first):
    found = headlines(first)
    assert found["score"].sentence.endswith("and only there.")
    assert found["score"].scored <= found["score"].images
    gap = found["gap_seen"]
    clear = gap.low is not None and not gap.low <= 0 <= gap.high
    assert ("No clear difference" in gap.sentence) == (not clear)


def changed(run: Run, **parts) -> Run:
    values = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    return Run(**(values | parts))


def test_cautions_come_grave_first(first):
    verdicts = first.verdicts.copy()
    verdicts.loc[verdicts.index[: len(verdicts) // 2], "verdict"] = "invalid"
    record = first.record | {"control": {"passed": False, "accuracy": 0.4}, "images": 10_000}
    found = cautions(changed(first, verdicts=verdicts, record=record))
    texts = " ".join(caution.text for caution in found)
    assert "failed its control" in texts
    assert "not complete" in texts
    assert "invalid" in texts
    graves = [caution.grave for caution in found]
    assert graves == sorted(graves, reverse=True)
    few = changed(first, verdicts=verdicts[verdicts["cell_id"] == verdicts["cell_id"].iloc[0]])
    assert any("Only 1 cell:" in caution.text for caution in cautions(few))
    empty = changed(first, verdicts=verdicts.iloc[:0])
    assert any("No image" in caution.text for caution in cautions(empty))


def test_a_clean_run_has_no_caution(first):
    assert cautions(first) == []


def test_unlike_runs_are_told(first, second):
    assert comparison_cautions([first, second], ["a", "b"]) == []
    other = first.record | {"segmenter": {"name": "saliency"}, "grid": {"hash": "x"}}
    words = [one.text for one in comparison_cautions([first, changed(first, record=other)], "ab")]
    assert any("prompts" in text for text in words)
    assert any("segmenters" in text for text in words)
    device = {**first.record["segmenter"], "options": {"device": "cuda"}}
    same = changed(first, record=first.record | {"segmenter": device})
    assert comparison_cautions([first, same], "ab") == []


@pytest.mark.parametrize(
    "control", [None, {}, [], {"passed": "yes"}, {"accuracy": True}, {"confusion": 3}]
)
def test_a_certificate_may_lack_anything(control):
    found = read_certificate({"control": control})
    assert found.value is None
    assert found.passed is None
    assert found.sentence


def test_certificate_names_the_weakest(first):
    found = read_certificate(first.record)
    assert found.value == 0.96
    assert "mixed, 80%" in found.sentence
    assert dict(found.notes)["weakest colour"] == "pink, 90% right"
    assert dict(found.confusion)["mixed"][VERDICTS.index("bound")] == 10


NUMBERS = {
    "score": Headline("score", "Score & 100%", 0.5, 0.4, 0.6, 9, 9, 3, ""),
    "gap": Headline("gap", "Gap", -0.1, None, None, 9, 9, 1, "", signed=True),
    "none": Headline("none", "None", math.nan, None, None, 9, 0, 0, ""),
}


def test_tables_hold_the_numbers_and_escape_the_name():
    rows = [("a|b_1 <x>", NUMBERS)]
    assert "| a\\|b\\_1 \\<x\\> | 50.0 [40.0, 60.0] | -10.0 | n/a | 9 |" in tables.markdown(rows)
    text = tables.latex(rows)
    assert "a|b\\_1 <x>" in text
    assert "Score \\& 100\\%" in text
    assert "$50.0$ [$40.0, 60.0$]" in text
    assert "$-10.0$" in text
    read = list(csv.DictReader(io.StringIO(tables.comma_separated([("=1+1", NUMBERS)]))))
    assert read[0]["run"] == "'=1+1"
    assert float(read[0]["value"]) == 0.5
    assert read[2]["value"] == ""


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
