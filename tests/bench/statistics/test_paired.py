import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.paired import flip_test, retraining_test, smallest_detectable


def rng(seed=0):
    return np.random.default_rng(seed)


def p_of(values, seed=0, **given):
    return flip_test(np.asarray(values, float), rng(seed), **given).p


@pytest.mark.parametrize(("up", "down"), [(0, 5), (3, 9), (6, 6), (10, 2), (0, 1), (40, 70)])
def test_one_image_a_cell_is_mcnemar_exact(up, down):
    differences = np.r_[np.ones(up), -np.ones(down), np.zeros(50)]
    expected = stats.binomtest(down, up + down, 0.5).pvalue
    assert p_of(differences) == pytest.approx(expected)


def test_p_is_that_of_scipys_permutation_test():
    """All flips of few cells, and drawn ones of many."""
    few = np.array([-0.5, -0.25, -1.0, 0.25, 0.75, -0.75])
    many = rng(1).normal(-0.2, 0.4, 60)
    for values, slack in ((few, 1e-9), (many, 0.02)):
        found = stats.permutation_test(
            (values,), np.mean, permutation_type="samples", n_resamples=9999, rng=2
        )
        assert p_of(values) == pytest.approx(found.pvalue, abs=slack)


def test_the_interval_is_the_test_turned_round():
    """An end is where the test of the differences less the end is on the edge of rejection."""
    values = rng(4).normal(-0.1, 0.3, 12)
    found = flip_test(values, rng())
    for end, inwards in ((found.low, 1e-6), (found.high, -1e-6)):
        assert p_of(values - end - inwards) > 0.05
        assert p_of(values - end + inwards) <= 0.05
    student = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(student), abs=0.05)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.05, 0.2]),
    st.integers(0, 99),
)
def test_the_interval_leaves_out_nought_exactly_where_p_is_at_most_alpha(quarters, alpha, seed):
    values = np.array(quarters) / 4
    found = flip_test(values, rng(seed), images=4, alpha=alpha, flips=499)
    assert (found.p <= alpha) == (not found.low <= 0 <= found.high)
    assert -1 <= found.low <= values.mean() + 1e-9
    assert values.mean() - 1e-9 <= found.high <= 1
    turned = flip_test(-values, rng(seed), images=4, alpha=alpha, flips=499)
    assert turned.p == pytest.approx(found.p, abs=1e-9)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_nothing_changed_has_p_of_one_and_an_honest_interval():
    for cells, images in ((30, 1), (30, 4), (4, 3)):
        found = flip_test(np.zeros(cells), rng(), images=images)
        unseen = 1 - 0.025 ** (1 / (cells * images))
        assert found.p == 1.0
        assert (found.low, found.high) == pytest.approx((-unseen, unseen))


def test_one_cell_lost_is_no_surer_than_none():
    none = flip_test(np.zeros(104), rng())
    one = flip_test(np.r_[-1.0, np.zeros(103)], rng())
    assert one.low < none.low
    assert one.p == 1.0


def test_p_is_uniform_where_nothing_changed():
    differences = rng(5).integers(-2, 3, (400, 60)) / 2
    p = np.array([p_of(row, seed, flips=999) for seed, row in enumerate(differences)])
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05, 0.2])
def test_detectable_effect_is_found_four_times_in_five(margin):
    """Whether significance or the margin is the harder to reach."""
    before = rng(6).normal(0, 0.3, (300, 200))
    effect = np.median([smallest_detectable(row, 4, 0.05, margin) for row in before])
    found = [
        p_of(row - effect, seed, flips=499) <= 0.05 and row.mean() - effect <= -margin
        for seed, row in enumerate(before)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.1])
def test_detectable_effect_where_nothing_differed(margin):
    """Images turn one by one from a run that was the same: the sign test needs six of them."""
    effect = smallest_detectable(np.zeros(300), 2, 0.05, margin)
    lost = -(rng(7).random((400, 300, 2)) < effect).mean(axis=2)
    found = [
        p_of(row, seed, flips=499) <= 0.05 and row.mean() <= -margin
        for seed, row in enumerate(lost)
    ]
    assert 0.75 <= np.mean(found) <= 0.92


def test_detectable_effect_shrinks_with_cells_and_never_vanishes():
    few, many = (smallest_detectable(np.zeros(n), 2, 0.05) for n in (50, 500))
    assert few == pytest.approx(10 * many)
    assert smallest_detectable(np.zeros(1), 2, 0.05) == 1.0


def test_retraining_is_the_prediction_interval_of_one_more_score():
    before = np.array([0.93, 0.90, 0.96])
    found = retraining_test(0.80, before)
    pooled = stats.ttest_ind([0.80], before)
    assert found.p == pytest.approx(pooled.pvalue)
    reach = stats.t.ppf(0.975, 2) * 0.03 * np.sqrt(4 / 3)
    assert (found.low, found.high) == pytest.approx((-0.13 - reach, -0.13 + reach))
    same = retraining_test(0.9, np.full(3, 0.9))
    assert (same.p, same.low, same.high) == (1.0, 0.0, 0.0)


def test_a_retrained_recipe_is_rejected_in_alpha_of_cases():
    scores = rng(8).normal(0.9, 0.03, (2000, 4))
    p = np.array([retraining_test(row[3], row[:3]).p for row in scores])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 2000))


def test_detectable_effect_of_several_trainings():
    """Found four times in five where it is that of the true spread."""
    spread = 0.03
    before = np.array([-1.0, 0.0, 1.0]) * spread
    effect = smallest_detectable(np.zeros(400), 4, 0.05, 0.02, before)
    scores = rng(9).normal(0, spread, (3000, 4))
    found = [retraining_test(row[3] - effect, row[:3]).p <= 0.05 for row in scores]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)
