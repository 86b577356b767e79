"""When the colour came: known answers."""

import math

import numpy as np
import pandas as pd
import pytest

from bench.statistics.arrival import arrival, estimate_arrivals, excess_elsewhere

NOISE = np.array([1.0, 0.75, 0.5, 0.25])
NOWHERE = np.zeros((4, 2))
FREE = np.array([False, False])


def test_arrival_is_where_half_of_the_final_share_is_reached_for_good():
    told = arrival(np.array([0.1, 0.5, 0.3, 0.8]), NOISE, NOWHERE, FREE)
    assert (told["arrival_step"], told["arrival_noise"]) == (3, 0.25)
    told = arrival(np.array([0.1, 0.4, 0.6, 0.8]), NOISE, NOWHERE, FREE)
    assert (told["arrival_step"], told["arrival_noise"]) == (1, 0.75)


def test_a_colour_that_never_came_has_no_arrival_and_one_there_at_once_nothing_before():
    assert math.isnan(arrival(np.full(4, 0.2), NOISE, NOWHERE, FREE)["arrival_step"])
    assert math.isnan(arrival(np.full(4, math.nan), NOISE, NOWHERE, FREE)["arrival_step"])
    told = arrival(np.full(4, 0.9), NOISE, NOWHERE, FREE)
    assert told["arrival_step"] == 0
    assert math.isnan(told["before_background"])


def test_a_colour_that_was_on_the_wall_first_is_told_with_its_greatest_share():
    wall = np.array([[0.3, 0.0], [0.6, 0.1], [0.1, 0.0], [0.0, 0.0]])
    told = arrival(np.array([0.0, 0.1, 0.7, 0.9]), NOISE, wall, FREE)
    assert told["arrival_step"] == 2
    assert told["before_background"] == 0.6
    assert told["before_neighbour"] == 0.1
    assert (told["stood_elsewhere"], told["stayed_elsewhere"]) == (1, 0)


def test_a_colour_that_never_left_the_plate():
    plate = np.array([[0.0, 0.3], [0.0, 0.6], [0.0, 0.7], [0.0, 0.7]])
    told = arrival(np.zeros(4), NOISE, plate, FREE)
    assert (told["stood_elsewhere"], told["stayed_elsewhere"]) == (1, 1)
    assert math.isnan(told["arrival_step"])
    asked = arrival(np.zeros(4), NOISE, plate, np.array([False, True]))
    assert asked["stood_elsewhere"] == 0
    assert math.isnan(asked["stayed_elsewhere"])


def test_only_what_exceeds_the_control_of_the_same_step_counts():
    image = pd.DataFrame({"background_blue": [0.5, 0.5, 0.5]})
    control = pd.DataFrame({"background_blue": [0.5, 0.1, math.nan]})
    found = excess_elsewhere(image, control, "blue")
    assert found[:, 0] == pytest.approx([0.0, 0.4, 0.5])
    assert (found[:, 1] == 0).all()
    assert excess_elsewhere(image, None, "blue")[:, 0] == pytest.approx([0.5] * 3)


def table(values, cells, tags=("seen",)):
    nothing = dict.fromkeys(
        ("arrival_step", "before_background", "before_neighbour", "stayed_elsewhere"), math.nan
    )
    return pd.DataFrame(
        [
            {"cell_id": cell, "tags": list(tags), "arrival_noise": value, "stood_elsewhere": 0.0}
            | nothing
            for value, cell in zip(values, cells, strict=True)
        ]
    )


def test_estimates_average_over_cells_and_leave_out_what_never_came():
    rows = table([1.0, 0.5, 0.5, math.nan], ["a", "a", "b", "c"])
    found = {(e.metric, e.group): e for e in estimate_arrivals(rows, ("all", "seen", "novel"))}
    one = found["arrival_noise", "all"]
    assert one.value == pytest.approx((0.75 + 0.5) / 2)
    assert (one.images, one.scored, one.cells) == (4, 3, 2)
    assert (one.low, one.high) == (None, None), "two cells tell nothing of a measured metric"
    assert found["stood_elsewhere", "all"].high > 0.5
    assert ("arrival_noise", "tag:novel") not in found
    assert math.isnan(found["stayed_elsewhere", "all"].value)


def test_many_cells_give_an_interval():
    rows = table(np.linspace(0.2, 0.8, 24), [f"c{number // 2}" for number in range(24)])
    one = estimate_arrivals(rows, ("all",))[0]
    assert one.low < one.value < one.high


def test_one_cell_gives_no_interval():
    (one, *_) = estimate_arrivals(table([0.5, 0.75], ["a", "a"]), ("all",))
    assert (one.low, one.high) == (None, None)
