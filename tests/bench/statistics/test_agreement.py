"""Coefficients against the tables of the papers that they come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.agreement import (
    balanced_accuracy,
    cohen_kappa,
    fleiss_kappa,
    kendall_tau_b,
    krippendorff_alpha,
    masi,
    nominal,
    share_agreed,
)

#: Cohen 1960, table 1 as counts of 200.
COHEN = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])

#: Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses.
FLEISS = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""

#: Krippendorff 2011, section C: four observers, twelve units.
KRIPPENDORFF = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def pairs(table):
    first, second = np.nonzero(np.ones_like(table))
    return np.repeat(first, table.ravel()), np.repeat(second, table.ravel())


def fleiss_ratings():
    counts = np.array([[int(digit) for digit in row] for row in FLEISS.split()])
    assert counts.sum(axis=0).tolist() == [26, 26, 30, 55, 43]
    return np.array([np.repeat(np.arange(5), row) for row in counts])


def krippendorff_ratings():
    lines = KRIPPENDORFF.strip().splitlines()
    return np.array([[-1 if v == "." else int(v) - 1 for v in line.split()] for line in lines]).T


def test_cohen_1960():
    first, second = pairs(COHEN)
    assert share_agreed(first, second, 3).value == pytest.approx(0.70)
    assert cohen_kappa(first, second, 3).value == pytest.approx(0.492, abs=5e-4)


def test_fleiss_1971():
    assert fleiss_kappa(fleiss_ratings(), 5).value == pytest.approx(0.430, abs=5e-4)


def test_krippendorff_2011():
    ratings = krippendorff_ratings()
    values = np.arange(1, 6)
    assert krippendorff_alpha(ratings, nominal(5)).value == pytest.approx(0.743, abs=5e-4)
    interval = np.subtract.outer(values, values).astype(float) ** 2
    assert krippendorff_alpha(ratings, interval).value == pytest.approx(0.849, abs=5e-4)
    ratio = (np.subtract.outer(values, values) / np.add.outer(values, values)) ** 2
    assert krippendorff_alpha(ratings, ratio).value == pytest.approx(0.797, abs=5e-4)


def test_krippendorff_2011_two_observers():
    binary = np.array([[int(v) for v in "0100000010"], [int(v) for v in "1110010000"]]).T
    assert krippendorff_alpha(binary, nominal(2)).value == pytest.approx(0.095, abs=5e-4)
    letters = [["abcde".index(v) for v in row] for row in ("aabbdcccedda", "babbbccceddd")]
    alpha = krippendorff_alpha(np.array(letters).T, nominal(5)).value
    assert alpha == pytest.approx(0.692, abs=5e-4)


def test_masi_of_the_paper():
    a, b, c = "abc"
    sets = [frozenset(s) for s in ({a}, {a, b}, {b, c}, {c}, set())]
    distance = masi(sets)
    assert distance[0, 1] == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert distance[1, 2] == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert distance[0, 3] == distance[0, 4] == 1
    assert np.diag(distance).tolist() == [0] * 5
    assert np.array_equal(distance, distance.T)


def test_balanced_accuracy_is_mean_recall():
    truth = np.array([0] * 90 + [1] * 10)
    said = np.r_[np.zeros(90, int), np.zeros(5, int), np.ones(5, int)]
    assert balanced_accuracy(truth, said, 3).value == pytest.approx(0.75)


def test_tau_b_counts_ties():
    x, y = np.array([1.0, 2, 2, 3, np.nan]), np.array([0.0, 0, 1, 1, 1])
    # 3 concordant pairs of 6, none discordant; one tie in x, two in y.
    assert kendall_tau_b(x, y) == pytest.approx(3 / np.sqrt(5 * 4))
    assert np.isnan(kendall_tau_b(np.ones(4), np.arange(4.0)))


def test_two_raters_without_gaps_fleiss_is_scott():
    first, second = pairs(COHEN)
    shares = (COHEN.sum(axis=0) + COHEN.sum(axis=1)) / 400
    chance = (shares**2).sum()
    found = fleiss_kappa(np.column_stack([first, second]), 3).value
    assert found == pytest.approx((0.70 - chance) / (1 - chance))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(-1, 2), min_size=3, max_size=3), min_size=2, max_size=30),
    st.integers(0, 99),
)
def test_a_unit_taken_twice_weighs_two(rows, seed):
    ratings = np.array(rows)
    weights = np.random.default_rng(seed).integers(0, 3, (1, len(ratings))).astype(float)
    twice = np.repeat(ratings, weights[0].astype(int), axis=0)
    for make in (
        lambda r: fleiss_kappa(r, 3),
        lambda r: krippendorff_alpha(r, nominal(3)),
        lambda r: cohen_kappa(r[:, 0], r[:, 1], 3),
        lambda r: balanced_accuracy(r[:, 0], r[:, 2], 3),
    ):
        found = make(ratings).resampled(weights)[0]
        assert found == pytest.approx(make(twice).value, nan_ok=True)
        assert np.isnan(found) or found <= 1 + 1e-9


def test_chance_is_nought_and_sameness_is_one():
    rng = np.random.default_rng(0)
    chance = rng.integers(0, 3, (4000, 3))
    same = np.repeat(rng.integers(0, 3, (50, 1)), 3, axis=1)
    for make in (
        lambda r: fleiss_kappa(r, 3).value,
        lambda r: krippendorff_alpha(r, nominal(3)).value,
        lambda r: cohen_kappa(r[:, 0], r[:, 1], 3).value,
    ):
        assert make(chance) == pytest.approx(0, abs=0.03)
        assert make(same) == pytest.approx(1)
