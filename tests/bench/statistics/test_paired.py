import numpy as np
import pytest
from scipy import stats

from bench.statistics.paired import flip_p, holm, mean_interval, smallest_detectable


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("up", "down"), [(0, 5), (3, 9), (6, 6), (10, 2), (0, 1), (40, 70)])
def test_one_image_a_cell_is_mcnemar_exact(up, down):
    differences = np.r_[np.ones(up), -np.ones(down), np.zeros(50)][:, None]
    expected = stats.binomtest(down, up + down, 0.5).pvalue
    assert flip_p(differences, rng())[0] == pytest.approx(expected)


def test_few_changes_are_tried_out_and_many_are_drawn():
    few = np.r_[-0.5, -0.25, -1.0, 0.25, np.zeros(20)][:, None]
    # The sum is -1.5: of 16 sign patterns, those that are as far from zero.
    patterns = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T
    expected = (abs(patterns @ np.array([0.5, 0.25, 1.0, 0.25])) >= 1.5).mean()
    assert flip_p(few, rng())[0] == pytest.approx(expected)
    values = rng(1).normal(-0.2, 1, 60)
    student = stats.ttest_1samp(values, 0).pvalue
    assert flip_p(values[:, None], rng(2))[0] == pytest.approx(student, abs=0.02)


def test_nothing_changed_has_p_of_one_and_an_honest_interval():
    assert flip_p(np.zeros((30, 1)), rng())[0] == 1.0
    low, high = mean_interval(np.zeros(30), rng())
    assert high == -low == pytest.approx(1 - 0.025 ** (1 / 30))


def test_nan_cells_count_for_nothing():
    values = rng(3).normal(-0.3, 1, 40)
    with_gaps = np.r_[values, np.full(10, np.nan)]
    both = [flip_p(v[:, None], rng(4))[0] for v in (values, with_gaps)]
    assert both[0] == pytest.approx(both[1], abs=0.02)


def test_p_is_uniform_where_nothing_changed():
    generator = rng(5)
    differences = generator.integers(-2, 3, (60, 400)) / 2
    p = flip_p(differences, generator, flips=999)
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05, 0.2])
def test_detectable_effect_is_found_four_times_in_five(margin):
    """Whether significance or the margin is the harder to reach."""
    generator = rng(6)
    before = generator.normal(0, 0.3, (200, 300))
    effect = np.median([smallest_detectable(column, 4, 0.05, margin) for column in before.T])
    after = before - effect
    found = (flip_p(after, generator, flips=999) <= 0.05) & (after.mean(axis=0) <= -margin)
    assert found.mean() == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.1])
def test_detectable_effect_where_nothing_differed(margin):
    """Images turn one by one from a run that was the same: the sign test needs six of them."""
    generator = rng(7)
    effect = smallest_detectable(np.zeros(300), 2, 0.05, margin)
    lost = -(generator.random((300, 2, 400)) < effect).mean(axis=1)
    found = (flip_p(lost, generator, flips=999) <= 0.05) & (lost.mean(axis=0) <= -margin)
    assert 0.75 <= found.mean() <= 0.92


def test_detectable_effect_shrinks_with_cells_and_never_vanishes():
    few, many = (smallest_detectable(np.zeros(n), 2, 0.05) for n in (50, 500))
    assert few == pytest.approx(10 * many)
    assert smallest_detectable(np.zeros(1), 2, 0.05) == 1.0


def test_holm_against_its_definition():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.9])) == pytest.approx([1.0, 1.0])
    assert len(holm(np.array([]))) == 0
