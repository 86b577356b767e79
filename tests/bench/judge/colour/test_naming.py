import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from bench.errors import UsageError
from bench.judge import colour
from bench.judge.colour.fit import agreement, read_anchors
from bench.judge.colour.model import shares_of_lab, weights
from bench.judge.colour.spaces import to_linear
from prompts.colours import BASIC, COLOUR_NAMES

#: Centres of the English categories that surveys with calibrated colours agree on: Berlin and Kay
#: (1969), Sturges and Whitfield (1995); Munsell renotation adapted to D65, CIELAB.
FOCAL = [
    ("red", "5R 4/14", (40.6, 61.3, 29.7)),
    ("orange", "5YR 6/12", (61.0, 30.0, 63.0)),
    ("yellow", "5Y 8.5/12", (85.5, -3.6, 85.7)),
    ("green", "2.5G 5/10", (51.0, -53.0, 25.0)),
    ("blue", "2.5PB 4/10", (41.0, -2.0, -41.0)),
    ("purple", "5P 3/10", (30.5, 37.0, -32.0)),
    ("pink", "2.5R 7/8", (71.0, 32.0, 13.0)),
    ("brown", "5YR 3/6", (30.5, 18.0, 30.0)),
    ("black", "N 1", (10.0, 0.0, 0.0)),
    ("white", "N 9.5", (95.1, 0.0, 0.0)),
    ("gray", "N 5", (51.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("term", "chip", "lab"), FOCAL, ids=[row[1] for row in FOCAL])
def test_focal_colours(term, chip, lab):
    share = shares_of_lab(np.array(lab))
    assert COLOUR_NAMES[share.argmax()] == term
    assert share.max() > 0.85


@pytest.mark.parametrize(("term", "chip", "lab"), FOCAL, ids=[row[1] for row in FOCAL])
def test_near_focal_colours(term, chip, lab):
    steps = np.random.default_rng(0).normal(size=(200, 3))
    near = lab + 6.0 * steps / np.linalg.norm(steps, axis=1, keepdims=True)
    near[:, 0] = near[:, 0].clip(0, 100)
    named = shares_of_lab(near).argmax(axis=1)
    assert (named == COLOUR_NAMES.index(term)).mean() >= 0.85


def test_prototypes_are_surely_themselves():
    rgb = np.array([basic.srgb for basic in BASIC], dtype=np.uint8)
    assert list(colour.name(rgb)) == list(COLOUR_NAMES)
    assert colour.memberships(rgb)[np.arange(11), np.arange(11)].min() > 0.95


@settings(deadline=None)  # the table is made at the first call
@given(arrays(np.uint8, (16, 3)))
def test_memberships_are_shares(rgb):
    share = colour.memberships(rgb)
    assert share.dtype == np.float32
    assert share.shape == (16, 11)
    assert share.min() >= 0
    np.testing.assert_allclose(share.sum(axis=-1), 1, atol=1e-5)


def test_floats_and_bytes_agree():
    rgb = np.random.default_rng(2).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(colour.memberships(rgb), colour.memberships(rgb / 255.0))


def test_table_error_is_what_the_docstring_says():
    rgb = np.random.default_rng(3).integers(0, 256, (100_000, 3), dtype=np.uint8)
    table, exact = colour.memberships(rgb), colour.memberships(rgb, exact=True)
    worst = np.abs(table - exact).max(axis=1)
    assert worst.mean() < 0.015
    assert worst.max() < 0.36
    assert (table.argmax(axis=1) != exact.argmax(axis=1)).mean() < 0.016


def test_name_of_one_and_of_many():
    assert colour.name(np.array([250, 218, 40], dtype=np.uint8)) == "yellow"
    picture = np.zeros((2, 3, 3), dtype=np.uint8)
    assert colour.name(picture).shape == (2, 3)
    assert set(colour.name(picture).flat) == {"black"}


def test_an_empty_picture_has_no_memberships():
    assert colour.memberships(np.zeros((0, 5, 3), dtype=np.uint8)).shape == (0, 5, 11)


def test_stored_model_agrees_with_its_anchors():
    assert agreement(weights(), read_anchors()).mean() > 0.95


@settings(deadline=None)
@given(arrays(np.uint8, (8, 3)))
def test_linear_light_is_taken_where_it_is_stated(rgb):
    light = to_linear(rgb / 255.0)
    np.testing.assert_allclose(
        colour.memberships(light, exact=True, linear=True),
        colour.memberships(rgb, exact=True),
        atol=1e-4,
    )
    np.testing.assert_array_equal(colour.name(light, linear=True), colour.name(rgb))


def test_linear_light_is_never_guessed():
    assert colour.name(np.array([0.05, 0.015, 0.001])) == "black"
    assert colour.name(np.array([0.05, 0.015, 0.001]), linear=True) == "brown"


@pytest.mark.parametrize("wrong", [np.zeros(3, np.uint8), np.zeros(3, int), np.full(3, 1.5)])
def test_linear_light_is_checked(wrong):
    with pytest.raises(UsageError, match=r"float in \[0, 1\]|must lie in"):
        colour.memberships(wrong, linear=True)
