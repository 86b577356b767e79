"""The analysis of the study on results whose answers are known, and the page made of them."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from click.testing import CliRunner
from PIL import Image
from scipy import special, stats

from prompts import build_grid
from reference_models.errors import ModelError
from reference_models.study.__main__ import main
from reference_models.study.answers import answers
from reference_models.study.comparisons import (
    Arm,
    ArmShare,
    Planned,
    Results,
    compare,
    findings,
    log_odds,
    planned,
)
from reference_models.study.drawings import from_lines, groups_of, read_drawings, write_drawings
from reference_models.study.factors import CONDITIONS
from reference_models.study.page import page
from reference_models.study.sheet import ROWS, sheet
from reference_models.study.tables import percent

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
    wall = results.share(Arm("loose-50"), "leaked to wall", "one")
    assert wall.values == pytest.approx((0.31, 0.32, 0.33), abs=0.002)
    assert results.share(Arm("loose-50"), "leaked", "one").counts == wall.counts
    assert set(results.share(Arm("loose-50"), "leaked to plate", "one").values) == {0}
    assert results.share(Arm("bag"), "swapped", "pair").values[1] == pytest.approx(0.34, abs=0.02)


def test_unjudged_bindings_are_in_no_share():
    (drawing,) = from_lines([line("clean", 1, leak=1.0)])
    cut = replace(drawing, verdicts=drawing.verdicts.replace("g", "u", 100))
    assert drawing.count("leaked", "single") == (297, 297)
    assert cut.count("leaked", "single") == (197, 197)


def test_an_interval_is_that_of_student_on_the_log_odds():
    share = ArmShare({1: (200, 1000), 2: (250, 1000), 3: (330, 1000)})
    odds = [np.log((h + 0.5) / (n - h + 0.5)) for h, n in share.counts.values()]
    wanted = stats.ttest_1samp(odds, 0).confidence_interval()
    assert share.interval == pytest.approx(tuple(special.expit(end) for end in wanted))
    assert ArmShare({1: (1, 9), 2: (2, 9)}).interval is None


def test_an_interval_is_never_narrower_than_the_prompts_of_one_training_allow():
    low, high = ArmShare(dict.fromkeys((1, 2, 3), (0, 54))).interval
    assert (low, high) == pytest.approx((0, 1 - 0.025 ** (1 / 54)))
    low, high = ArmShare(dict.fromkeys((1, 2, 3), (54, 54))).interval
    assert (low, high) == pytest.approx((0.025 ** (1 / 54), 1))


PLAN = [
    Planned("leak", Arm("loose-50"), Arm("clean"), "leaked", "one"),
    Planned("leak", Arm("loose-10"), Arm("clean"), "leaked", "one"),
]


def test_comparisons_are_those_of_a_block_design(results):
    found = compare(results, PLAN)
    rows = [
        {"arm": arm, "seed": seed, "y": log_odds(*count)}
        for arm in ("clean", "loose-50", "loose-10")
        for seed, count in results.share(Arm(arm), "leaked", "one").counts.items()
    ]
    fit = smf.ols("y ~ C(arm) + C(seed)", pd.DataFrame(rows)).fit()
    for one in found:
        name = f"C(arm)[T.{one.planned.arm.condition}]"
        assert np.log(one.odds) == pytest.approx(fit.params[name])
        assert one.p == pytest.approx(fit.pvalues[name])
        ends = fit.conf_int().loc[name]
        assert (np.log(one.low), np.log(one.high)) == pytest.approx(tuple(ends))
    assert found[0].is_told
    assert not found[1].is_told


def test_what_moves_with_the_seed_alone_is_no_spread():
    lines = [line("clean", seed, 0.1 * seed) for seed in (1, 2, 3)]
    lines += [line("loose-50", seed, 0.1 * seed + 0.2) for seed in (1, 2, 3)]
    (within,) = compare(Results(from_lines(lines)), PLAN[:1])
    other = [line("loose-50", 4 - seed, 0.1 * seed + 0.2) for seed in (1, 2, 3)]
    (crossed,) = compare(Results(from_lines(lines[:3] + other)), PLAN[:1])
    assert within.odds == pytest.approx(crossed.odds)
    assert within.high / within.low < crossed.high / crossed.low / 3


def test_more_comparisons_of_a_question_ask_for_more(results):
    alone, together = compare(results, PLAN), findings(results, PLAN)
    assert together[0].p == pytest.approx(min(1.0, 2 * alone[0].p))
    apart = [PLAN[0], replace(PLAN[1], question="another")]
    assert findings(results, apart)[0].p == pytest.approx(compare(results, PLAN[:1])[0].p)


def test_what_was_not_made_is_not_compared(results):
    found = findings(results)
    assert {one.planned.arm.name for one in found} == {
        "loose-50",
        "loose-10",
        "bag",
        "loose-50, attention-0.1",
    }


def test_the_answers_name_what_did_and_what_did_not(results):
    leak, swap, repair, *_ = answers(findings(results))
    assert "50% loose captions (leaked 2.0% to 32.0%)" in leak
    assert "Not seen to: 10% loose captions" in leak
    assert "A reader that knows no word order (swapped 2." in swap
    assert "uidance by attention with 50% loose captions (bound 68.0% to 98.0%" in repair


def test_every_planned_arm_is_made():
    for one in planned():
        for arm in (one.arm, one.base):
            names = {sampling.name for sampling in CONDITIONS[arm.condition].samplings}
            assert arm.sampling in names, arm
            assert one.group != "pair" or CONDITIONS[arm.condition].pairs or arm.sampling == "plain"


def test_percents():
    assert percent(ArmShare({1: (1, 10), 2: (2, 10)})) == "15.0"
    assert percent(ArmShare(dict.fromkeys((1, 2, 3), (0, 54)))) == "0.0 (0.0 to 6.6)"
    assert percent(ArmShare({})) == "-"


def test_the_sheet_has_a_row_a_condition(tmp_path):
    strip = io.BytesIO()
    Image.new("RGB", (64 * 12, 64), "red").save(strip, "PNG")
    with zipfile.ZipFile(tmp_path / "sheets.zip", "w") as archive:
        for name, _ in ROWS:
            archive.writestr(f"{name}.png", strip.getvalue())
    picture = Image.open(io.BytesIO(sheet([tmp_path / "sheets.zip"]))).convert("RGB")
    assert picture.getpixel((picture.width - 5, picture.height - 5))[0] > 200
    with zipfile.ZipFile(tmp_path / "few.zip", "w") as archive:
        archive.writestr(f"{ROWS[0][0]}.png", strip.getvalue())
    assert sheet([tmp_path / "few.zip", tmp_path / "sheets.zip"])
    with pytest.raises(ModelError, match=r"few\.zip"):
        sheet([tmp_path / "few.zip"])


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
    assert len(first) == 6
    assert b"12 trainings" in first[page]
    assert CliRunner().invoke(main, asked).exit_code == 0
    assert {path: path.read_bytes() for path in first} == first


def test_a_study_that_is_made_twice_says_what_came_out_the_same(results):
    assert "Made twice" not in page(results)
    other = Results(
        from_lines([text for text in LINES if "loose-50" not in text and "loose-10" not in text])
    )
    again = page(Results(from_lines(LINES), other))
    assert "Of its 3 comparisons 3 come out the same" in again


def test_what_is_of_the_first_making_alone_is_compared_within_it():
    first = [*LINES, *(line("loose-50-cleaned", seed, 0.05 * seed) for seed in (1, 2, 3))]
    now = [line(name, seed, 0.1) for name in ("clean", "loose-50") for seed in (1, 2, 3)]
    results = Results(from_lines(now), Results(from_lines(first)))
    (repair,) = (
        one
        for one in findings(results)
        if one.planned.arm.condition == "loose-50-cleaned" and one.planned.metric == "leaked"
    )
    assert repair.base.mean == pytest.approx(0.32, abs=0.002)
    (again,) = (one for one in findings(results.first) if one.planned == repair.planned)
    assert repair.odds == again.odds
    text = page(results)
    assert "`loose-50-cleaned` (first making)" in text
    assert "6 trainings" in text
    assert "Of the first making alone, and compared within it: " in text


def test_readers_networks_and_lengths_are_compared():
    lines = [*LINES, *(line("dit-clean", seed, 0.5 + 0.01 * seed) for seed in (1, 2, 3))]
    lines += [line("loose-25-long", seed, 0.3) for seed in (1, 2, 3)]
    lines += [line("loose-25", seed, 0.02 * seed) for seed in (1, 2, 3)]
    text = page(Results(from_lines(lines)))
    assert "What does another network change?** `dit-clean` against `clean` bound 9" in text
    assert "## Number of pictures" in text
    assert "21 trainings" in text
    assert "(but for `long` ones)" in text
