import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.slug import slug


@pytest.mark.parametrize(
    ("word", "expected"),
    [("potato", "potato"), ("picture frame", "picture-frame"), ("7 up", "7-up")],
)
def test_plain_words(word, expected):
    assert slug(word) == expected


# fmt: off
ALIKE = ["x ray", "x-ray", "X ray", "x  ray", "x_ray", "x/ray", "xray", "x ray ", "x.ray", "x—ray",
         "é", "e", "e\u0301", "薯", "土", "", " ", "-", "~", "a" * 10_000, "a" * 10_001,
         "תפוח", "\u202eyar x", '"x ray"', "x'ray", "../x", "control", "x-ray~0123456789"]
# fmt: on


def test_alike_words_stay_apart():
    slugs = {slug(word) for word in ALIKE}
    assert len(slugs) == len(ALIKE)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_collision(one, other):
    assert (slug(one) == slug(other)) == (one == other)


@given(st.text())
def test_safe_in_ids_and_paths(word):
    assert re.fullmatch(r"[a-z0-9~-]+", slug(word))
    assert len(slug(word)) <= 48
