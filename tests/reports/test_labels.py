"""The words of verdicts, places and metrics."""

from __future__ import annotations

import pytest

from bench.records import LEAKS, VERDICTS
from bench.statistics.labels import HEADLINES, METRIC_LABELS, label_of
from bench.statistics.metrics import SHARES
from reports.headline import judged_of
from reports.labels import DESTINATIONS, JUDGED, LEAK_PARTS, RATES, verdict_order, verdict_words
from reports.payload import all_items, build_payload, cell_table
from reports.tabulation import (
    verdict_counts,
)
from tests.reports.helpers import with_verdict


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
    assert all(label_of(name).meaning for name in named)
    assert any(name.startswith("any_of_") for name in named)
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


def test_rates_are_those_of_the_estimates(first):
    estimates = {one.metric: one.value for one in first.estimates if one.group == "all"}
    assert {share.name for share in RATES} < {share.name for share in SHARES}
    for share in RATES:
        by_cell = first.verdicts[first.verdicts["verdict"].isin(share.among)]
        hits = by_cell["verdict"].isin(share.hits).groupby(by_cell["cell_id"]).mean()
        assert hits.mean() == pytest.approx(estimates[share.name])
