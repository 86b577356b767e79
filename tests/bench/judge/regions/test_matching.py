"""Nouns and things matched at once: no coin between two alike, and what is left is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.regions.matching import matched, name_scores, things_of
from bench.judge.regions.photo_evidence import THING, PhotoSight

ODDS = st.floats(-8, 8)


def sight(thing, names=None):
    kinds = np.zeros((5, *thing.shape), np.float32)
    kinds[THING], kinds[0] = thing, 1 - thing
    if names is None:
        names = np.full((28, 16, 16), 1 / 28, np.float32)
    known = (names, thing[2::4, 2::4].astype(np.float32))
    return PhotoSight(kinds, (known, known), np.zeros((1000, 8, 8), np.float32), ())


@given(ODDS)
def test_one_noun_and_one_thing_are_a_logistic_regression(odds):
    chance = matched(np.array([[odds]]))
    assert chance[0, 0] == pytest.approx(1 / (1 + np.exp(-odds)))


@given(st.lists(st.lists(ODDS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_chances_sum_to_one_and_no_thing_is_taken_twice(odds):
    chance = matched(np.array(odds))
    assert np.allclose(chance.sum(1), 1)
    assert (chance[:, :-1].sum(0) <= 1 + 1e-9).all()


@given(
    st.lists(st.lists(ODDS, min_size=3, max_size=3), min_size=2, max_size=3),
    st.permutations([0, 1, 2]),
)
def test_the_order_of_things_and_nouns_means_nothing(odds, order):
    odds = np.array(odds)
    chance = matched(odds)
    assert np.allclose(matched(odds[:, order])[:, [*range(3)]], chance[:, order])
    assert np.allclose(matched(odds[::-1]), chance[::-1])


def test_two_things_that_could_be_it_are_no_evidence():
    chance = matched(np.array([[4.0, 4.0]]))[0]
    assert chance[0] == chance[1] < 0.5
    assert chance[-1] < 0.05


def test_two_nouns_that_could_be_either_thing_are_no_evidence():
    chance = matched(np.full((2, 2), 3.0))
    assert (chance[:, :-1] < 0.5).all()


def test_what_is_surely_one_noun_is_not_the_other():
    # The first thing is the elephant; the fish, of which little is seen, is then the second.
    alone = matched(np.array([[1.0, 0.5]]))[0]
    both = matched(np.array([[9.0, -3.0], [1.0, 0.5]]))
    assert both[1, 1] > alone[1] + 0.2
    assert both[1, 0] < 0.02


def test_no_things_and_no_nouns():
    assert matched(np.zeros((2, 0))).tolist() == [[1.0], [1.0]]
    assert matched(np.zeros((0, 2))).shape == (0, 3)


def test_many_nouns_are_matched_in_no_time():
    chance = matched(np.tile(np.arange(6.0), (6, 1)))
    assert np.allclose(chance.sum(1), 1)


def test_things_stand_apart_and_specks_are_none():
    thing = np.zeros((64, 64), np.float32)
    thing[4:24, 4:24], thing[40:50, 40:50], thing[60:62, 2:4] = 0.9, 0.8, 0.9
    found = things_of(sight(thing))
    assert [one.inside.sum() for one in found] == [400, 100]


def test_a_name_is_read_in_its_own_thing_alone():
    thing = np.zeros((64, 64), np.float32)
    thing[4:24, 4:24], thing[40:60, 40:60] = 0.9, 0.9
    names = np.full((28, 16, 16), 0.001, np.float32)
    names[3, :8, :8], names[7, 8:, 8:] = 0.97, 0.97
    first, second = sorted(things_of(sight(thing, names)), key=lambda one: one.inside[0:30].sum())
    assert second.scores[0][3] > 0.8 > 0.1 > second.scores[0][7]
    assert first.scores[0][7] > 0.8 > 0.1 > first.scores[0][3]


def test_a_chance_likeness_at_one_place_is_no_name():
    thing, names = np.ones((16, 16), np.float32), np.full((28, 16, 16), 0.01, np.float32)
    names[3, 8, 8] = 1.0
    names[7, 6:9, 6:9] = 1.0
    scores = name_scores(names, thing)
    assert scores[3] < 0.2
    assert scores[7] > 0.9
