"""Several runs side by side."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.reports.helpers import cards, matches, until


def test_two_runs_side_by_side(pair_file, open_page, first, second):
    page = open_page(pair_file, "#different=1")
    both = first.verdicts.merge(second.verdicts, on=["cell_id", "index", "binding"])
    assert matches(page) == int((both["verdict_x"] != both["verdict_y"]).sum())
    card = cards(page).first
    assert card.locator(".card-verdict").count() == 2
    assert card.locator("img").count() == 2
    assert page.locator(".differences:not(.short) tbody tr").count() == 6
    # Of two runs the difference comes first; the address need not say so.
    assert page.input_value("#heat-run") == "0-1"
    assert "difference" in page.inner_text("#heat-readout")
    page.select_option("#heat-run", "0")
    assert "difference" not in page.inner_text("#heat-readout")
    assert "run=0" in page.url


def test_chart_of_differences_is_scaled_to_its_data(pair_file, open_page):
    page = open_page(pair_file)
    ends = page.locator(".differences .ends").first.inner_text().split()
    reach = float(ends[-1])
    spans = page.locator(".differences:not(.short) tbody td:nth-of-type(5)").all_inner_texts()
    values = [abs(float(x.replace("−", "-"))) for span in spans for x in span.split(" to ")]
    assert max(values) <= reach
    assert reach == 100 or max(values) > reach / 2.6
    places = page.locator(".differences:not(.short) .band").evaluate_all(
        "(all) => all.flatMap((e) => ['x1', 'x2'].map((end) => parseFloat(e.getAttribute(end))))"
    )
    assert all(1 <= place <= 99 for place in places)


def test_links_to_pictures_put_the_focus_on_the_first(pair_file, open_page):
    on_first = "document.activeElement.closest('.card')?.dataset.position === '0'"
    page = open_page(pair_file)
    page.click("#compare .solid")
    until(page, on_first)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('.card').dataset.position") == "1"
    until(open_page(pair_file, "#different=1"), on_first)


def test_table_to_paste(pair_file, open_page):
    page = open_page(pair_file)
    page.click("#summary > .paste summary")
    assert page.input_value("#table-markdown").startswith("| Run |")
    page.click('[data-table="table-latex"]')
    assert "\\toprule" in page.input_value("#table-latex")
    page.click('[data-table="table-csv"]')
    rows = list(csv.DictReader(io.StringIO(page.input_value("#table-csv"))))
    assert {row["run"] for row in rows} == {"first", "second"}
    page.click("#summary > .paste .copy")
    until(page, "document.querySelector('#summary > .paste .copy').textContent !== 'Copy'")
    page.click("#compare .paste summary")
    assert page.input_value("#differences-markdown").startswith("| Run |")


def test_a_shift_of_verdicts_opens_its_pictures_and_can_be_taken_away(pair_file, open_page):
    page = open_page(pair_file)
    row = page.locator(".shifted tr").first
    expected = int(row.locator("td").inner_text())
    row.locator("button").click()
    assert matches(page) == expected
    again = open_page(pair_file, "#" + page.url.split("#")[1])
    assert matches(again) == expected
    again.click(".chip")
    assert again.inner_text("#matches").endswith("in all")
    assert "shift" not in again.url


def test_cells_that_lost_show_before_and_after_and_open_their_cell(pair_file, open_page, first):
    page = open_page(pair_file)
    cell = page.locator(".changed-cell").first
    assert cell.locator(".example").first.locator("img").count() == 2
    prompt = cell.locator("bdi").inner_text()
    cell.locator(".row-link").click()
    assert set(page.locator(".card .card-prompt bdi").all_inner_texts()) == {prompt}
    ids = first.samples.loc[first.samples["text"] == prompt, "cell_id"].unique()
    assert matches(page) == int(first.verdicts["cell_id"].isin(ids).sum())
    page = open_page(pair_file)
    page.locator(".changed-cell .example").first.click()
    page.wait_for_selector("#viewer[open]")
    assert page.locator(".viewer-verdict").count() == 2


def test_sorts_by_what_changed(pair_file, open_page, first, second):
    page = open_page(pair_file, "#sort=change.bind")
    both = first.verdicts.merge(second.verdicts, on=["cell_id", "index", "binding"])
    lost = (both["bind_y"] - both["bind_x"]).min()
    cards(page).first.locator("button").click()
    values = [
        float(text.rstrip("%"))
        for text in page.locator(".metrics tr", has_text=re.compile("^Colour on subject"))
        .locator("td:first-of-type")
        .all_inner_texts()
    ]
    assert values[1] - values[0] == pytest.approx(100 * lost, abs=0.2)


def test_many_runs_are_a_table_that_sorts(many_file, open_page, many):
    page = open_page(many_file)
    rows = page.locator("#runs-table tbody tr")
    assert rows.count() == len(many) == 6
    assert page.locator("#runs-table").bounding_box()["y"] < 900
    scores = [run.estimate("binding_score").value for run in many]

    def shown() -> list[float]:
        texts = rows.locator("td:nth-of-type(1) b").all_inner_texts()
        return [float(text.rstrip("%")) for text in texts]

    given = [round(100 * score, 1) for score in scores]
    assert shown() == given
    head = page.locator("#runs-table .sort", has_text="Binding score")
    head.click()
    assert shown() == sorted(given, reverse=True)
    head.click()
    assert shown() == sorted(given)
    head.click()
    assert shown() == given
    assert page.locator("#runs-table th[scope=col]").first.get_attribute("aria-sort") == "none"


def test_of_many_runs_a_card_shows_the_first_and_the_chosen(many_file, open_page):
    page = open_page(many_file)
    card = cards(page).first
    assert card.locator(".tag").all_inner_texts() == ["A", "F"]
    page.select_option("#f-beside", "2")
    assert page.locator(".card").first.locator(".tag").all_inner_texts() == ["A", "C"]
    assert "beside=2" in page.url
    page.locator(".card button").first.click()
    assert page.locator(".viewer-run").count() == 2
