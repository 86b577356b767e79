"""The fit of the judge's constants finds what is right on pictures whose answer is known."""

from dataclasses import replace

from bench.certificate.fit import FitSet, fit_surfaces, fit_table, measure, row_of
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
    assert len({(row["bound"], row["margin"]) for row in rows}) == 25
    assert [row["worst"] for row in rows] == sorted((row["worst"] for row in rows), reverse=True)


def test_the_search_keeps_what_is_no_worse_and_tells_all_it_tried():
    seen = []
    best, rows = fit_surfaces(small_set(), 1, ["white"], seen.append)
    assert seen == rows
    assert len(rows) == 3
    assert {row["light"].white for row in rows} == {0.74, 0.78, 0.82}
    chosen = next(r for r in rows if r["light"] == best.light and r["valley"] == best.valley)
    assert chosen["mean"] == max(row["mean"] for row in rows)
