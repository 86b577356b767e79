import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.intervals import (
    LEAST_CELLS,
    bca,
    clopper_pearson,
    difference,
    mean_of_cells,
    mean_of_this_list,
    resampled_means,
    share_of_prompts_like_these,
    share_of_this_list,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def of_list(hits, images):
    """Interval of a share from the number of hits of each cell."""
    hits, images = np.asarray(hits, float), np.broadcast_to(np.asarray(images, float), len(hits))
    means = hits / images
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.where(images > 1, means * (1 - means) / (images - 1), np.nan)
    return share_of_this_list(means, noise, images)


@pytest.mark.parametrize(("hits", "trials"), [(10, 20), (0, 27), (27, 27), (1, 104), (428, 429)])
def test_clopper_pearson_is_that_of_scipy(hits, trials):
    exact = stats.binomtest(hits, trials).proportion_ci(method="exact")
    assert clopper_pearson(hits / trials, trials) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(("hits", "cells"), [(429, 429), (428, 429), (100, 104), (60, 104)])
def test_one_image_a_cell_gives_the_exact_interval(hits, cells):
    found = of_list(np.r_[np.ones(hits), np.zeros(cells - hits)], 1)
    low, high = clopper_pearson(hits / cells, cells)
    assert found[0] == pytest.approx(min(low, 0.025 ** (1 / cells)))
    assert found[1] == pytest.approx(high)


def test_one_image_wrong_of_1716_is_no_surer_than_none():
    """The case that was not monotone: 99.1 to 100 for all of them, 99.7 to 100 for all but one."""
    whole = of_list(np.full(429, 4), 4)
    one_less = of_list(np.r_[np.full(428, 4), 3], 4)
    assert whole == pytest.approx((0.025 ** (1 / 429), 1.0))
    assert one_less[0] <= whole[0]
    assert one_less[1] <= whole[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 120), st.integers(1, 4), st.integers(0, 10_000))
def test_one_hit_less_never_raises_an_end_near_the_boundary(cells, images, seed):
    generator = rng(seed)
    hits = np.full(cells, images)
    found = of_list(hits, images)
    for cell in generator.permutation(cells)[:6]:
        hits = hits.copy()
        hits[cell] -= 1
        less = of_list(hits, images)
        assert less[0] <= found[0] + 1e-9
        assert less[1] <= found[1] + 1e-9
        assert 0 <= less[0] <= hits.mean() / images <= less[1] <= 1
        found = less


def test_a_share_and_its_complement_mirror_each_other():
    hits = rng(3).integers(0, 5, 40)
    low, high = of_list(hits, 4)
    assert of_list(4 - hits, 4) == pytest.approx((1 - high, 1 - low))


def test_prompts_like_these_are_never_narrower_than_the_exact_form_on_cells():
    means = np.r_[np.ones(100), 0.5, 0.25, 0, 0]
    exact = clopper_pearson(means.mean(), len(means))
    for variance in (0.0, 1e-9, 1e-4, 1e-2):
        low, high = share_of_prompts_like_these(means, variance, len(means) - 1)
        assert low <= exact[0] + 1e-9
        assert high >= exact[1] - 1e-9
    few = share_of_prompts_like_these(means, 1e-4, 5)
    assert few[0] < share_of_prompts_like_these(means, 1e-4, 103)[0]
    assert share_of_prompts_like_these(means, float("nan"), 5) is None


def test_fewer_than_two_cells_give_no_interval():
    for cells in (0, 1):
        means = np.ones(cells)
        assert share_of_this_list(means, means * np.nan, means) is None
        assert share_of_prompts_like_these(means, 0.0, 1) is None
        assert mean_of_cells(means, rng(), bounded=True) is None


def test_few_cells_of_a_measured_metric_give_none_and_many_give_students():
    values = rng(2).normal(size=400)
    assert mean_of_cells(values[: LEAST_CELLS - 1], rng()) is None
    expected = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert mean_of_cells(values, rng(3)) == pytest.approx(expected, abs=0.02)
    ones = np.ones(27)
    assert mean_of_cells(ones, rng()) is None
    assert mean_of_cells(ones, rng(), bounded=True)[0] == pytest.approx(0.025 ** (1 / 27))


def test_noise_within_cells_makes_the_interval_of_a_list_and_not_the_spread_between_them():
    means, images = np.linspace(0, 10, 40), np.full(40, 4.0)
    low, high = mean_of_this_list(means, np.full(40, 0.01), images, rng(), bounded=False)
    reach = stats.t.ppf(0.975, 120) * np.sqrt(0.01 / 40)
    assert (low, high) == pytest.approx((5 - reach, 5 + reach))
    unknown = mean_of_this_list(means, np.full(40, np.nan), images / 4, rng(), bounded=False)
    assert unknown[1] - unknown[0] > 50 * reach / 2


def test_bootstrap_means_have_the_analytic_mean_and_variance():
    values = rng().normal(size=40)
    draws = resampled_means(values, rng(1), 20_000)
    assert draws.mean() == pytest.approx(values.mean(), abs=0.005)
    assert draws.std() == pytest.approx(values.std() / np.sqrt(40), rel=0.02)


def test_skew_moves_the_interval_to_the_long_tail():
    values = np.r_[np.zeros(18), 1.0, 1.0]
    low, high = bca(values, resampled_means(values, rng(8), 4000))
    assert high - values.mean() > values.mean() - low


def test_difference_of_normal_estimates_is_pythagoras():
    low, high = difference((3.0, 2.0, 4.0), (1.0, 0.0, 2.0))
    assert (low, high) == pytest.approx((2 - np.sqrt(2), 2 + np.sqrt(2)))


@pytest.mark.parametrize(
    ("cells", "images", "mean", "icc"),
    [(12, 1, 0.85, 0.3), (104, 4, 0.98, 0.3), (104, 4, 0.95, 0.8), (429, 2, 0.95, 0.3)],
)
def test_coverage_over_this_list(cells, images, mean, icc):
    """95% intervals hold the mean of the given rates in at least 93% of 400 simulated runs."""
    generator = rng(cells * 7 + images)
    rates = generator.beta(mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1), cells)
    found = [of_list(generator.binomial(images, rates), images) for _ in range(400)]
    held = np.mean([low <= rates.mean() <= high for low, high in found])
    assert held >= 0.93


def test_clopper_pearson_against_a_published_value():
    # Newcombe 1998, table I: 81 of 263, exact interval 0.2527 to 0.3676.
    low, high = clopper_pearson(81 / 263, 263)
    assert low == pytest.approx(0.2527, abs=1e-4)
    assert high == pytest.approx(0.3676, abs=1e-4)
    assert clopper_pearson(0.0, 5)[0] == 0
    assert clopper_pearson(1.0, 5)[1] == 1
