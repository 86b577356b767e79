"""Agreement of second opinions with the verdicts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bench.statistics.second_opinions import disagreements_of, second_opinions


def table(**columns):
    count = len(columns["verdict"])
    rows = {
        "sample_id": [f"s{number}" for number in range(count)], "binding": 0, "colour": "blue",
        "subject": "potato", "words": "blue covers all", **columns,
    }  # fmt: skip
    return pd.DataFrame(rows)


def test_kappa_of_a_known_table():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: Cohen's kappa is 0.4.
    verdict = ["bound"] * 25 + ["prior"] * 25
    disagrees = [0.0] * 20 + [1.0] * 5 + [1.0] * 10 + [0.0] * 15
    (one,) = second_opinions(table(verdict=verdict, vqa_disagrees=disagrees))
    assert (one.scorer, one.bindings, one.disagree, one.images) == ("vqa", 50, 15, 15)
    assert one.kappa == pytest.approx(0.4)
    assert math.isnan(one.product)


def test_a_scorer_that_did_not_measure_is_left_out():
    assert second_opinions(table(verdict=["bound"], clip_disagrees=[math.nan])) == []


def test_kappa_is_not_defined_where_both_always_say_the_same():
    (one,) = second_opinions(table(verdict=["bound"] * 3, clip_disagrees=[0.0] * 3))
    assert math.isnan(one.kappa)
    assert one.disagree == 0


def test_product_over_the_bindings_of_an_image():
    verdicts = table(
        verdict=["bound"] * 4, blipvqa=[0.5, 0.5, 1.0, 0.25], blipvqa_disagrees=[0.0] * 4
    )
    verdicts["sample_id"] = ["a", "a", "b", "b"]
    (one,) = second_opinions(verdicts)
    assert one.product == pytest.approx(np.mean([0.25, 0.25]))


def test_the_list_has_a_row_a_scorer_and_binding():
    verdicts = table(
        verdict=["bound", "prior"], clip_disagrees=[1.0, 0.0], vqa_disagrees=[1.0, 1.0]
    )
    listed = disagreements_of(verdicts)
    assert listed[["scorer", "sample_id"]].to_numpy().tolist() == [
        ["clip", "s0"],
        ["vqa", "s0"],
        ["vqa", "s1"],
    ]
