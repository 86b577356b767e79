"""The making of the pictures: sums over a run, curves and frames of single pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.records import PREDICTIONS, Estimate
from bench.statistics.arrival import ARRIVED
from bench.store.run import Run
from reports.charts import curves
from reports.inline_images import MOST_FILMS, make_films
from reports.page import write_report
from reports.payload import all_items, cell_table
from reports.picture_order import PictureOrder
from reports.trajectory import (
    ADDED,
    CURVES,
    accumulation,
    curves_payload,
    forming,
    measured_steps,
)


def test_a_run_without_frames_has_no_steps(second):
    steps = measured_steps(second)
    assert steps.empty
    assert forming(second, steps) is None
    items = all_items([second])
    assert curves_payload(second, steps, items, 0, [("x", 0)]) == []
    plan = PictureOrder([second], items, cell_table([second]))
    assert make_films([second], plan, None) == ([{}], [], 0)


def test_curves_are_means_over_the_drawn(first):
    steps = measured_steps(first)
    found = forming(first, steps)
    assert found.noise == (1.0, 0.8, 0.6, 0.4, 0.2)
    drawn = first.verdicts[~first.verdicts["verdict"].isin(["absent", "invalid"])]
    assert found.images == len(drawn)
    # The made-up metrics grow evenly to their value in the last step.
    for metric in ("bind", "leak_background", "prior"):
        expected = drawn[metric].mean() * (np.arange(5) + 1) / 5
        assert found.curves[metric] == pytest.approx(expected)
    assert set(found.curves) <= {name for name, _ in CURVES}


def test_control_is_the_share_of_the_control_in_the_colour_asked_for(first):
    steps = measured_steps(first)
    last = steps[(steps["metric"] == "control") & (steps["step"] == 4)]
    judged = first.verdicts.drop(columns="value")
    own = judged.merge(last, on=["sample_id", "binding"])
    natural = own[(own["subject"] == "potato") & (own["cell_id"].str.startswith("single"))]
    assert (natural["value"] == 0).all()
    orange = own[(own["subject"] == "orange") & (own["colour"] == "orange")]
    assert orange["value"].to_numpy() == pytest.approx(0.94)
    assert len(own) == len(first.verdicts)


def made_up(run, curves: list[list[float]]) -> pd.DataFrame:
    bound = run.verdicts[run.verdicts["verdict"] == "bound"].head(len(curves))
    return pd.DataFrame(
        [
            (sample, binding, step, 1 - step / 4, "bind", value)
            for sample, binding, curve in zip(
                bound["sample_id"], bound["binding"], curves, strict=True
            )
            for step, value in enumerate(curve)
        ],
        columns=["sample_id", "binding", "step", "noise", "metric", "value"],
    )


def test_arrival_is_for_good(first):
    steps = made_up(first, [[0.9, 0.1, 0.6, 0.7], [0.6, 0.6, 0.6, 0.6], [0.9, 0.9, 0.9, 0.1]])
    found = forming(first, steps)
    assert found.arrivals == (1, 0, 1, 0)
    assert found.arrived == 2
    assert "1 of 2" in found.sentence
    assert "step 1 of 4" in found.sentence
    never = forming(first, made_up(first, [[0.1, 0.2, 0.1, ARRIVED - 0.01]]))
    assert never.arrivals == (0, 0, 0, 0)
    assert never.sentence == "No subject took its colour."


def test_arrival_is_that_of_the_estimates(first):
    from bench.statistics.arrival import arrival

    curves = [[0.9, 0.1, 0.6, 0.7], [0.1, 0.2, 0.3, 0.5], [0.0, 0.9, float("nan"), 0.6]]
    found = forming(first, made_up(first, curves))
    told = [arrival(np.array(curve), np.ones(4), curve[-1])["arrival_step"] for curve in curves]
    assert found.arrivals == tuple(told.count(step) for step in range(4))


def test_estimates_of_arrival_are_told(first):
    estimate = Estimate("arrival_step", "all", 1.5, 1.0, 2.0, 9, 9, 3)
    share = Estimate("stood_elsewhere", "all", 0.25, None, None, 9, 9, 1)
    run = replace(first, estimates=(*first.estimates, estimate, share))
    found = forming(run, measured_steps(run))
    assert found.told[0][1:] == ("2.5", "2.0 to 3.0")
    assert found.told[1][1:] == ("25.0%", "no interval")


def test_estimates_of_arrival_are_told_with_the_curves_and_nowhere_as_shares_of_pictures(
    first, tmp_path
):
    names = ("arrival_noise", "conditional_arrival_noise", "conditional_arrived_first")
    told = tuple(Estimate(name, "all", 0.99, None, None, 9, 9, 3) for name in names)
    write_report([replace(first, estimates=(*first.estimates, *told))], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    shares = page.split('class="numbers"', 1)[1].split("<details", 1)[0]
    assert "Subject drawn" in shares
    assert "without guidance" not in shares
    assert "… without guidance" in page.split('id="steps"', 1)[1]


def test_a_step_that_was_not_measured_is_a_gap(first):
    steps = made_up(first, [[0.9, float("nan"), 0.6, 0.7]])
    items = all_items([first])
    key = items.loc[items["verdict_0"] == "bound", ["cell_id", "index"]].iloc[0]
    found = curves_payload(first, steps, items, 0, [(key["cell_id"], int(key["index"]))])
    (item, curves), *others = found
    assert others == []
    assert items.loc[item, "cell_id"] == key["cell_id"]
    assert curves == {"bind": [900, None, 600, 700]}
    assert np.isfinite(forming(first, steps).curves["bind"][0])
    assert np.isnan(forming(first, steps).curves["bind"][1])


def test_frames_keep_to_their_budget_and_come_with_the_control(first):
    items, cells = all_items([first]), cell_table([first])
    plan = PictureOrder([first], items, cells)
    whole, keys, spent = make_films([first], plan, None)
    assert len(keys) == min(len(plan.order), MOST_FILMS)
    assert spent == sum(len(uri) + 3 for frames in whole[0].values() for uri in frames)
    some, kept, less = make_films([first], plan, spent // 5)
    assert 0 < len(kept) < len(keys)
    assert less <= spent // 5
    for cell, index in kept:
        assert (plan.control[cell], index) in some[0]
    verdicts = items.groupby(["cell_id", "index"])["verdict_0"].agg(set)
    failed = [verdicts[key] != {"bound"} for key in keys[:8]]
    assert failed == [True, False] * 4


def test_strips_of_prompt_and_control_with_their_curve(page_file, open_page):
    page = open_page(page_file)
    assert page.locator("#film .film-row.pictures").count() == 3
    assert page.locator("#film .film-row.pictures").first.locator("img").count() == 5
    told = page.get_attribute("#film svg.curves", "aria-label")
    assert "step 5" in told
    assert "subject:" in told
    widths = page.evaluate(
        "[...document.querySelectorAll('#film .film-row, #film > svg.curves')]"
        ".map((e) => Math.round(e.getBoundingClientRect().width))"
    )
    assert len(set(widths)) == 1
    first_title = page.input_value("#film-choice")
    page.click("#film-next")
    assert page.input_value("#film-choice") != first_title
    again = open_page(page_file, "#" + page.url.split("#")[1])
    assert again.input_value("#film-choice") == page.input_value("#film-choice")
    again.click("#film-open")
    again.wait_for_selector("#viewer[open] .film img")
    assert again.locator("#viewer .film-row.pictures").count() == 3
    assert again.locator(".forming svg.curves[role=img]").first.get_attribute("aria-label")


def test_the_map_is_white_where_prompt_and_control_agree_and_painted_where_the_colour_came(
    first, page_file, open_page
):
    bound = first.verdicts[
        (first.verdicts["verdict"] == "bound") & (first.verdicts["observed"] == "blue")
    ].iloc[0]
    page = open_page(page_file)
    choices = page.locator("#film-choice option").all_inner_texts()
    text = first.samples.set_index("sample_id").loc[bound["sample_id"], "text"]
    start = f"{text} ({bound['index']})"
    wanted = next(number for number, one in enumerate(choices) if one.startswith(start))
    page.select_option(
        "#film-choice", page.locator("#film-choice option").nth(wanted).get_attribute("value")
    )
    page.wait_for_selector("#film .added[data-painted]")
    count = (
        "(at) => { const data = document.querySelectorAll('#film .added canvas')[at]"
        ".getContext('2d', { willReadFrequently: true }).getImageData(0, 0, 64, 64).data;"
        " let blue = 0; for (let p = 0; p < data.length; p += 4)"
        " blue += data[p] < 150 && data[p + 2] > 200; return blue; }"
    )
    assert page.evaluate(count, 4) > page.evaluate(count, 0)
    corner = (
        "document.querySelectorAll('#film .added canvas')[4]"
        ".getContext('2d', { willReadFrequently: true })"
        ".getImageData(1, 1, 1, 1).data[0]"
    )
    assert page.evaluate(corner) > 200


def test_frames_beside_the_page_are_loaded_when_needed(first, tmp_path, open_page):
    written = write_report([first], tmp_path / "page.html", assets=True)
    assert list(written.assets.glob("films-0-*.js"))
    page = open_page(written.path)
    page.wait_for_selector("#film .film img")
    assert page.evaluate("document.querySelector('#film img').naturalWidth") == 64


def test_what_the_words_added_is_a_mean_over_bindings(first, monkeypatch):
    keys = first.verdicts[first.verdicts["verdict"] == "bound"][["sample_id", "binding"]].head(2)
    rows = [
        (sample, binding, place, steps)
        for (sample, binding), scale in zip(keys.itertuples(index=False), (1.0, 2.0), strict=True)
        for place, steps in (("subject", [0.5 * scale, 1.0 * scale]), ("plate", [-0.1, 0.1]))
    ]
    table = pd.DataFrame(rows, columns=["sample_id", "binding", "place", "added"])
    alone = table.assign(prediction="conditional")
    both = pd.concat([table.assign(prediction="guided"), alone])
    both["added"] = both["added"].map(np.array)
    monkeypatch.setattr("reports.trajectory.read_accumulation", lambda run: both)
    manifest = first.stored.manifest.model_copy(update={"predictions": list(PREDICTIONS)})
    found = accumulation(replace(first, stored=Run(first.stored.folder, manifest)))
    assert found.curves["subject"] == pytest.approx((0.75, 1.5))
    assert found.curves["subject_alone"] == found.curves["subject"]
    assert found.curves["neighbour"] == pytest.approx((-0.1, 0.1))
    assert found.bindings == {"subject": 2, "subject_alone": 2, "neighbour": 2}
    assert found.ticks == (-0.5, 0.0, 0.5, 1.0, 1.5)
    assert set(found.curves) <= {name for name, _ in ADDED}


def test_what_was_added_is_measured_on_every_drawn_binding(first):
    found = accumulation(first)
    assert 0 < found.bindings["subject"] <= forming(first, measured_steps(first)).images
    assert "subject_alone" not in found.curves
    assert found.curves["subject"][-1] > found.curves["wall"][-1]


def test_a_run_of_which_nothing_was_added_up_has_no_such_chart(second):
    assert accumulation(second) is None


def test_what_is_below_zero_has_a_minus_on_the_axis(first, tmp_path, monkeypatch):
    found = replace(accumulation(first), ticks=(-0.25, 0.0, 0.25))
    monkeypatch.setattr("reports.trajectory.accumulation", lambda run: found)
    text = write_report([first], tmp_path / "r.html").path.read_text(encoding="utf-8")
    axis = text.split('class="forming-axis"')[-1].split("</div>")[0]
    assert re.findall("<span>(.*?)</span>", axis) == ["25%", "0%", "−25%"]
    drawn = curves({"subject": [-0.2, 0.1]}, {"subject": "Subject"})
    assert "Subject: step 1 −20%, step 2 10%" in drawn
