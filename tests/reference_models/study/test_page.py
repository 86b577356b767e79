"""What the study says follows from its intervals, and is made again from what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_models.errors import ModelError
from reference_models.study import sentences
from reference_models.study.figures import figures
from reference_models.study.page import page
from reference_models.study.results import Bin, Result, Value, read_results, write_results
from reference_models.study.seeds import pooled

FACTS = {
    "asked": "--model local",
    "finished": "2026-11-25T00:00:00+00:00",
    "images": 522,
    "pairs": 30,
    "pictures": 64_000,
    "seconds": 600,
    "seed": 1,
    "weights": "ab" * 32,
}
SCORES = ("all", "tag:seen", "tag:novel", "held", "natural", "unnatural", "tag:canonical")


def result(name, model, value=0.9, low=None, high=None, **more):
    ends = (value - 0.05 if low is None else low, value + 0.05 if high is None else high)
    whole = Value(value, *(round(end, 5) for end in ends))
    table = {("binding_score", group): whole for group in SCORES}
    table |= {(metric, "all"): whole for metric in ("leakage_rate", "kept_prior", "arrival_noise")}
    table["gap_seen_novel", "all"] = Value(*(round(value - less, 5) for less in (0.5, 0.6, 0.4)))
    return Result(name, model, FACTS, table, **more)


def study():
    bins = (Bin(0, 0, Value(0.9, 0.8, 0.95, 9, 9)), Bin(8, 15, Value(0.5, 0.4, 0.6, 9, 9)),
            Bin(16, 31, Value(0.95, 0.9, 1.0, 9, 9)))  # fmt: skip
    line = (Value(0.1, 0.05, 0.2, 9, 9), Value(0.9, 0.8, 1.0, 9, 9))
    curves = {f"{p}{place}": line for p in ("", "control_")
              for place in ("subject", "background", "neighbour")}  # fmt: skip
    found = [
        result("member-local-teacher", "local-teacher", seen=bins),
        result("member-local-atomic", "local-atomic", 0.1),
        result("member-local-cov-10", "local-cov-10", 0.5),
        result("member-local-cov-100", "local-cov-100", 0.9),
        result("member-local-atomic-seed2", "local-atomic", 0.2),
        result("member-local-cov-100-seed2", "local-cov-100", 0.9),
        result("guidance-1", "local-teacher", 0.5),
        result("guidance-4", "local-teacher", 0.9),
        result("steps-2", "local-teacher", 0.9),
        result("frames-local-teacher", "local-teacher", 0.9, noise=(1.0, 0.5), curves=curves),
    ]
    return {one.name: one for one in found}


def test_a_number_stands_with_its_interval_or_without_one():
    assert sentences.percent(Value(0.5, 0.25, 0.75)) == "50.0 (25.0 to 75.0)"
    assert sentences.percent(Value(0.5, 0.25, 0.75), signed=True) == "+50.0 (+25.0 to +75.0)"
    assert sentences.percent(Value(0.5)) == "50.0"
    assert sentences.percent(Value(None)) == "-"


shares = st.tuples(*[st.floats(0, 1)] * 3).map(sorted).map(lambda v: Value(v[1], v[0], v[2]))


@given(shares, shares)
def test_what_is_said_of_a_difference_follows_from_its_interval(one, other):
    said = sentences.compared("this", one, "that", other, "Bound")
    gap = sentences.minus(one, other)
    assert ("do not tell" in said) == (gap.low <= 0 <= gap.high)
    assert ("this is higher" in said) == (gap.low > 0)
    assert ("this is lower" in said) == (gap.high < 0)
    if one.low > other.high:
        assert "this is higher" in said


def test_nothing_is_said_of_what_has_no_interval():
    assert sentences.compared("this", Value(0.9), "that", Value(0.1, 0.0, 0.2), "Bound") == ""


def test_trainings_are_pooled_by_the_t_distribution():
    one = pooled([0.1, 0.2, 0.3])
    # t(2) at 97.5% is 4.3027; s = 0.1.
    assert one.mean == pytest.approx(0.2)
    assert one.high == pytest.approx(0.2 + 4.302653 * 0.1 / 3**0.5, rel=1e-5)
    assert one.low == 0
    assert pooled([0.4]).low is None
    assert pooled([0.4, 0.4]).low == pooled([0.4, 0.4]).high == pytest.approx(0.4)


def test_a_seed_that_is_missing_is_told_and_one_training_has_no_interval_over_trainings():
    found = study()
    text = page(found)
    assert "Fewer than 3 trainings so far" in text
    assert (
        "| `local-atomic` | never taught | 10.0, 20.0 | 10.0 to 20.0 | 15.0 (0.0 to 78.5) |" in text
    )
    assert "t-intervals over trainings" in sentences.relation(found)[0]
    alone = {name: one for name, one in found.items() if "seed" not in name}
    assert "One training each: the intervals are over prompts alone" in page(alone)


def test_overlapping_intervals_are_not_told_apart():
    found = {name: one for name, one in study().items() if "seed" not in name}
    found["member-local-atomic"] = result("member-local-atomic", "local-atomic", 0.9, 0.6, 1.0)
    assert "do not tell the two apart" in sentences.relation(found)[1]


def test_members_below_the_goal_are_named():
    said = "\n".join(sentences.goal(study()))
    assert "Below 85%: `local-atomic` 10.0 (5.0 to 15.0), `local-cov-10`" in said
    assert "the whole interval above: `local-teacher` and `local-cov-100`" in said


def test_the_page_tells_what_is_there_and_what_is_not():
    found = study()
    text = page(found, {}, figures(found))
    assert "| `local-teacher` | 90.0 (85.0 to 95.0) |" in text
    assert "![binding against the share of pairs taught](images/study-coverage.svg)" in text
    assert "## Lightness" not in text
    assert "- `local-dit`: `python -m reference_models.train --preset local-dit`" in text
    assert "pairs seen 8 to 15 times 50.0" in text


def test_an_empty_study_has_a_page_and_no_figures():
    assert figures({}) == {}
    assert "## Not measured yet" in page({})


def test_the_same_results_give_the_same_bytes_and_no_date():
    first, second = figures(study()), figures(study())
    assert first == second
    assert set(first) == {
        f"study-{name}.svg" for name in ("members", "coverage", "seen", "sweeps", "trajectory")
    }
    for content in first.values():
        assert b"<dc:date>" not in content
        assert b"local-" in content or b"guidance" in content


def test_what_is_kept_is_read_back_and_sorted(tmp_path):
    path = tmp_path / "study" / "results.json"
    found = study()
    write_results(path, found.values(), {})
    again, tone = read_results(path)
    assert again == found
    assert tone == {}
    before = path.read_bytes()
    write_results(path, reversed(list(again.values())), tone)
    assert path.read_bytes() == before
    planned = {name: again[name] for name in found}
    assert page(planned) == page(found)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 9, "runs": {}, "tone": {}}', '{"format": 1}']
)
def test_a_file_of_something_else_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"results\.json is no file of the study's results"):
        read_results(path)
