import time

import numpy as np
import pandas as pd
import pytest

from bench.records import VERDICTS
from bench.statistics.tabulate import tabulate


def table(rows) -> pd.DataFrame:
    """Rows of (cell, subject, colour, tags, verdict of each image)."""
    out = []
    for cell, colour, subject, tags, verdicts in rows:
        for index, verdict in enumerate(verdicts):
            out.append(
                {
                    "sample_id": f"{cell}#{index}",
                    "cell_id": cell,
                    "binding": 0,
                    "colour": colour,
                    "subject": subject,
                    "template": "single",
                    "tags": np.array(sorted(tags), dtype=object),
                    "index": index,
                    "verdict": verdict,
                    "bind": np.nan if verdict in ("absent", "invalid") else float(index),
                }
            )
    return pd.DataFrame(out)


ROWS = [
    ("a", "red", "cup", {"single", "seen", "canonical"}, ["bound", "bound", "bound", "absent"]),
    ("b", "blue", "cup", {"single", "seen", "canonical"}, ["bound", "absent", "absent", "absent"]),
    ("c", "red", "egg", {"single", "novel", "anti-canonical"}, ["neighbour", "spilled", "invalid"]),
    ("d", "blue", "egg", {"single", "novel", "anti-canonical"}, ["prior", "bound", "wrong"]),
]


@pytest.fixture(scope="module")
def found():
    return {(one.metric, one.group): one for one in tabulate(table(ROWS))}


@pytest.mark.parametrize(
    ("metric", "group", "value", "images", "scored", "cells"),
    [
        ("binding_score", "all", (3 / 4 + 1 / 4 + 0 + 1 / 3) / 4, 14, 13, 4),
        ("binding_given_drawn", "all", (1 + 1 + 0 + 1 / 3) / 4, 14, 9, 4),
        ("drawn", "all", (3 / 4 + 1 / 4 + 1 + 1) / 4, 14, 13, 4),
        ("leakage_rate", "all", (0 + 0 + 1 + 0) / 4, 14, 13, 4),
        ("leakage_neighbour", "all", (0 + 0 + 1 / 2 + 0) / 4, 14, 13, 4),
        ("leakage_spilled", "all", 1 / 8, 14, 13, 4),
        ("invalid", "all", 1 / 12, 14, 14, 4),
        ("binding_score", "colour:red", (3 / 4 + 0) / 2, 7, 6, 2),
        ("binding_score", "subject:egg", (0 + 1 / 3) / 2, 6, 5, 2),
        ("binding_score", "tag:seen", 1 / 2, 8, 8, 2),
        ("gap_seen_novel", "all", 1 / 2 - 1 / 6, 14, 13, 4),
        ("gap_canonical_anti", "all", 1 / 2 - 1 / 6, 14, 13, 4),
        ("binding_score", "cell:c", 0.0, 3, 2, 1),
        ("bind", "all", (1 + 0 + 0.5 + 1) / 4, 14, 9, 4),
    ],
)
def test_values_counted_by_hand(found, metric, group, value, images, scored, cells):
    one = found[metric, group]
    assert one.value == pytest.approx(value)
    assert (one.images, one.scored, one.cells) == (images, scored, cells)


def test_intervals_are_there_from_two_cells_on(found):
    whole = found["binding_score", "all"]
    assert whole.low < whole.value < whole.high
    assert found["binding_score", "cell:a"].low is None
    gap = found["gap_seen_novel", "all"]
    assert gap.low < gap.value < gap.high


def test_what_was_not_measured_is_nan_and_told(found):
    one = found["swap", "all"]
    assert np.isnan(one.value)
    assert (one.scored, one.cells, one.low) == (0, 0, None)


def test_a_cell_in_which_nothing_was_drawn_is_no_zero():
    rows = [*ROWS, ("e", "red", "hat", {"single"}, ["absent", "absent"])]
    found = {(one.metric, one.group): one for one in tabulate(table(rows))}
    assert found["binding_given_drawn", "all"].value == pytest.approx((1 + 1 + 0 + 1 / 3) / 4)
    assert found["binding_given_drawn", "all"].cells == 4
    assert found["binding_score", "all"].cells == 5


def test_two_bindings_of_one_image_are_one_image():
    pair = table([("p", "red", "cup", {"pair"}, ["bound", "absent"])])
    other = pair.assign(binding=1, colour="blue", subject="egg", verdict=["bound", "bound"])
    found = {(o.metric, o.group): o for o in tabulate(pd.concat([pair, other]))}
    whole = found["binding_score", "all"]
    assert (whole.value, whole.images, whole.scored, whole.cells) == (0.75, 2, 2, 1)
    assert found["binding_score", "colour:blue"].value == 1.0
    assert found["binding_given_drawn", "cell:p"].value == 1.0


def test_order_of_rows_and_a_slice_more_change_nothing():
    frame = table(ROWS)
    shuffled = frame.sample(frac=1, random_state=3)
    assert repr(tabulate(frame)) == repr(tabulate(shuffled))


def test_no_verdicts_give_estimates_without_values():
    found = tabulate(table(ROWS).iloc[:0])
    assert all(np.isnan(one.value) and one.images == 0 for one in found)


def test_default_grid_takes_less_than_a_second_of_processor():
    generator = np.random.default_rng(0)
    rows = [
        (
            f"{c}/{s}",
            f"c{c}",
            f"s{s}",
            {"single", "seen" if (c + s) % 2 else "novel"},
            generator.choice(VERDICTS, 4),
        )
        for c in range(11)
        for s in range(27)
    ]
    frame = table(rows)
    start = time.process_time()
    tabulate(frame)
    assert time.process_time() - start < 1.0


def test_no_interval_of_a_metric_between_0_and_1_leaves_the_scale():
    rows = [
        (f"{colour}-{subject}", colour, subject, {"single"}, ["bound"])
        for colour in ("red", "blue", "green", "pink")
        for subject in ("cup", "egg", "car", "hat", "pig")
    ]
    frame = table(rows)
    frame["bind"] = np.where(frame["subject"].eq("egg"), 0.4, 0.0)
    (one,) = (e for e in tabulate(frame) if (e.metric, e.group) == ("bind", "all"))
    assert one.population_low == 0.0
    assert 0.08 < one.population_high <= 1.0
    assert 0.0 <= one.low <= one.value <= one.high


def test_a_share_of_images_has_the_interval_of_shares_though_it_is_none_of_verdicts():
    colours, subjects = ("red", "blue", "green"), ("cup", "egg", "car", "hat", "pig")
    words = [(colour, subject) for colour in colours for subject in subjects]
    frame = table([(f"{c}-{s}", c, s, {"single"}, ["bound"] * 3 + ["wrong"]) for c, s in words])
    # One image in sixty: the same rows by verdict, and by second opinion.
    frame.loc[1:, "verdict"] = "bound"
    frame.loc[0, "verdict"] = "wrong"
    for name in ("clip_disagrees", "out_of_distribution"):
        frame[name] = frame["verdict"].eq("wrong").astype(float)
    found = {one.metric: one for one in tabulate(frame) if one.group == "all"}
    expected = found["other_colour"]
    assert 0.0 < expected.low < 1 / 60 < expected.high
    for name in ("clip_disagrees", "out_of_distribution"):
        ends = ("value", "low", "high", "population_low", "population_high")
        assert [getattr(found[name], end) for end in ends] == [
            getattr(expected, end) for end in ends
        ]


@pytest.mark.parametrize("images", [1, 3])
def test_a_mean_near_an_end_of_the_scale_has_an_interval_on_it(images):
    words = [(f"c{n % 4}", f"s{n // 4}") for n in range(20)]
    frame = table([(f"{c}-{s}", c, s, {"single"}, ["bound"] * images) for c, s in words])
    frame["presence"] = 1.0
    frame.loc[: images + 1, "presence"] = [0.2, *[1.0] * (images + 1)]
    (one,) = (e for e in tabulate(frame) if (e.metric, e.group) == ("presence", "all"))
    assert one.low < one.value < one.high <= 1.0
    assert one.population_high <= 1.0


def test_a_second_opinion_that_nobody_gave_is_no_line(found):
    assert ("clip_bind", "all") not in found
    assert ("vqa_disagrees", "all") not in found
