import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.certificate.reliability import agreement, reliability


def test_reliability_of_a_known_table():
    found = reliability([0.1, 0.1, 0.9, 0.9], [False, True, True, True])
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    low, high = found["bins"]
    assert (low["n"], low["said"], low["true"]) == (2, pytest.approx(0.1), 0.5)
    assert (high["n"], high["said"], high["true"]) == (2, pytest.approx(0.9), 1.0)
    assert found["ece"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)


def test_a_sure_and_right_one_is_perfect_and_a_sure_and_wrong_one_is_worst():
    right = reliability([0.0, 1.0], [False, True])
    assert (right["brier"], right["ece"]) == (0, 0)
    wrong = reliability([1.0, 0.0], [False, True])
    assert (wrong["brier"], wrong["ece"]) == (1, 1)


def test_nothing_gives_none():
    assert reliability([], []) == {"brier": None, "ece": None, "bins": []}
    assert agreement([math.nan], [0.5])["mean_absolute_error"] is None


def test_agreement_of_a_known_table():
    found = agreement([0.3, 0.6, math.nan], [0.2, 0.8, 0.5])
    assert found["n"] == 2
    assert found["mean_absolute_error"] == pytest.approx(0.15)
    assert found["bias"] == pytest.approx(-0.05)
    assert [(one["true"], one["said"]) for one in found["bins"]] == [(0.2, 0.3), (0.8, 0.6)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_bins_hold_everything_once(pairs):
    said, true = zip(*pairs, strict=True)
    found = reliability(said, true)
    assert sum(one["n"] for one in found["bins"]) == len(pairs)
    assert all(one["low"] - 1e-12 <= one["said"] <= one["high"] + 1e-12 for one in found["bins"])
    mean = sum(one["n"] * one["true"] for one in found["bins"]) / len(pairs)
    assert mean == pytest.approx(np.mean(true))
    assert 0 <= found["ece"] <= 1
