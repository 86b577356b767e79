"""Leaks beyond the control, place by place, on small drawn label maps."""

from __future__ import annotations

import numpy as np
import pytest

from bench.judge.excess import excess
from bench.judge.places import Picture
from tests.bench.judge.drawn_places import BLUE, PALE, TAN, picture


def test_a_picture_that_is_its_control_has_no_leak():
    same = picture(plate=BLUE)
    assert all(value == 0.0 for value in excess(same, same, "blue").values())


@pytest.mark.parametrize(
    ("changed", "place"),
    [({"wall": BLUE}, "wall"), ({"table": BLUE}, "support"), ({"plate": BLUE}, "plate")],
)
def test_the_leak_is_where_the_colour_is(changed, place):
    control = picture(plate=PALE)
    found = excess(picture(**{"plate": PALE, **changed}), control, "blue")
    assert found.pop(place) > 0.9
    assert all(abs(value) < 0.05 for value in found.values())


def test_a_blue_wall_under_a_blue_control_is_no_leak():
    found = excess(picture(BLUE, wall=BLUE), picture(wall=BLUE), "blue")
    assert abs(found["wall"]) < 0.05


def test_a_foot_that_is_called_a_plate_is_the_subject():
    drawn = picture(BLUE, plate=BLUE, plate_box=(44, 47, 30, 50))
    assert excess(drawn, picture(), "blue")["plate"] == 0.0
    # So is a large one where the control has its subject.
    drawn = picture(BLUE, plate=BLUE, box=(24, 34, 30, 50), plate_box=(34, 44, 30, 50))
    assert excess(drawn, picture(), "blue")["plate"] == 0.0


def test_ground_that_comes_to_light_says_nothing():
    control = picture(wall=(245, 245, 245), table=(245, 245, 245), box=(4, 76, 4, 76))
    drawn = picture((250, 250, 250), (245, 245, 245), (245, 245, 245))
    assert excess(drawn, control, "white").get("wall", 0.0) <= 0.0


def test_a_few_grey_levels_are_no_leak():
    found = excess(picture(wall=(226, 226, 226)), picture(wall=(205, 205, 205)), "white")
    assert found["wall"] == 0.0


def test_pictures_of_two_shapes_are_refused():
    small = Picture(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.uint8), ())
    with pytest.raises(ValueError, match="pictures of"):
        excess(picture(), small, "blue")


@pytest.mark.parametrize("subject", [TAN, BLUE])
def test_a_plate_under_a_thing_of_another_colour_is_no_part_of_it(subject):
    # It lies where the control has the subject, so it may be a brim: of a blue thing it is one.
    given = picture(subject, plate=BLUE, box=(24, 44, 30, 50), plate_box=(44, 50, 26, 54))
    found = excess(given, picture(TAN, box=(24, 52, 28, 52)), "blue")
    assert (found["plate"] > 0.9) == (subject == TAN)


@pytest.mark.parametrize("turn", [lambda a: a, np.fliplr, lambda a: np.swapaxes(a, 0, 1)])
@pytest.mark.parametrize(
    ("in_control", "sides", "is_leak"),
    [
        (PALE, (26, 54), True),  # A plate: longer than the thing, where the control has a wall.
        (TAN, (26, 54), False),  # A brim: of the colours of the control's thing.
        (PALE, (32, 48), False),  # A foot: not as long as the thing.
    ],
)
def test_a_plate_under_a_thing_of_its_colour_is_told_from_a_part(turn, in_control, sides, is_leak):
    def turned(one):
        return Picture(turn(one.byte), turn(one.labels), one.neighbours)

    box = (44, 47, *sides)
    given = picture(BLUE, plate=BLUE, box=(24, 44, 30, 50), plate_box=box)
    control = picture(TAN)
    control.byte[box[0] : box[1], box[2] : box[3]] = in_control
    found = excess(turned(given), turned(control), "blue")["plate"]
    assert found > 0.9 if is_leak else found == 0.0
