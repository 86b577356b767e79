"""The fit of matching: what it learns is what was true."""

import numpy as np
import pytest

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.presence import fit_presence, questions_of


@pytest.fixture(scope="module")
def answers():
    return next(iter(photoreal_batches(24)))


def test_nouns_that_were_drawn_are_at_their_things(answers):
    for one in questions_of(answers, 0):
        assert 0 <= one.place <= len(one.things)
        if one.weight < 1:
            assert one.place == len(one.things)


def test_a_name_that_is_read_speaks_for_the_noun(answers):
    found = fit_presence([answers])
    assert found["questions"][0] > 40
    for name in ("by_names", "by_everyday", "by_rest"):
        assert np.isfinite(found[name]["weights"]).all()
    assert min(found["by_names"]["weights"][1:]) > 0
    assert found["by_names"]["reliability"][0]["brier"] < 0.1
