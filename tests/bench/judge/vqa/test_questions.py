"""What is asked, word for word."""

from __future__ import annotations

import numpy as np

from bench.judge.vqa.questions import has_colour, is_there, questions_of
from bench.records import Regions
from prompts import parse_prompt


def regions(*neighbours):
    masks = np.zeros((len(neighbours), 4, 4), np.float32)
    return Regions(
        ("potato",), np.ones((1, 4, 4), np.float32), np.ones(1, np.float32), neighbours, masks,
        np.zeros((4, 4), np.float32), "exact",
    )  # fmt: skip


def asked(prompt, index=0, *neighbours):
    found = questions_of(parse_prompt(prompt), index, regions(*neighbours))
    return [(one.kind, one.text) for one in found]


def test_a_blue_potato_beside_a_plate():
    assert asked("a blue potato", 0, "plate", "other") == [
        ("presence", "Is there a potato in the image?"),
        ("colour", "Is the potato blue?"),
        ("leak", "Is the plate blue?"),
        ("leak", "Is the background blue?"),
    ]


def test_the_other_subject_of_a_pair():
    assert asked("a red apple and a blue cup", 1) == [
        ("presence", "Is there a cup in the image?"),
        ("colour", "Is the cup blue?"),
        ("leak", "Is the apple blue?"),
        ("leak", "Is the background blue?"),
    ]


def test_scenery_is_asked_about_whether_or_not_it_was_found():
    assert ("leak", "Is the wall blue?") in asked("a blue potato in front of a white wall")


def test_a_place_that_should_have_the_colour_is_no_leak():
    assert asked("a red apple and a red cup")[2:] == [("leak", "Is the background red?")]


def test_a_control_is_asked_for_presence_alone():
    assert asked("a potato") == [("presence", "Is there a potato in the image?")]


def test_english():
    assert is_there("scissors") == "Are there scissors in the image?"
    assert has_colour("scissors", "blue") == "Are the scissors blue?"
    assert is_there("rice") == "Is there rice in the image?"
    assert is_there("orange") == "Is there an orange in the image?"
