import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import NotComparableError
from bench.gate.decide import decide, exit_code
from bench.gate.forms import to_dict, to_markdown
from bench.records import VERDICTS
from bench.statistics.paired import drop_p, smallest_detectable

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


@pytest.mark.parametrize("images", [1, 2, 4])
def test_false_alarms_are_at_most_alpha(images):
    """1,000 pairs of runs of one model with other noise, and the rule of the primary score."""
    rng = np.random.default_rng(images)
    p = rng.beta(3, 2, (120, 1, 1000))
    first, second = ((rng.random((120, images, 1000)) < p).mean(axis=1) for _ in range(2))
    differences = second - first
    found = drop_p(differences, rng, flips=1999) <= 0.05
    # Without the help of a margin: 5%, and three standard errors of 1,000 trials.
    assert found.sum() <= 50 + 3 * np.sqrt(1000 * 0.05 * 0.95)
    # With the margin of the gate.
    assert (found & (differences.mean(axis=0) <= -0.02)).sum() <= 50 + 21


def test_planted_drop_of_twice_the_detectable_effect_is_found():
    rng = np.random.default_rng(9)
    found = trials = 0
    for _ in range(40):
        p = rng.beta(6, 2, (297, 1))
        first = rng.random((297, 2)) < p
        second = rng.random((297, 2)) < p
        effect = 2 * smallest_detectable((second * 1.0 - first).mean(axis=1), 2, 0.05)
        lost = rng.random((297, 2)) < p - effect * (p / p.mean())
        found += decide((SAME, frame(first)), (SAME, frame(lost))).verdict == "regression"
        trials += 1
    assert found / trials >= 0.95


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
    assert word == decision.verdict == to_dict(decision)["verdict"]
    assert {"regression": 1, "pass": 0, "underpowered": 3 if strict else 0}[word] == decision.code
    assert decision.code == exit_code(word, strict)
    assert word in to_markdown(decision, "a | b")
    for one in decision.comparisons:
        assert 0 <= one.p <= 1
        assert one.low is None or one.low <= one.difference <= one.high
