import pytest

from bench.errors import UsageError
from bench.judge.colour import basic_term, resolve
from bench.judge.colour.named import colour_table, own_codes
from prompts.colours import BASIC, Colour


@pytest.mark.parametrize(
    ("words", "rgb"),
    [
        ("teal", (0, 128, 128)),
        ("Light Goldenrod Yellow", (250, 250, 210)),
        ("windows blue", (0x37, 0x78, 0xBF)),
        ("#3fa7d6", (0x3F, 0xA7, 0xD6)),
        ("#abc", (0xAA, 0xBB, 0xCC)),
        ("3FA7D6", (0x3F, 0xA7, 0xD6)),
        ("grey", (132, 132, 134)),
    ],
)
def test_resolve(words, rgb):
    assert resolve(words) == rgb


def test_basic_terms_keep_their_prototypes():
    assert all(resolve(colour.name) == colour.srgb for colour in BASIC)


def test_all_css_and_xkcd_names_are_there():
    assert len(colour_table()) > 950
    assert all(0 <= value <= 255 for rgb in colour_table().values() for value in rgb)


def test_unknown_names_propose_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'teal'"):
        resolve("teel")
    with pytest.raises(UsageError, match="no colour is called"):
        resolve("zzzzzz q")
    with pytest.raises(UsageError, match="no colour is called"):
        resolve("#12")


def test_basic_term():
    assert basic_term(" Grey ") == "gray"
    assert basic_term("blue") == "blue"
    assert basic_term("teal") is None


def test_own_codes_are_those_that_no_name_gives():
    teal = Colour("teal", (0, 128, 128), False)
    assert own_codes([*BASIC, teal]) is None
    other = Colour("teal", (0, 100, 100), False)
    assert own_codes([Colour("zorbish", (0, 95, 106), False), other]) == {
        "zorbish": "#005f6a",
        "teal": "#006464",
    }
