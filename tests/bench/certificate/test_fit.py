"""The fit of the judge's constants finds what is right on pictures whose answer is known."""

import math
from dataclasses import replace

from bench.certificate.fit import (
    SURFACE_GRID,
    THRESHOLD_GRID,
    FitSet,
    choices,
    fit_surfaces,
    fit_table,
    measure,
    row_of,
)
from bench.certificate.fit import Surfaces as Constants
from bench.certificate.scenes import known_answers
from bench.judge.verdict import DEFAULT


def small_set() -> FitSet:
    return FitSet({"rendered": known_answers(30, 11)})


def test_a_margin_that_is_too_wide_costs_what_is_bound():
    known, labelled = measure(small_set(), Constants())
    right = row_of(DEFAULT, known, labelled)
    wide = row_of(replace(DEFAULT, margin=0.95), known, labelled)
    assert right["rendered_macro_f1"] > wide["rendered_macro_f1"]
    assert right["labelled_fitted"] is None
    assert right["worst"] == right["mean"] == right["rendered_macro_f1"]


def test_every_choice_of_thresholds_is_in_the_table_best_first():
    rows = fit_table(small_set())
    tried = {tuple(row[name] for name in THRESHOLD_GRID) for row in rows}
    assert len(tried) == len(rows) == math.prod(map(len, THRESHOLD_GRID.values()))
    assert tuple(getattr(DEFAULT, name) for name in THRESHOLD_GRID) in tried
    assert [row["mean"] for row in rows] == sorted((row["mean"] for row in rows), reverse=True)


def test_the_constants_in_use_are_among_those_that_are_tried():
    now = Constants()
    for name in SURFACE_GRID:
        assert now in choices(now, name), name
        assert len(set(choices(now, name))) == len(SURFACE_GRID[name])


def test_the_search_keeps_what_is_no_worse_and_tells_all_it_tried():
    seen = []
    best, rows = fit_surfaces(small_set(), 1, ["white"], seen.append)
    assert seen == rows
    assert len(rows) == 3
    assert {row["surfaces"].light.white for row in rows} == {0.74, 0.78, 0.82}
    chosen = next(row for row in rows if row["surfaces"] == best)
    assert chosen["mean"] == max(row["mean"] for row in rows)
