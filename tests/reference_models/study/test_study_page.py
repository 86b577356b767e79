"""The analysis of the study on results whose answers are known, and the page made of them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from prompts import build_grid
from reference_models.errors import ModelError
from reference_models.study.__main__ import main
from reference_models.study.comparisons import Arm, Mean, Planned, Results, findings, planned
from reference_models.study.drawings import from_lines, groups_of, read_drawings, write_drawings
from reference_models.study.factors import CONDITIONS
from reference_models.study.page import answers, percent

CELLS = [cell for cell in build_grid("default").cells if cell.template in ("single", "pair")]


def line(condition, seed, leak=0.0, swap=0.0, sampling="plain"):
    """Results of which exactly a share leaks to the wall, or is swapped in pairs."""
    cells = {}
    for kind, share, row in (
        ("single", leak, ["background", "wall", 0.5, 0.0, None, None, None]),
        ("pair", swap, ["swapped", "", 0.0, 0.0, None, None, None]),
    ):
        own = [cell for cell in CELLS if cell.template == kind]
        for k, cell in enumerate(own):
            bound = ["bound", "", 0.0, 0.0, None, None, None]
            hit = k < round(share * len(own))
            cells[cell.id] = [row if hit else bound for _ in cell.bindings]
    facts = {"pictures": 100, "loss": 0.1, "train_seconds": 2.0}
    whole = {"condition": condition, "seed": seed, "sampling": sampling, "cells": cells}
    return json.dumps(facts | whole)


LINES = [
    *(line("clean", seed, 0.01 * seed, 0.02) for seed in (1, 2, 3)),
    *(line("loose-50", seed, 0.3 + 0.01 * seed) for seed in (1, 2, 3)),
    *(line("loose-10", seed, 0.01 * (4 - seed)) for seed in (1, 2, 3)),
    *(line("bag", seed, 0.0, 0.3 + 0.02 * seed) for seed in (1, 2, 3)),
    *(line("loose-50", seed, 0.02, sampling="attention-0.1") for seed in (1, 2, 3)),
]


@pytest.fixture(scope="module")
def results():
    return Results(from_lines(LINES))


def test_groups_follow_the_prompt():
    assert groups_of("pair/blue/pig/green/car") == {"pair"}
    assert groups_of("plate/blue/pig") == {"one", "scene"}
    assert groups_of("single/blue/potato") == {"one", "single", "held"}
    assert groups_of("single/brown/potato") == {"one", "single", "natural"}


def test_shares_are_those_of_the_verdicts(results):
    shares = results.shares(Arm("loose-50"), "leaked", "one")
    assert shares == pytest.approx({1: 0.31, 2: 0.32, 3: 0.33}, abs=0.002)
    assert results.shares(Arm("loose-50"), "leaked to wall", "one") == shares
    assert set(results.shares(Arm("loose-50"), "leaked to plate", "one").values()) == {0}
    assert results.shares(Arm("bag"), "swapped", "pair")[2] == pytest.approx(0.34, abs=0.02)


def test_a_mean_has_the_interval_and_p_of_student():
    values = (0.2, 0.25, 0.33)
    mean = Mean(values)
    wanted = stats.ttest_1samp(values, 0)
    low, high = wanted.confidence_interval()
    assert (mean.mean - mean.half, mean.mean + mean.half) == pytest.approx((low, high))
    assert mean.p == pytest.approx(wanted.pvalue)
    assert Mean((0.2,)).half is None
    assert Mean((0.1, 0.1)).p == 0
    assert Mean((0.0, 0.0)).p == 1


def test_differences_are_taken_within_seeds(results):
    (found,) = findings(results, [Planned("leak", Arm("loose-50"), Arm("clean"), "leaked", "one")])
    # Both rise by a hundredth a seed: within a seed nothing is left of it.
    assert found.difference.mean == pytest.approx(0.3, abs=0.002)
    assert np.std(found.difference.values) < 0.002
    assert found.is_told


def test_more_comparisons_of_a_question_ask_for_more(results):
    one = Planned("leak", Arm("loose-50"), Arm("clean"), "leaked", "one")
    other = Planned("leak", Arm("loose-10"), Arm("clean"), "leaked", "one")
    alone = findings(results, [one])[0].p
    together = findings(results, [one, other])
    assert together[0].p == pytest.approx(2 * alone)
    assert not together[1].is_told


def test_what_was_not_made_is_not_compared(results):
    found = findings(results)
    assert {one.planned.arm.name for one in found} == {
        "loose-50",
        "loose-10",
        "bag",
        "loose-50, attention-0.1",
    }


def test_the_answers_name_what_did_and_what_did_not(results):
    leak, swap, repair = answers(findings(results))
    assert "50% loose captions (2.0" in leak
    assert "the other way: 10% loose captions and a reader that knows no word order" in leak
    assert "a reader that knows no word order (" in swap.lower()
    assert "uidance by attention on 50% loose captions (68.0" in repair


def test_every_planned_arm_is_made():
    for one in planned():
        for arm in (one.arm, one.base):
            names = {sampling.name for sampling in CONDITIONS[arm.condition].samplings}
            assert arm.sampling in names, arm
            assert one.group != "pair" or CONDITIONS[arm.condition].pairs or arm.sampling == "plain"


def test_percents_stay_on_their_scale():
    assert percent(Mean((0.01, 0.02))).startswith("1.5 (0.0 to 7.9")
    assert percent(Mean((0.01, 0.02)), signed=True).startswith("+1.5 (-4.9 to +7.9")
    assert percent(Mean(())) == "-"


def test_what_is_kept_is_what_was_made(tmp_path, results):
    drawings = [one for by_seed in results.arms.values() for one in by_seed.values()]
    path = tmp_path / "results.json"
    write_drawings(path, drawings)
    key = lambda one: (one.condition, one.sampling, one.seed)  # noqa: E731
    assert read_drawings(path) == sorted(drawings, key=key)


def test_another_file_is_an_error(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"format": 1}')
    with pytest.raises(ModelError, match="format 2"):
        read_drawings(path)
    result = CliRunner().invoke(main, ["--results", str(tmp_path / "none.json")])
    assert result.exit_code == 1
    assert "none.json" in result.output


def test_the_page_is_made_from_lines_and_again_from_what_was_kept(tmp_path):
    made, page, kept = tmp_path / "made.jsonl", tmp_path / "study.md", tmp_path / "results.json"
    made.write_text("\n".join(LINES))
    asked = ["--page", str(page), "--results", str(kept)]
    assert CliRunner().invoke(main, ["--lines", str(made), *asked]).exit_code == 0
    first = {path: path.read_bytes() for path in [page, *(tmp_path / "images").iterdir()]}
    assert len(first) == 5
    assert b"12 trainings" in first[page]
    assert CliRunner().invoke(main, asked).exit_code == 0
    assert {path: path.read_bytes() for path in first} == first
