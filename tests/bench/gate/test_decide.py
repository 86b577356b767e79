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
from bench.statistics.paired import flip_p

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
    assert any(one.group.startswith("subject:") for one in decision.fallen)
    assert "regression: binding score went from" in decision.sentence


def test_gain_passes():
    (run,) = rates(np.random.default_rng(2), 297, 4)
    better = run.copy()
    better[:60] = True
    assert decide((SAME, frame(run)), (SAME, frame(better))).verdict == "pass"


def test_small_significant_loss_below_the_margin_is_no_regression():
    run = np.ones((400, 4), dtype=bool)
    worse = run.copy()
    worse[:12, 0] = False
    decision = decide((SAME, frame(run)), (SAME, frame(worse)), margin=0.02)
    assert decision.primary.p < 0.05
    assert decision.verdict == "pass"
    assert decide((SAME, frame(run)), (SAME, frame(worse)), margin=0.005).verdict == "regression"


def test_too_few_images_are_underpowered_and_strict_fails():
    first, second = rates(np.random.default_rng(3), 20, 1, 2)
    decision = decide((SAME, frame(first)), (SAME, frame(second)))
    assert (decision.verdict, decision.code) == ("underpowered", 0)
    strict = decide((SAME, frame(first)), (SAME, frame(second)), strict=True)
    assert (strict.verdict, strict.code) == ("underpowered", 3)
    assert f"{strict.primary.detectable:.1%}" in strict.sentence


@pytest.mark.parametrize(("cells", "images"), [(60, 1), (40, 3)])
def test_of_a_thousand_pairs_without_a_difference_at_most_alpha_fail(cells, images):
    """Two runs of one model from other noise, through the gate; a size where no margin helps."""
    rng = np.random.default_rng([cells, images])
    codes = []
    for _ in range(1000):
        first, second = rates(rng, cells, images, 2)
        decision = decide((SAME, frame(first)), (SAME, frame(second)), details=False)
        assert decision.primary.detectable > 0.1
        codes.append(decision.code)
    assert set(codes) == {0, 1}
    assert sum(codes) <= 50


@pytest.mark.parametrize("images", [1, 2, 4])
def test_level_of_the_test_itself(images):
    """Changes for better and worse together: at most alpha, and three standard errors."""
    rng = np.random.default_rng(images)
    p = rng.beta(3, 2, (120, 1, 1000))
    first, second = ((rng.random((120, images, 1000)) < p).mean(axis=1) for _ in range(2))
    found = flip_p(second - first, rng, flips=1999) <= 0.05
    assert 10 <= found.sum() <= 50 + 3 * np.sqrt(1000 * 0.05 * 0.95)


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
    assert (alone.verdict, one.verdict) == ("regression", "underpowered")


def test_other_seeds_are_compared_by_cell_with_a_warning():
    first, second = rates(np.random.default_rng(4), 297, 4, 2)
    decision = decide((SAME, frame(first)), (SAME, frame(second, first=100)))
    assert decision.verdict in ("pass", "underpowered")
    assert any("compared by cell" in line for line in decision.warnings)


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
    word = decision.sentence.split(":")[0]
    assert word == decision.verdict
    assert {"regression": 1, "pass": 0, "underpowered": 3 if strict else 0}[word] == decision.code
    for form in (printed(decision), to_markdown(decision, "a | b").splitlines()[2]):
        assert form.startswith(f"{word}: binding")
    assert (json.loads(to_json(decision))["verdict"], json.loads(to_json(decision))["code"]) == (
        word,
        decision.code,
    )
    first, *others = workflow_commands(decision)
    assert first.startswith("::error ") == (decision.code != 0)
    assert not any(line.startswith("::error ") for line in others)
    write_junit(JUNIT, decision)
    suite = ElementTree.parse(JUNIT).getroot().attrib
    assert (int(suite["failures"]), int(suite["errors"])) == (int(decision.code != 0), 0)
    for one in decision.comparisons:
        assert 0 <= one.p <= 1
        assert one.low is None or one.low <= one.difference <= one.high
        assert one.verdict != "regression" or (one.p <= 0.05 and abs(one.difference) >= margin)


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
    assert f"{link} | 2 | 0 | 2 | 2 background |" in text
    assert "](" not in to_markdown(decision, "t")


def test_address_of_the_report_is_told_from_where_the_summary_lies(tmp_path):
    assert address_from(tmp_path / "s.md", tmp_path / "r.html") == "r.html"
    assert address_from(tmp_path / "a/s.md", tmp_path / "b/r.html") == "../b/r.html"
