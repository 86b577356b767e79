"""Words of a prompt with their places, without tags, weights, switches and quoted text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.text_tokens import QUOTED, tokenise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A Grey x-ray's lamp", "a gray x-ray's lamp"),
        ("((red kite:1.2)), best", "red kite , best"),
        ("a (red:1.3) kite [blurry]", "a red kite blurry"),
        ("(a kite, a gate and a barn)", "( a kite , a gate and a barn )"),
        ("red kite <lora:film:0.6>", "red kite"),
        ("red kite --ar 16:9", "red kite"),
        ("red kite Negative prompt: green", "red kite"),
        ("says 'Don't stop!' in red", f"says {QUOTED} in red"),
        ("the kids' kite", "the kids ' kite"),
        ("the word GREEN", f"the word {QUOTED}"),
        ("a kite that's red", "a kite that is red"),
        ("a #3FA7D6 kite", "a #3fa7d6 kite"),
        ("赤い 凧", "赤い 凧"),
    ],
)
def test_tokens(text, words):
    assert " ".join(tokenise(text).low) == words


@given(st.text(max_size=200))
def test_places_are_in_order_and_of_the_text(text):
    tokens = tokenise(text)
    assert len(tokens.low) == len(tokens.spans)
    ends = [0, *(place for span in tokens.spans for place in span), len(text)]
    assert ends == sorted(ends)
