from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.balanced_order import all_pairs, rotate, shuffled


@given(st.integers(0, 40))
def test_every_pair_once(n):
    pairs = all_pairs(range(n))
    assert Counter(frozenset(pair) for pair in pairs) == Counter(
        frozenset(pair) for pair in combinations(range(n), 2)
    )


@pytest.mark.parametrize("n", [5, 11, 27])
def test_each_round_is_balanced(n):
    pairs = all_pairs(range(n))
    for start in range(0, len(pairs), n):
        counts = Counter(item for pair in pairs[start : start + n] for item in pair)
        assert set(counts.values()) == {2}
        assert len(counts) == n


@given(st.integers(0, 12), st.integers(0, 12))
def test_rotate_yields_the_product_once(n, m):
    found = list(rotate(range(n), range(m)))
    assert len(found) == len(set(found)) == n * m


def test_shuffled_depends_on_names_and_salt_alone():
    names = ["a", "b", "c", "d", "e"]
    assert shuffled(names, "x") == shuffled(names[::-1], "x")
    assert sorted(shuffled(names, "x")) == names
    assert shuffled(names, "x") != shuffled(names, "y")
