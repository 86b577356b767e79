"""When the colour came: known answers."""

import math

import numpy as np
import pandas as pd
import pytest

from bench.statistics.arrival import ARRIVAL_METRICS, arrival, elsewhere, estimate_arrivals

NOISE = np.array([1.0, 0.75, 0.5, 0.25])


def told(*share: float, final: float | None = None) -> dict[str, float]:
    return arrival(np.array(share), NOISE, share[-1] if final is None else final)


def test_arrival_is_where_half_of_the_final_share_is_reached_for_good():
    found = told(0.1, 0.5, 0.3, 0.8)
    assert (found["arrival_step"], found["arrival_noise"]) == (3, 0.25)
    found = told(0.1, 0.4, 0.6, 0.8)
    assert (found["arrival_step"], found["arrival_noise"]) == (1, 0.75)
    assert (found["arrived_first"], found["never_arrived"]) == (0, 0)


def test_a_colour_that_never_came_has_no_arrival():
    assert all(math.isnan(value) for value in told(0.2, 0.2, 0.2, 0.2).values())
    assert all(math.isnan(value) for value in told(*[math.nan] * 4).values())


def test_a_colour_in_the_first_frame_is_left_censored_and_one_in_none_right_censored():
    first = told(0.9, 0.9, 0.9, 0.9)
    assert (first["arrival_step"], first["arrived_first"]) == (0, 1)
    never = told(0.9, 0.9, 0.9, 0.3, final=0.9)
    assert (never["arrived_first"], never["never_arrived"]) == (0, 1)
    assert math.isnan(never["arrival_noise"])


def test_both_predictions_are_held_against_the_final_picture():
    assert told(0.0, 0.3, 0.3, 0.3, final=0.8)["never_arrived"] == 1
    assert told(0.0, 0.4, 0.4, 0.4, final=0.8)["arrival_step"] == 1
    # Less than a quarter of the subject in the end is no arrival, whatever the frames have.
    assert math.isnan(told(0.9, 0.9, 0.9, 0.9, final=0.1)["arrived_first"])


def test_a_colour_that_was_on_the_wall_first_is_told_with_its_greatest_share():
    wall = np.array([[0.3, 0.0], [0.6, 0.1], [0.1, 0.0], [0.0, 0.0]])
    found = elsewhere(wall, 2.0)
    assert found["before_background"] == 0.6
    assert found["before_neighbour"] == 0.1
    assert (found["stood_elsewhere"], found["stayed_elsewhere"]) == (1, 0)
    at_once = elsewhere(wall, 0.0)
    assert math.isnan(at_once["before_background"]), "there is no frame before the first"


def test_a_colour_that_never_left_the_plate():
    plate = np.array([[math.nan, 0.3], [math.nan, 0.6], [math.nan, 0.7], [math.nan, 0.7]])
    found = elsewhere(plate, math.nan)
    assert (found["stood_elsewhere"], found["stayed_elsewhere"]) == (1, 1)
    assert math.isnan(found["before_neighbour"])


def test_places_that_could_not_be_compared_say_nothing():
    found = elsewhere(np.full((4, 2), math.nan), 2.0)
    assert all(math.isnan(value) for value in found.values())
    # A place that lost the colour is no place where it stood.
    assert elsewhere(np.full((4, 2), -0.5), 2.0)["before_background"] == 0


def table(values, cells, tags=("seen",)):
    nothing = dict.fromkeys(ARRIVAL_METRICS, math.nan)
    return pd.DataFrame(
        [
            nothing
            | {"cell_id": cell, "tags": list(tags), "colour": cell, "arrival_noise": value}
            | {"stood_elsewhere": 0.0}
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


def test_a_colour_has_estimates_of_its_own():
    rows = table([1.0, 0.5, 0.25], ["red", "red", "blue"])
    found = {(e.metric, e.group): e.value for e in estimate_arrivals(rows, ("colour:red",))}
    assert found["arrival_noise", "colour:red"] == 0.75


def test_many_cells_give_an_interval():
    rows = table(np.linspace(0.2, 0.8, 24), [f"c{number // 2}" for number in range(24)])
    one = estimate_arrivals(rows, ("all",))[0]
    assert one.low < one.value < one.high


def test_an_interval_of_noise_stays_on_its_scale():
    rows = table([1.0] * 11 + [0.2], [f"c{number}" for number in range(12)])
    one = estimate_arrivals(rows, ("all",))[0]
    assert one.low < one.value < one.high <= 1.0


def test_one_cell_gives_no_interval():
    (one, *_) = estimate_arrivals(table([0.5, 0.75], ["a", "a"]), ("all",))
    assert (one.low, one.high) == (None, None)
