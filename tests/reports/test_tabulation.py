"""Counts and shares for the charts."""

from __future__ import annotations

import pytest

from reports.labels import DESTINATIONS, JUDGED, RATES
from reports.tabulation import (
    destinations,
    excesses,
    observed,
    prior_strengths,
    share_by_pair,
    verdict_counts,
)
from tests.reports.helpers import changed


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
    shares = first.shares[first.shares["metric"] == "background_blue"]
    own = blue.merge(shares, on=["sample_id", "binding"], suffixes=("", "_share"))
    assert shown["background"].images == len(own) == len(blue)
    assert shown["background"].prompt == pytest.approx(own["value_share"].mean())
    assert excesses(changed(first, shares=first.shares.iloc[:0])) == []


def test_strength_of_the_prior_is_what_the_controls_show(first):
    found = prior_strengths(first)
    assert set(found) == set(first.verdicts["subject"])
    assert found["potato"] == pytest.approx(0.94)
    assert prior_strengths(changed(first, shares=first.shares.iloc[:0])) == {}
