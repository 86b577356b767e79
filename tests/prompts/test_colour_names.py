"""The one list of colour names: what is measured, and what is read in a prompt."""

import pytest

from prompts.colour_names import (
    ambiguous_names,
    colour_key,
    colour_table,
    css_names,
    named_colour,
    names_in_text,
    parse_hex,
)
from prompts.colours import BASIC, COLOURS


def test_basic_terms_come_before_css_and_css_before_xkcd():
    assert all(named_colour(one.name) == one.srgb for one in BASIC)
    assert named_colour("teal") == (0, 128, 128)
    assert named_colour("windows blue") == (0x37, 0x78, 0xBF)


@pytest.mark.parametrize("words", ["Dark Slate Grey", "darkslategray", "dark-slate-gray"])
def test_case_spaces_and_spelling_do_not_matter(words):
    assert named_colour(words) == (47, 79, 79)


def test_golden_is_gold():
    assert colour_key("Golden") == "gold"
    assert named_colour("golden") == named_colour("gold") == (255, 215, 0)


def test_every_name_that_is_read_can_be_measured():
    for name, term in names_in_text().items():
        assert named_colour(name), name
        assert term == "" or term in COLOURS
        assert name.split()[-1] != "brown" or term == "brown"


def test_names_that_are_things_are_not_read():
    read = set(names_in_text())
    assert read.isdisjoint(ambiguous_names())
    assert {"teal", "navy blue", "forest green", "gold"} <= read
    assert read.isdisjoint(
        {"salmon", "olive", "chocolate", "green apple", "red orange", "blood orange", "bright red"}
    )


def test_codes():
    assert parse_hex("#0F8") == (0, 255, 136)
    assert parse_hex("zzz") is None
    assert len(css_names()) == 141
    assert all(0 <= value <= 255 for srgb in colour_table().values() for value in srgb)
