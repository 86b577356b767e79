"""The pure parts: counts, sentences, certificate, tables."""

from __future__ import annotations

import csv
import io
import math

import pandas as pd
import pytest

from bench.errors import UsageError
from bench.records import LEAKS, VERDICTS, Comparison, Estimate
from bench.statistics.compare import compare, pair
from bench.statistics.labels import HEADLINES, METRIC_LABELS
from bench.statistics.metrics import SHARES
from bench.store.run import Run
from reports import tables
from reports.about import command, facts, without_folders
from reports.certificate import load_certificate, read_certificate
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
from reports.headline import Headline, by_kind, headlines, highlights, in_ten, judged_of
from reports.labels import DESTINATIONS, JUDGED, LEAK_PARTS, RATES, verdict_order, verdict_words
from reports.payload import all_items, build_payload, cell_table, visible
from reports.reading import RunTables
from reports.tabulation import (
    destinations,
    excesses,
    observed,
    prior_strengths,
    share_by_pair,
    unjudged_reasons,
    verdict_counts,
)
from reports.views import letter_of
from reports.warnings import cautions, comparison_cautions


def changed(run: RunTables, **parts) -> RunTables:
    values = {name: getattr(run, name) for name in RunTables.__dataclass_fields__}
    return RunTables(**(values | parts))


def with_verdict(run: RunTables, rows, verdict: str) -> RunTables:
    verdicts = run.verdicts.copy()
    verdicts.loc[rows, "verdict"] = verdict
    return changed(run, verdicts=verdicts)


def test_every_verdict_has_words_one_place_and_an_icon(page_file):
    placed = [verdict for place in DESTINATIONS for verdict in place.verdicts]
    assert sorted(placed) == sorted(JUDGED)
    source = page_file.read_text(encoding="utf-8")
    for name in VERDICTS:
        assert verdict_words(name).meaning != name
        assert f'<symbol id="v-{name}"' in source
    # What is no leak is not painted as one.
    assert next(one.name for one in DESTINATIONS if "mixed" in one.verdicts) == "part"
    assert [verdict for _, verdict in LEAK_PARTS] == list(LEAKS)


def test_every_estimate_of_a_run_has_a_label(first):
    named = {one.metric for one in first.estimates if one.group == "all"}
    named -= {"presence", "bind", "prior", "leak_background", "leak_neighbour", "swap"}
    named = {name for name in named if not name.startswith("clip_")}
    assert named <= set(METRIC_LABELS)
    assert set(HEADLINES) <= set(METRIC_LABELS)


def test_a_verdict_that_nobody_knew_is_counted_and_named(first):
    run = with_verdict(first, first.verdicts.index[:3], "puzzling_case")
    assert verdict_order(["puzzling_case"]) == (*VERDICTS, "puzzling_case")
    assert verdict_words("puzzling_case").label == "Puzzling case"
    assert verdict_counts(run)["puzzling_case"] == 3
    assert judged_of(run) == (judged_of(first)[0] - 3, len(first.verdicts))
    payload = build_payload([run], ["a"], all_items([run]), cell_table([run]))
    number = [one["name"] for one in payload["verdicts"]].index("puzzling_case")
    assert payload["runs"][0]["verdict"][:3] == [number] * 3
    assert all(number not in rate["among"] for rate in payload["rates"])


def test_what_was_not_judged_is_told_first_with_its_reasons(first):
    few = with_verdict(first, first.verdicts.index[:1], "unjudged")
    assert not any("were judged" in one.text for one in told(few))
    many = with_verdict(first, first.verdicts.index[: len(first.verdicts) // 4], "unjudged")
    many.verdicts.loc[many.verdicts["verdict"] == "unjudged", "rule"] = "ambiguous"
    assert "were judged" in told(many)[0].text
    judged, total = judged_of(many)
    assert f"{judged:,} of {total:,}" in told(many)[0].text
    reason = "two things look alike, and nothing tells which of them is the subject"
    assert unjudged_reasons(many) == [(reason, total - judged)]
    many.verdicts.loc[many.verdicts["verdict"] == "unjudged", "rule"] = "some_rule"
    assert unjudged_reasons(many) == [("unjudged: some rule", total - judged)]


def test_rates_are_those_of_the_estimates(first):
    estimates = {one.metric: one.value for one in first.estimates if one.group == "all"}
    assert {share.name for share in RATES} < {share.name for share in SHARES}
    for share in RATES:
        by_cell = first.verdicts[first.verdicts["verdict"].isin(share.among)]
        hits = by_cell["verdict"].isin(share.hits).groupby(by_cell["cell_id"]).mean()
        assert hits.mean() == pytest.approx(estimates[share.name])


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


def test_highlights_have_the_lowest_groups_and_the_commonest_failure(first):
    found = highlights(first)
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
    assert highlights(bound).failure == "Not one failed."
    assert highlights(changed(first, verdicts=first.verdicts.iloc[:0])).failure == ""


def test_kinds_of_prompt_stand_apart(first):
    found = {tag: one.estimate for tag, _, one in by_kind(first)}
    assert set(found) == {"single", "pair"}
    assert found["pair"] == first.estimate("binding_score", "tag:pair")


def test_destinations_and_observed_sum_to_all(first):
    counts = verdict_counts(first)
    rows = destinations(first)
    assert sum(row.images for row in rows) == sum(counts[name] for name in JUDGED)
    totals = zip(*(row.counts for row in rows), strict=True)
    for place, total in zip(DESTINATIONS, totals, strict=True):
        assert sum(total) == sum(counts[name] for name in place.verdicts)
    columns, matrix = observed(first)
    assert matrix[-1].colour is None
    for row in matrix[:-1]:
        assert sum(row.shares) == pytest.approx(1)
        assert len(row.shares) == len(columns)
    pairs = share_by_pair(first, RATES[0])
    assert pairs["among"].sum() == len(first.verdicts)
    assert pairs["hits"].sum() == counts["bound"]


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
    assert found["binding_score"].sentence.endswith("and only there.")
    score = found["binding_score"].estimate
    assert score.scored <= score.images
    gap = found["gap_seen_novel"]
    assert gap.reach >= max(abs(gap.estimate.low), abs(gap.estimate.high))
    low, high = gap.estimate.low, gap.estimate.high
    clear = low is not None and not low <= 0 <= high
    assert ("No clear difference" in gap.sentence) == (not clear)


def told(run: RunTables):
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
    manifest = first.stored.manifest

    def remade(**parts) -> RunTables:
        return changed(first, stored=Run(first.stored.folder, manifest.model_copy(update=parts)))

    saliency = manifest.segmenter.model_copy(update={"name": "saliency"})
    grid = manifest.grid.model_copy(update={"hash": "x"})
    other = remade(segmenter=saliency, grid=grid)
    words = [one.text for one in comparison_cautions([first, other], "ab")]
    assert any("prompts" in text for text in words)
    assert any("segmenters" in text for text in words)
    device = manifest.segmenter.model_copy(update={"options": {"device": "cuda"}})
    assert comparison_cautions([first, remade(segmenter=device)], "ab") == []


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
    run = changed(first, estimates=(*first.estimates, *extra))
    head = tables.paper_table([("a", run)], "markdown").splitlines()[0]
    words = ("Bound in any of 2", "Bound in all of 2", "Bound in any of 10", "Bound in all of 10")
    assert "| " + " | ".join(("Binding score", *words, "Binding, given drawn")) + " |" in head
    assert list(headlines(run))[:3] == ["binding_score", "any_of_2", "all_of_2"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/runs/x.csv", "…/x.csv"),
        ("/home/my name/x y", "…/x y"),
        ("C:\\Users\\me\\x", "…/x"),
        ("~/models/tuned/", "…/tuned"),
        ("a 1/2 of it", "a 1/2 of it"),
        ("org/name@main", "org/name@main"),
        ("s3://bucket/runs/a", "s3://bucket/runs/a"),
        ("cannot read '/srv/a/b.png'", "cannot read '…/b.png'"),
    ],
)
def test_absolute_paths_lose_their_folders(text, shown):
    assert without_folders(text) == shown


def test_facts_and_command_have_no_absolute_path(first):
    made = "bench run --model /home/me/tuned --captions='/srv/the data/c.csv' --seeds 2"
    sampler = first.record["sampler"] | {"name": "/home/me/tuned", "options": {"p": ["/a/b"]}}
    run = changed(first, record=first.record | {"sampler": sampler, "command": made})
    assert command(run) == "bench run --model '…/tuned' '--captions=…/c.csv' --seeds 2"
    values = [value for _, rows in facts(run) for _, value in rows]
    assert "…/tuned" in values
    assert "…/b" in values
    assert not any(value.startswith("/") for value in values)
    assert facts(run)[0][0] == "Run"


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
