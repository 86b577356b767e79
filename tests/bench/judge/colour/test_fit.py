import json

import numpy as np
import pytest

from bench.judge.colour import fit
from bench.judge.colour.model import weights
from prompts.colours import COLOUR_NAMES


@pytest.mark.parametrize(
    ("term", "shares"),
    [
        ("blue", {"blue": 1}),
        ("lightblue", {"blue": 1}),
        ("grey", {"gray": 1}),
        ("darkgrey", {"gray": 1}),
        ("bluegreen", {"blue": 0.5, "green": 0.5}),
        ("offwhite", {"white": 1}),
        ("lavender", {"purple": 1}),
        ("beige", {"brown": 0.4, "white": 0.3, "yellow": 0.3}),
        ("teal", {}),
    ],
)
def test_survey_terms_count_for_basic_ones(term, shares):
    found = fit.basic_shares(term)
    assert {COLOUR_NAMES[i]: found[i] for i in np.flatnonzero(found)} == pytest.approx(shares)


def test_a_survey_file_is_read(tmp_path):
    data = {"color": [50, 0, 0, 60, 1, 2], "terms": ["blue", "lightgrey"], "T": [0, 30, 1, 10]}
    (tmp_path / "c3.json").write_text(json.dumps(data))
    survey = fit.read_survey(tmp_path / "c3.json")
    assert survey.lab.tolist() == [[50, 0, 0]]
    assert survey.shares[0, COLOUR_NAMES.index("blue")] == pytest.approx(0.75)


def test_the_fit_finds_the_model_that_made_the_answers():
    lab = np.random.default_rng(0).uniform([0, -80, -80], [100, 80, 80], (400, 3))
    from bench.judge.colour.model import shares_of_lab

    survey = fit.Survey(lab, shares_of_lab(lab, sharpness=1.0), np.ones(len(lab)))
    found = fit.fit_weights([survey], iterations=150)
    assert found.shape == weights().shape
    assert fit.agreement(found, survey).mean() > 0.95
