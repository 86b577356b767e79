import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.readings import leak_excess, observed, without_parts
from bench.judge.verdict import DEFAULT, Thresholds, judge
from bench.records import VERDICTS
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from tests.bench.scenes import pair, single


def metrics(**values):
    """A potato in its own brown, before anything is changed."""
    return {
        "presence": 1.0,
        "bind": 0.0,
        "prior": 1.0,
        "leak_background": 0.0,
        "leak_neighbour": 0.0,
        "swap": math.nan,
        "subject_brown": 1.0,
        **values,
    }


def said(values, control=None, cell=None, **options):
    (verdict,) = judge(
        cell or single(), "s", [values], None if control is None else [control], **options
    )
    return verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (metrics(), "prior"),
        (metrics(prior=0.1, subject_brown=0.1, subject_red=0.9), "wrong"),
        (metrics(bind=0.9, prior=0.1, subject_brown=0.1, subject_blue=0.9), "bound"),
        (metrics(bind=0.55, subject_blue=0.55, subject_brown=0.2, subject_green=0.2), "bound"),
        (metrics(bind=0.55, subject_blue=0.55, subject_brown=0.45), "mixed"),
        (metrics(bind=0.3, subject_blue=0.3, subject_brown=0.7), "mixed"),
        (metrics(bind=0.9, leak_neighbour=0.8), "spilled"),
        (metrics(bind=0.9, leak_background=0.6, subject_brown=0.1), "spilled"),
        (metrics(bind=0.03, leak_neighbour=0.71), "neighbour"),
        (metrics(leak_background=0.5), "background"),
        (metrics(leak_background=0.5, leak_neighbour=0.9), "neighbour"),
        (metrics(presence=0.1), "absent"),
        (metrics(presence=0.1, bind=math.nan), "absent"),
        ({}, "invalid"),
    ],
)
def test_one_rule_after_the_other(values, verdict):
    if verdict == "spilled":
        values = {**values, "subject_brown": 0.1}
    assert said(values).verdict == verdict


def test_words_name_the_measured_places():
    found = said(metrics(bind=0.03, leak_neighbour=0.71))
    assert found.words == "blue covers 3% of the potato and 71% of another object"
    asked = single("blue", scenery=(Binding("white", "picture frame"),))
    found = said(metrics(bind=0.03, leak_plate=0.71, leak_picture_frame=0.2), cell=asked)
    assert found.words == "blue covers 3% of the potato and 71% of the plate"
    assert (found.rule, found.value, found.threshold) == ("leak_plate", 0.71, 0.25)


def test_the_control_is_taken_off_the_leaks():
    gray_wall = metrics(leak_background=0.8)
    control = {"background_gray": 0.78, "subject_brown": 1.0}
    assert said(gray_wall, cell=single("gray")).verdict == "background"
    found = said(gray_wall, control, single("gray"))
    assert found.verdict == "prior"
    bound = metrics(bind=0.9, subject_brown=0.0, leak_background=0.8)
    assert said(bound, control, single("gray")).verdict == "bound"


def test_quiet_colours_without_a_control_need_a_larger_leak():
    values = metrics(leak_background=0.4)
    assert said(values, cell=single("blue")).verdict == "background"
    assert said(values, cell=single("gray")).verdict == "prior"
    assert said(values, {"background_gray": 0.0}, single("gray")).verdict == "background"


def test_parts_in_the_asked_colour_by_nature_are_no_mixture():
    leaf = metrics(bind=0.25, prior=0.75, subject_green=0.25, subject_orange=0.75)
    control = {"subject_green": 0.24, "subject_orange": 0.76}
    cell = single("green", "carrot")
    assert said(leaf, control, cell).verdict == "prior"
    # Without a control the usual parts of a carrot stand in; of a fish none are known.
    assert said(leaf, cell=cell).verdict == "prior"
    assert said(leaf, cell=single("green", "fish")).verdict == "mixed"


def test_a_roof_is_no_second_paint_of_a_house_and_a_red_half_is_one():
    roof = metrics(
        bind=0.4, rival=0.5, commonest=0.5, subject_brown=0.0, subject_blue=0.4, subject_gray=0.5
    )
    assert said(roof, cell=single("blue", "house")).verdict == "bound"
    assert said(roof, cell=single("blue", "egg")).verdict == "mixed"
    red = metrics(
        bind=0.4, rival=0.5, commonest=0.5, subject_brown=0.0, subject_blue=0.4, subject_red=0.5
    )
    assert said(red, cell=single("blue", "house")).verdict == "mixed"
    # A control knows better than the table: this house has no gray by nature.
    control = {"subject_white": 1.0, **{f"subject_{t}": 0.0 for t in ("gray", "brown")}}
    assert said(roof, control, single("blue", "house")).verdict == "mixed"


@given(
    share=st.floats(0.0, 1.0),
    noun=st.sampled_from(["house", "carrot", "car", "egg", "thingamajig"]),
    term=st.sampled_from(["gray", "brown", "green", "black"]),
)
def test_taking_parts_off_leaves_shares(share, noun, term):
    values = metrics(bind=1.0 - share, subject_brown=0.0) | {f"subject_{term}": share}
    paint = without_parts(values, {}, "pink", noun)
    assert 0.0 <= paint.asked <= 1.0
    assert 0.0 <= paint.commonest <= 1.0
    assert paint.asked >= 1.0 - share - 1e-9


def test_a_swap_is_the_commonest_colour_of_the_subject():
    parts = metrics(
        bind=0.0, swap=0.45, prior=0.0, subject_brown=0.25, subject_blue=0.45, subject_gray=0.3
    )
    assert judge(pair(), "s", [parts, parts])[0].verdict == "swapped"
    less = metrics(
        bind=0.0, swap=0.45, prior=0.0, subject_brown=0.0, subject_blue=0.45, subject_gray=0.5
    )
    assert judge(pair(), "s", [less, less])[0].verdict != "swapped"


def test_a_swapped_pair_and_one_that_is_right():
    wrong = metrics(bind=0.02, swap=0.95, prior=0.0, subject_brown=0.0, subject_blue=0.95)
    right = metrics(bind=0.95, swap=0.0, prior=math.nan, subject_brown=0.0)
    both = judge(pair(), "s", [wrong, wrong])
    assert [verdict.verdict for verdict in both] == ["swapped", "swapped"]
    assert both[0].words.startswith("blue, asked for elsewhere, covers 95% of the potato")
    one = judge(pair(), "s", [right, wrong])
    assert [verdict.verdict for verdict in one] == ["bound", "swapped"]
    assert [verdict.binding for verdict in one] == [0, 1]


def test_invalid_wins_and_says_why():
    found = said(metrics(bind=1.0), invalid="black")
    assert (found.verdict, found.rule) == ("invalid", "image")
    assert "black" in found.words


def test_a_control_gets_no_verdict():
    assert judge(single(None), "s", [metrics()]) == []


def test_an_unknown_subject_takes_its_prior_from_the_control():
    cell = Cell("x", "a blue kazoo", (Binding("blue", "kazoo"),), "single", "c")
    values = metrics(prior=math.nan, subject_brown=0.0, subject_red=0.9)
    assert said(values, cell=cell).verdict == "wrong"
    assert said(values, {"subject_red": 0.95}, cell).verdict == "prior"


def test_a_colour_outside_the_basic_terms():
    values = metrics(bind=0.9, prior=0.0, subject_brown=0.0, subject_green=0.6, subject_blue=0.4)
    assert said(values, cell=single("teal")).verdict == "bound"
    half = metrics(bind=0.55, subject_brown=0.45, subject_green=0.55)
    assert said(half, cell=single("teal")).verdict == "mixed"


def test_thresholds_are_those_given():
    values = metrics(bind=0.55, subject_brown=0.1, subject_blue=0.55)
    assert said(values).verdict == "bound"
    assert said(values, thresholds=Thresholds(bound=0.7)).verdict == "mixed"


def test_leak_excess():
    values = metrics(leak_background=0.5, leak_neighbour=0.1)
    binding = Binding("blue", "potato")
    control = {"background_blue": 0.1, "neighbour_blue": 0.0}
    assert leak_excess(binding, values, control) == pytest.approx(0.4)
    assert math.isnan(leak_excess(binding, values, None))
    assert math.isnan(leak_excess(Binding("teal", "potato"), values, control))


def test_observed():
    assert observed(metrics()) == "brown"
    assert observed({}) == ""


share = st.one_of(st.just(math.nan), st.floats(0, 1))
keys = ["presence", "bind", "prior", "leak_background", "leak_neighbour", "swap"]
keys += [f"{place}_{term}" for place in ("subject", "background") for term in COLOUR_NAMES]


@given(
    st.dictionaries(st.sampled_from(keys), share),
    st.none() | st.dictionaries(st.sampled_from(keys), share),
    st.sampled_from([*COLOUR_NAMES, "teal"]),
)
def test_always_exactly_one_known_verdict(values, control, colour):
    found = said(values, control, single(colour))
    assert found.verdict in VERDICTS
    assert found.words
    assert found == said(values, control, single(colour)) or math.isnan(found.value)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_bind_never_unbinds(low, high):
    low, high = sorted((low, high))

    def bound(bind):
        rest = metrics(bind=bind, subject_blue=bind, subject_brown=1 - bind, prior=1 - bind)
        return said(rest).verdict == "bound"

    assert bound(low) <= bound(high)


def test_defaults_are_one_place():
    assert Thresholds() == DEFAULT


def test_the_commonest_colour_of_a_subject_is_never_called_some_other_one():
    # A hat that is black by nature, asked for in black: its wide white band is a part, since the
    # control has it too.
    hat = metrics(
        bind=0.59, prior=math.nan, subject_brown=0.0, subject_black=0.59, subject_white=0.4
    )
    control = metrics(subject_brown=0.0, subject_black=0.6, subject_white=0.4)
    assert said(hat, control, single("black", "hat")).verdict == "bound"
    assert said(hat, cell=single("white", "hat")).verdict == "mixed"
