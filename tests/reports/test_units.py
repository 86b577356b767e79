"""The pure parts: counts, sentences, certificate, tables."""

from __future__ import annotations

import csv
import io
import math

import pandas as pd
import pytest

from bench.errors import UsageError
from bench.records import VERDICTS
from reports import tables
from reports.certificate import load_certificate, read_certificate
from reports.changes import changed_cells, shifts
from reports.differences import differences, moved
from reports.headline import Headline, headlines, in_ten
from reports.highlights import glance
from reports.labels import PLACES, RATES, VERDICT_WORDS
from reports.payload import all_items, build_payload, cell_table
from reports.reading import Run
from reports.tabulation import (
    counts_by_pair,
    excesses,
    observed,
    places,
    prior_strengths,
    verdict_counts,
)
from reports.warnings import cautions, comparison_cautions


def test_every_verdict_has_words_one_place_and_an_icon(page_file):
    assert tuple(VERDICT_WORDS) == VERDICTS
    placed = [verdict for place in PLACES for verdict in place.verdicts]
    assert sorted(placed) == sorted(set(VERDICTS) - {"unjudged", "invalid"})
    source = page_file.read_text(encoding="utf-8")
    assert all(f'<symbol id="v-{name}"' in source for name in VERDICTS)


def test_rates_have_the_values_of_the_estimates(first, lent):
    estimates = {one.metric: one.value for one in first.estimates if one.group == "all"}
    items = all_items([first, first])
    found = {one.name: one for one in differences(items, 0, 1, lent.interval)}
    shared = [rate.name for rate in RATES if rate.name in estimates]
    assert len(shared) >= 6
    for name in shared:
        assert found[name].before == pytest.approx(estimates[name])
        assert found[name].difference == 0
        # No cell changed, and that is no proof that none would: never an interval without width.
        assert found[name].low < 0 < found[name].high
        assert found[name].reading == "no clear difference"


def test_difference_is_found_with_the_sign_of_the_change(first, lent):
    items = all_items([first, first])
    items["verdict_1"] = "bound"
    found = {one.name: one for one in differences(items, 0, 1, lent.interval)}
    score = found["binding_score"]
    assert score.after == 1
    assert score.difference > 0
    assert score.reading == "better"
    assert found["leakage_rate"].difference < 0
    assert found["leakage_rate"].reading == "better"
    one_cell = items[items["cell_id"] == items["cell_id"].iloc[0]]
    alone = differences(one_cell, 0, 1, lent.interval)[0]
    assert alone.low is None
    assert alone.reading == "no interval"


def test_differences_are_those_of_the_gate(first, second, lent):
    from bench.statistics.compare import compare, pair

    gate = {
        one.metric: one
        for one in compare(pair(first.verdicts, second.verdicts))
        if one.group == "all"
    }
    page = {one.name: one for one in differences(all_items([first, second]), 0, 1, lent.interval)}
    assert len(gate) >= 4
    for name, one in gate.items():
        told = (page[name].before, page[name].after, page[name].low, page[name].high)
        assert told == pytest.approx((one.before, one.after, one.low, one.high))


def made_up(cells: int = 40) -> pd.DataFrame:
    """Cells of four colours and two subjects, bound in both runs."""
    return pd.DataFrame(
        {
            "cell_id": [f"c{number}" for number in range(cells)],
            "colour": [("red", "blue", "gray", "pink")[number % 4] for number in range(cells)],
            "subject": [("frog", "cup")[number // 4 % 2] for number in range(cells)],
            "verdict_0": "bound",
            "verdict_1": "bound",
        }
    )


def test_moved_names_the_group_that_was_made_worse_and_no_other(lent):
    items = made_up()
    assert moved(items, 0, 1, lent.interval) == []
    gray = items["colour"] == "gray"
    items.loc[gray, "verdict_1"] = "prior"
    found = {one.key: one for one in moved(items, 0, 1, lent.interval)}
    assert [key for key, one in found.items() if one.clear] == ["gray"]
    assert (found["gray"].before, found["gray"].after, found["gray"].reading) == (1, 0, "worse")
    assert found["frog"].reading == "no clear difference"


def test_a_few_cells_that_changed_are_not_clear(lent):
    """Five that all went one way do so by chance once in sixteen."""
    for changes, clear in ((5, False), (6, True)):
        items = made_up(200)
        items.loc[items.index[:changes], "verdict_1"] = "prior"
        score = differences(items, 0, 1, lent.interval)[0]
        assert score.high < 0
        assert score.clear is clear


def test_moved_intervals_hold_together(lent):
    """Wider than alone: one level is shared by all groups."""
    items = made_up(160)
    items.loc[items.index[::7], "verdict_1"] = "mixed"
    found = moved(items, 0, 1, lent.interval)
    assert len(found) == 6
    for one in found:
        alone = differences(items[items[one.kind] == one.key], 0, 1, lent.interval)[0]
        assert one.high - one.low > alone.high - alone.low


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
    assert lost[0].became == f"{judged} prior"
    assert lost[0].text == "a prompt"
    assert all(key[0] == worst for key in lost[0].keys)
    assert [one.cell_id for one in gained] == [better]
    assert gained[0].became.endswith("absent")
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


def test_glance_has_the_lowest_groups_and_the_commonest_failure(first):
    found = glance(first)
    values = {e.group: e.value for e in first.estimates if e.metric == "binding_score"}
    colours = sorted(value for group, value in values.items() if group.startswith("colour:"))
    assert [one.value for one in found.colours] == colours[: len(found.colours)]
    for one in found.subjects:
        assert one.value == values[f"subject:{one.name}"]
        assert one.below == (one.high < values["all"])
    failures = first.verdicts.loc[first.verdicts["verdict"] != "bound", "verdict"]
    commonest = failures.value_counts()
    assert f"({commonest.iloc[0]} of {len(failures)} failures)" in found.failure
    bound = changed(first, verdicts=first.verdicts.assign(verdict="bound"))
    assert glance(bound).failure == "Not one failed."
    assert glance(changed(first, verdicts=first.verdicts.iloc[:0])).failure == ""


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
    rows = {row.colour: row for row in excesses(first)}
    assert set(rows) == {None, *first.verdicts["colour"]}
    whole = {one.place: one for one in rows[None].shifts}
    assert set(whole) == {"subject", "neighbour", "background"}
    for one in whole.values():
        assert 0 <= one.control <= 1
        assert one.images > 0
    assert whole["subject"].prompt > whole["subject"].control
    blue = first.verdicts[first.verdicts["colour"] == "blue"]
    shown = {one.place: one for one in rows["blue"].shifts}
    assert shown["background"].images == blue["leak_background"].notna().sum()
    assert shown["background"].prompt == pytest.approx(blue["leak_background"].mean())
    assert excesses(changed(first, shares=first.shares.iloc[:0])) == []


def test_strength_of_the_prior_is_what_the_controls_show(first):
    found = prior_strengths(first)
    assert set(found) == set(first.verdicts["subject"])
    assert found["potato"] == pytest.approx(0.94)
    assert prior_strengths(changed(first, shares=first.shares.iloc[:0])) == {}


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
        (0.004, "fewer than 1 in 100 pictures"),
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


def told(run: Run):
    return cautions(run, read_certificate(run.record))


def test_cautions_come_grave_first(first):
    verdicts = first.verdicts.copy()
    verdicts.loc[verdicts.index[: len(verdicts) // 2], "verdict"] = "invalid"
    control = {"passed": False, "accuracy": 0.4}
    record = first.record | {"control": control, "images": 10_000, "limit": 3}
    found = told(changed(first, verdicts=verdicts, record=record))
    texts = " ".join(caution.text for caution in found)
    assert "failed its control" in texts
    assert "not complete" in texts
    assert "invalid" in texts
    assert "--limit" in texts
    graves = [caution.grave for caution in found]
    assert graves == sorted(graves, reverse=True)
    few = changed(first, verdicts=verdicts[verdicts["cell_id"] == verdicts["cell_id"].iloc[0]])
    assert any("Only 1 cell:" in caution.text for caution in told(few))
    empty = changed(first, verdicts=verdicts.iloc[:0])
    assert any("No image" in caution.text for caution in told(empty))


def test_a_clean_run_has_no_caution(first):
    assert told(first) == []


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
    assert found.main is None
    assert found.passed is None
    assert found.sentence


def test_certificate_names_the_weakest(first):
    found = read_certificate(first.record)
    assert found.main.value == 0.96
    assert "mixed, 80%" in found.sentence
    assert found.main.colours[0] == ("pink", 0.9)
    assert dict(found.main.confusion)["mixed"][VERDICTS.index("bound")] == 10
    assert found.bar == 0.8


def test_a_given_certificate_is_the_headline_and_the_own_check_stays(first):
    row = {"masks": "exact", "accuracy": 0.99, "scenes": 330, "low": 0.97, "high": 1.0}
    own = {**row, "masks": "exact masks by hand", "accuracy": 0.9}
    given = {"segmenter": "exact", "trials": {"plain": {"exact": row, "own": own}}}
    found = read_certificate(first.record, given)
    assert [one.name for one in found.trials] == ["this run's own check", "plain", "plain"]
    assert found.main.value == 0.9
    assert "10.0%" in found.sentence
    assert found.passed is True
    assert found.doubt == ""
    other = read_certificate(first.record, given | {"segmenter": "saliency"})
    assert "saliency" in other.doubt
    assert cautions(first, other)[0].grave


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"trials": {"plain": 3}}', '{"trials": []}'])
def test_what_is_no_certificate_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "certificate.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="bench validate --out") as caught:
        load_certificate(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


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


def test_tables_of_differences(first, second, lent):
    found = differences(all_items([first, second]), 0, 1, lent.interval)
    texts = tables.difference_tables([("b|2", found)], "a_1")
    lines = texts["markdown"].splitlines()
    assert len(lines) == 2 + len(found)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert texts["latex"].count("\\\\") == 1 + len(found)
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [row["metric"] for row in rows] == [one.name for one in found]
    for row, one in zip(rows, found, strict=True):
        assert row["against"] == "a_1"
        assert float(row["difference"]) == pytest.approx(one.difference, abs=1e-6)
        assert float(row["low"]) == pytest.approx(one.low, abs=1e-6)


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
