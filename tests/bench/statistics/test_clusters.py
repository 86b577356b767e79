import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from bench.statistics.clusters import variance_of_mean
from bench.statistics.intervals import share_of_prompts_like_these


def of_grid(means):
    """Variance of the mean of a grid, a row a subject and a column a colour, one cell each."""
    subjects, colours = np.indices(means.shape)
    influence = (means - means.mean()).ravel() / means.size
    return variance_of_mean(influence, np.arange(means.size), subjects.ravel(), colours.ravel())


def test_subjects_alone_give_the_variance_of_their_means():
    means = np.repeat(np.random.default_rng(0).normal(size=(27, 1)), 11, axis=1)
    variance, degrees = of_grid(means)
    assert variance == pytest.approx(means[:, 0].var(ddof=1) / 27)
    assert degrees == 10


def test_one_colour_alone_is_given_and_its_cells_are_the_clusters():
    means = np.random.default_rng(1).normal(size=(27, 1))
    assert of_grid(means) == (pytest.approx(means.var(ddof=1) / 27), 26)
    variance, degrees = of_grid(means[:1])
    assert np.isnan(variance)
    assert np.isnan(degrees)


def test_the_variance_is_that_of_new_subjects_and_new_colours():
    """Against the spread of the means of grids with effects of both: a tenth too small here."""
    rng = np.random.default_rng(2)

    def grid():
        effects = rng.normal(0, 2, (20, 1)) + rng.normal(0, 1, (1, 12))
        return effects + rng.normal(0, 1, (20, 12))

    true = 4 / 20 + 1 / 12 + 1 / 240
    assert np.var([grid().mean() for _ in range(4000)]) == pytest.approx(true, rel=0.1)
    assert 0.85 <= np.mean([of_grid(grid())[0] for _ in range(400)]) / true <= 1.05


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(2, 8), st.integers(0, 1000))
def test_it_is_never_less_than_that_of_cells_alone_and_knows_no_order(subjects, colours, seed):
    rng = np.random.default_rng(seed)
    means = rng.integers(0, 3, (subjects, colours)) / 2
    variance, _ = of_grid(means)
    cells = means.var(ddof=1) / means.size
    assert variance >= cells - 1e-12
    turned = means[rng.permutation(subjects)][:, rng.permutation(colours)]
    assert of_grid(turned)[0] == pytest.approx(variance)
    assert of_grid(means.T)[0] == pytest.approx(variance)


def test_coverage_of_new_prompts_with_effects_of_subjects():
    """Where whole cells as the clusters held 58 to 77%."""
    rng = np.random.default_rng(3)
    spread = np.sqrt(1.5**2 + 0.5**2 + 0.5**2)
    offset = 3.15
    truth = expit(offset + spread * np.random.default_rng(0).normal(size=1_000_000)).mean()
    held = 0
    for _ in range(300):
        logits = offset + rng.normal(0, 1.5, (27, 1)) + rng.normal(0, 0.5, (1, 11))
        rates = expit(logits + rng.normal(0, 0.5, (27, 11)))
        means = rng.binomial(4, rates) / 4
        low, high = share_of_prompts_like_these(means.ravel(), *of_grid(means))
        held += low <= truth <= high
    assert held >= 0.93 * 300
