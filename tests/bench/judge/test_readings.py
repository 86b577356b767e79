"""Leaks, and second opinions against the verdict."""

from __future__ import annotations

import math

import pytest

from bench.judge.readings import disagreements, leak_excess, leaks_of
from prompts.cells import Binding

YES = {"clip_bind": 0.9, "vqa_presence": 0.9, "vqa_bind": 0.9, "blipvqa": 0.9}
NO = {"clip_bind": 0.2, "vqa_presence": 0.9, "vqa_bind": 0.2, "blipvqa": 0.2}


@pytest.mark.parametrize("scorer", ["clip", "vqa", "blipvqa"])
@pytest.mark.parametrize(
    ("verdict", "yes", "no"),
    [
        ("bound", 0.0, 1.0),
        ("spilled", 0.0, 1.0),
        ("prior", 1.0, 0.0),
        ("neighbour", 1.0, 0.0),
        ("mixed", None, None),
        ("unjudged", None, None),
        ("invalid", None, None),
    ],
)
def test_bound_and_spilled_are_a_yes_and_the_rest_is_a_no(scorer, verdict, yes, no):
    for metrics, expected in ((YES, yes), (NO, no)):
        found = disagreements(verdict, metrics)[f"{scorer}_disagrees"]
        assert math.isnan(found) if expected is None else found == expected


def test_what_is_absent_is_judged_by_a_model_that_was_asked_for_its_presence():
    gone = {"clip_bind": 0.9, "vqa_presence": 0.1, "vqa_bind": 0.9, "blipvqa": 0.1}
    found = disagreements("absent", gone)
    assert math.isnan(found["clip_disagrees"])
    assert found["vqa_disagrees"] == 0.0
    assert disagreements("bound", gone)["vqa_disagrees"] == 1.0


def test_without_all_it_needs_there_is_no_opinion():
    found = disagreements("bound", {"vqa_bind": 0.9})
    assert all(math.isnan(value) for value in found.values())


TABLE = {"leak_wall": 0.4, "excess_wall": 0.0, "excess_support": 1.0, "leak_plate": 0.2}
BLUE = Binding("blue", "potato")


def test_a_table_that_the_segmenter_takes_for_wall_is_a_leak_of_its_own():
    by_place = {leak.place: leak for leak in leaks_of(BLUE, TABLE, {})}
    assert by_place["support"].value == by_place["support"].share == 1.0
    assert by_place["support"].verdict == "background"
    assert by_place["wall"].value == 0.0
    assert leak_excess(BLUE, TABLE, {}) == 1.0


def test_a_table_that_the_prompt_asks_for_is_none():
    asked = {**TABLE, "leak_wall": math.nan}
    assert [leak.place for leak in leaks_of(BLUE, asked, {})] == ["plate"]


def test_a_scorer_that_knows_two_places_is_held_against_its_own_control():
    # Places beyond the control are the suite's; a scorer of one's own need not know them.
    own = {"leak_background": 0.5, "leak_neighbour": 0.1, "excess_wall": 0.9, "excess_plate": 0.9}
    control = {"background_blue": 0.2, "neighbour_blue": 0.0}
    assert leak_excess(Binding("blue", "potato"), own, control) == pytest.approx(0.3)


@pytest.mark.parametrize(("colour", "value"), [("gray", 0.05), ("blue", 0.44)])
def test_of_white_and_gray_no_more_is_a_leak_than_the_place_has(colour, value):
    # Of a wall that was pink without the word all else is gained, and light makes it gray.
    metrics = {"leak_wall": 0.05, "excess_wall": 0.44}
    (leak,) = leaks_of(Binding(colour, "hat"), metrics, {})
    assert leak.value == value
