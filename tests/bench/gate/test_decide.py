import io
import json
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bench.errors import NotComparableError
from bench.gate.decide import decide
from bench.gate.forms import (
    WIDTH,
    address_from,
    render,
    to_json,
    to_markdown,
    workflow_commands,
    write_junit,
)
from bench.records import VERDICTS
from bench.statistics.outcomes import LOST, OUTCOMES, PASS, REGRESSION, UNDERPOWERED

JUNIT = Path(tempfile.gettempdir()) / "binding-bench-junit.xml"
SAME = {"suite": "1", "sampler": {"steps": 4}}


def frame(bound: np.ndarray, first: int = 0) -> pd.DataFrame:
    """Verdicts from an array (cells, images) of bound or not."""
    cells, images = bound.shape
    cell = np.repeat(np.arange(cells), images)
    return pd.DataFrame(
        {
            "cell_id": [f"single/c{c % 11}/s{c // 11}" for c in cell],
            "binding": 0,
            "index": first + np.tile(np.arange(images), cells),
            "verdict": np.where(bound.ravel(), "bound", "background"),
            "colour": [f"c{c % 11}" for c in cell],
            "subject": [f"s{c // 11}" for c in cell],
            "tags": [["novel"] if c % 3 == 0 else ["seen"] for c in cell],
        }
    )


def rates(rng, cells, images, copies=1):
    p = rng.beta(3, 2, (cells, 1))
    return [rng.random((cells, images)) < p for _ in range(copies)]


def test_same_run_passes():
    (run,) = rates(np.random.default_rng(0), 297, 4)
    decision = decide((SAME, frame(run)), (SAME, frame(run)))
    assert (decision.verdict, decision.code) == ("pass", 0)
    assert decision.primary.difference == 0
    assert decision.changes == ()


def test_plain_loss_is_a_regression_and_the_worst_cells_are_named():
    (run,) = rates(np.random.default_rng(1), 297, 4)
    worse = run.copy()
    worse[:60] = False
    decision = decide((SAME, frame(run)), (SAME, frame(worse)))
    assert (decision.verdict, decision.code) == ("regression", 1)
    assert decision.changes[0].before - decision.changes[0].after == 4
    assert decision.changes[0].became == "4 background"
    assert decision.changes[0].words.endswith("of 4 bound before, 0 of 4 now, 4 background")
    assert any(one.group.startswith("subject:") for one in decision.fallen)
    assert "regression: binding score went from" in decision.sentence


def test_gain_passes():
    (run,) = rates(np.random.default_rng(2), 297, 4)
    better = run.copy()
    better[:60] = True
    assert decide((SAME, frame(run)), (SAME, frame(better))).verdict == "pass"


def test_a_significant_loss_below_the_margin_is_told_and_strict_fails():
    run = np.ones((400, 4), dtype=bool)
    worse = run.copy()
    worse[:12, 0] = False
    both = (SAME, frame(run)), (SAME, frame(worse))
    decision = decide(*both, margin=0.02)
    assert decision.primary.p < 0.05
    assert (decision.verdict, decision.code) == (LOST, 0)
    assert decision.sentence.startswith("lost, within the margin: binding score went from")
    assert decide(*both, margin=0.02, strict=True).code == 1
    assert decide(*both, margin=0.005).verdict == REGRESSION


def test_a_loss_as_large_as_the_margin_hardly_ever_passes():
    """Through the gate: 2,000 cells, a true loss of the margin."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(15):
        p = rng.beta(9, 1, (2000, 1))
        runs = [rng.random((2000, 4)) < rate for rate in (p, p - 0.02 * p / p.mean())]
        found.append(decide(*((SAME, frame(one)) for one in runs), details=False).verdict)
    assert found.count(PASS) <= 2
    assert set(found) <= {PASS, LOST, REGRESSION}


def test_too_few_images_are_underpowered_and_strict_fails():
    first, second = rates(np.random.default_rng(3), 20, 1, 2)
    decision = decide((SAME, frame(first)), (SAME, frame(second)))
    assert (decision.verdict, decision.code) == ("underpowered", 0)
    strict = decide((SAME, frame(first)), (SAME, frame(second)), strict=True)
    assert (strict.verdict, strict.code) == ("underpowered", 3)
    assert f"{strict.primary.detectable:.1%}" in strict.sentence


@pytest.mark.parametrize(("cells", "images"), [(60, 1), (40, 3)])
def test_of_pairs_of_runs_without_a_difference_at_most_alpha_fail(cells, images):
    """Two runs of one model from other noise, through the gate; a size where no margin helps."""
    rng = np.random.default_rng([cells, images])
    codes = []
    for _ in range(200):
        first, second = rates(rng, cells, images, 2)
        decision = decide((SAME, frame(first)), (SAME, frame(second)), details=False)
        assert decision.primary.detectable > 0.1
        codes.append(decision.code)
    assert set(codes) == {0, 1}
    assert sum(codes) <= 10


@pytest.mark.parametrize(("cells", "images"), [(60, 1), (120, 2), (400, 4)])
def test_planted_drop_of_twice_the_detectable_effect_is_found(cells, images):
    """The effect is what the gate printed for two runs of one model."""
    rng = np.random.default_rng([9, cells])
    found = 0
    for _ in range(40):
        p = rng.beta(8, 2, (cells, 1))
        first, second = (rng.random((cells, images)) < p for _ in range(2))
        told = decide((SAME, frame(first)), (SAME, frame(second)), details=False)
        effect = 2 * told.primary.detectable
        lost = rng.random((cells, images)) < p * (1 - effect / p.mean())
        decision = decide((SAME, frame(first)), (SAME, frame(lost)), details=False)
        found += decision.verdict == "regression"
    assert found >= 38


def test_slices_do_not_move_the_primary_score():
    first, second = rates(np.random.default_rng(8), 90, 2, 2)
    alone = decide((SAME, frame(first)), (SAME, frame(second)), details=False)
    whole = decide((SAME, frame(first)), (SAME, frame(second)))
    assert alone.comparisons == (whole.primary,)
    assert len(whole.comparisons) > 20


def test_slices_share_alpha_by_holm():
    """One colour lost a little: found alone, and not among twenty slices."""
    run = np.ones((110, 2), dtype=bool)
    worse = run.copy()
    worse[[0, 11, 22, 33, 44, 55]] = False
    whole = decide((SAME, frame(run)), (SAME, frame(worse)))
    one = next(c for c in whole.comparisons if c.group == "colour:c0")
    only = frame(run)["colour"].eq("c0").to_numpy()
    alone = decide((SAME, frame(run)[only]), (SAME, frame(worse)[only]), details=False)
    assert alone.primary.p == pytest.approx(2 * 0.5**6)
    assert one.p > 10 * alone.primary.p
    assert (alone.verdict, one.verdict) == (REGRESSION, UNDERPOWERED)
    assert one.label == "lost, but too few cells (6; 11 needed)"
    assert one.sentence.startswith("lost, but too few cells (6; 11 needed): binding score for c0")
    assert "lost, but too few cells (6; 11 needed)" in printed(whole)


def test_what_cannot_be_found_is_not_printed_as_found():
    run = np.ones((3, 1), dtype=bool)
    decision = decide((SAME, frame(run)), (SAME, frame(~run)))
    assert "100.0% is found" not in printed(decision)


def test_other_seeds_and_unequal_ones_use_all_images():
    first, second = rates(np.random.default_rng(4), 297, 4, 2)
    decision = decide((SAME, frame(first)), (SAME, frame(second, first=100)))
    assert decision.verdict in (PASS, UNDERPOWERED)
    one = decide((SAME, frame(first[:, :1])), (SAME, frame(second)), details=False)
    assert one.primary.before == pytest.approx(first[:, 0].mean())
    assert one.primary.after == pytest.approx(second.mean())
    assert any("1 and 4 judgements a cell; all of them are used" in line for line in one.warnings)


def test_what_one_run_could_not_judge_is_left_out_of_both():
    """A model that blanks its hard images must not look better for it."""
    run = np.ones((60, 4), dtype=bool)
    run[:, 3] = False
    before, after = frame(run), frame(run)
    after.loc[after["index"].eq(3), "verdict"] = "invalid"
    decision = decide((SAME, before), (SAME, after), details=False)
    assert decision.primary.difference == 0
    assert any("60 images could not be judged in one of the runs" in w for w in decision.warnings)


def test_shares_of_unjudged_images_that_differ_are_not_comparable():
    (run,) = rates(np.random.default_rng(6), 60, 4)
    after = frame(run)
    after.loc[after["index"].eq(0), "verdict"] = "unjudged"
    with pytest.raises(NotComparableError, match=r"0\.0% of the images .* and 25\.0% now"):
        decide((SAME, frame(run)), (SAME, after))
    allowed = decide((SAME, frame(run)), (SAME, after), allowed=["unjudged"])
    assert "let through: unjudged" in allowed.sentence
    assert decide((SAME, after), (SAME, after)).verdict in (PASS, UNDERPOWERED)


def test_a_regression_among_the_judged_images_is_one_whatever_is_unjudged():
    run = np.ones((60, 2), dtype=bool)
    after = frame(~run)
    after.loc[after["index"].eq(0), "verdict"] = "unjudged"
    decision = decide((SAME, frame(run)), (SAME, after))
    assert decision.verdict == "regression"
    assert decision.code == 1


def test_several_trainings_before_allow_for_their_spread():
    rng = np.random.default_rng(10)

    def trained(rate):
        return frame(rng.random((200, 4)) < rate)

    several = [trained(rate) for rate in (0.94, 0.90, 0.86)]
    lower = trained(0.84)
    alone = decide((SAME, several[0]), (SAME, lower))
    decision = decide((SAME, several), (SAME, lower))
    assert (alone.verdict, decision.verdict) == (REGRESSION, UNDERPOWERED)
    assert "the same weights" in alone.null
    assert "the 3 runs of the baseline" in decision.null
    for one, words in ((alone, "several runs"), (decision, "one more training")):
        assert words in printed(one)
        assert words in to_markdown(one, "t")
        assert words in json.loads(to_json(one))["null"]
    gone = decide((SAME, several), (SAME, trained(0.4)))
    assert gone.verdict == REGRESSION


def test_no_cell_in_common_is_not_comparable():
    (run,) = rates(np.random.default_rng(5), 20, 2)
    other = frame(run).assign(cell_id=lambda f: "x" + f["cell_id"])
    with pytest.raises(NotComparableError, match="no cell in common"):
        decide((SAME, frame(run)), (SAME, other))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_printed_verdict_and_exit_code_agree(data):
    cells = data.draw(st.integers(1, 30), label="cells")
    images = data.draw(st.integers(1, 3), label="images")
    seed = data.draw(st.integers(0, 1000), label="seed")
    strict = data.draw(st.booleans(), label="strict")
    margin = data.draw(st.sampled_from([0.0, 0.02, 0.2]), label="margin")
    rng = np.random.default_rng(seed)
    kinds = rng.choice(len(VERDICTS), (2, cells * images), p=rng.dirichlet(np.ones(len(VERDICTS))))
    frames = [
        frame(np.ones((cells, images), dtype=bool)).assign(verdict=[VERDICTS[k] for k in row])
        for row in kinds
    ]
    try:
        decision = decide((SAME, frames[0]), (SAME, frames[1]), strict=strict, margin=margin)
    except NotComparableError:
        return
    word = decision.verdict
    assert word in OUTCOMES
    codes = {PASS: 0, LOST: 1 if strict else 0, REGRESSION: 1, UNDERPOWERED: 3 if strict else 0}
    assert decision.code == codes[word]
    label = decision.primary.label
    assert label == word or (word == UNDERPOWERED and label.startswith("lost, but too few cells"))
    assert decision.sentence.startswith(f"{label}: binding score")
    for form in (printed(decision), to_markdown(decision, "a | b").splitlines()[2]):
        assert form.startswith(f"{label}: binding")
    stored = json.loads(to_json(decision))
    assert (stored["verdict"], stored["code"]) == (word, decision.code)
    assert stored["comparisons"][0]["verdict"] == word
    first, *others = workflow_commands(decision)
    level = "error" if decision.code else "notice" if word == PASS else "warning"
    assert first.startswith(f"::{level} ")
    assert not any(line.startswith("::error ") for line in others)
    write_junit(JUNIT, decision)
    root = ElementTree.parse(JUNIT).getroot()
    assert (int(root.attrib["failures"]), int(root.attrib["errors"])) == (
        int(decision.code != 0),
        0,
    )
    result = next(root.iter("testcase")).find("./*")
    assert (result is None) == (word == PASS)
    if result is not None:
        assert result.tag == ("failure" if decision.code else "skipped")
        assert label in result.attrib["message"]
    for one in decision.comparisons:
        assert 0 <= one.p <= 1
        assert one.low is None or one.low <= one.difference <= one.high
        assert one.verdict != REGRESSION or (one.p <= 0.05 and abs(one.difference) >= margin)
    primary = decision.primary
    if primary.low is not None:
        assert (primary.p <= 0.05) == (not primary.low <= 0 <= primary.high)
        assert word != PASS or primary.low > -margin


def printed(decision):
    console = Console(file=io.StringIO(), width=WIDTH, soft_wrap=True)
    console.print(render(decision))
    return console.file.getvalue()


def test_refusal_has_every_form(tmp_path):
    error = NotComparableError("cannot compare: sampler.steps was 4 in the baseline and is 5 now")
    assert json.loads(to_json(error))["code"] == error.exit_code == 3
    assert "not comparable: cannot compare: sampler.steps" in to_markdown(error, "t").replace(
        "\\", ""
    )
    (line,) = workflow_commands(error)
    assert line.startswith("::error title=bench check::not comparable: cannot compare")
    write_junit(tmp_path / "j.xml", error)
    assert ElementTree.parse(tmp_path / "j.xml").getroot().attrib["errors"] == "1"


def test_worst_cells_link_into_the_report():
    run = np.ones((60, 2), dtype=bool)
    worse = run.copy()
    worse[12] = False
    decision = decide((SAME, frame(run)), (SAME, frame(worse)))
    worst = decision.changes[0].cell
    text = to_markdown(decision, "t", "out/my report (2).html")
    link = f"](out/my%20report%20%282%29.html#cell={quote(worst, safe='')})"
    assert f"{link} | 2 of 2 | 0 of 2 | 2 background |" in text
    assert "](" not in to_markdown(decision, "t")


def test_address_of_the_report_is_told_from_where_the_summary_lies(tmp_path):
    assert address_from(tmp_path / "s.md", tmp_path / "r.html") == "r.html"
    assert address_from(tmp_path / "a/s.md", tmp_path / "b/r.html") == "../b/r.html"
