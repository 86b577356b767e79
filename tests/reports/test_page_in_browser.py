"""The page as a reader meets it: real Chromium, network cut."""

from __future__ import annotations

import json

import pytest

from tests.reports.helpers import cards, matches


def test_opens_with_numbers_pictures_and_title(page_file, open_page):
    page = open_page(page_file)
    assert "first" in page.title()
    assert page.locator(".hero-number .value").inner_text().endswith("%")
    assert page.locator(".certificate .value").inner_text().startswith("96.0")
    assert cards(page).count() > 0
    natural = page.evaluate("document.querySelector('.card img').naturalWidth")
    assert natural == 64
    assert page.evaluate("document.querySelector('.card img').width") % 64 == 0


def test_heatmap_cell_opens_exactly_its_pictures(page_file, open_page):
    page = open_page(page_file)
    cell = page.locator('.heat .cell[data-told^="blue frog"]')
    hits = cell.locator(".n").inner_text()
    cell.click()
    assert matches(page) == int(hits.split("/")[1])
    prompts = set(page.locator(".card-prompt").all_inner_texts())
    assert all("blue frog" in prompt for prompt in prompts)
    assert "colour=blue" in page.url
    assert "subject=frog" in page.url


def test_heatmap_sorts_and_moves_by_keys(page_file, open_page):
    page = open_page(page_file)
    page.select_option("#heat-rows", "name")
    names = page.locator(".heat tbody th").all_inner_texts()
    assert names == sorted(names)
    page.select_option("#heat-rows", "mean")
    means = [
        int(text.rstrip("%")) for text in page.locator(".heat tbody .margin").all_inner_texts()
    ]
    assert means == sorted(means)
    assert page.locator('.heat .cell[tabindex="0"]').count() == 1
    page.locator('.heat .cell[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    place = page.evaluate(
        "[document.activeElement.dataset.row, document.activeElement.dataset.column]"
    )
    assert place == ["1", "1"]
    assert "95% interval" in page.inner_text("#heat-readout")


def test_heatmap_sorts_by_strength_of_prior_and_best_first(page_file, open_page):
    page = open_page(page_file)
    page.select_option("#heat-rows", "prior")
    shares = page.locator(".heat tbody td.own span").all_inner_texts()
    known = [int(text.rstrip("%")) for text in shares if text != "–"]
    assert known == sorted(known, reverse=True)
    page.select_option("#heat-columns", "best")
    feet = page.locator(".heat tfoot td:not(.margin)").all_inner_texts()
    means = [int(text.rstrip("%")) for text in feet if text.endswith("%")]
    assert means == sorted(means, reverse=True)
    assert len(means) == 5


def test_words_of_the_suite_are_explained_where_they_stand(page_file, open_page):
    page = open_page(page_file)
    for word in ("cell", "control", "leak_excess", "judged", "kinds"):
        page.locator(f'[popovertarget="what-{word}"]').first.click()
        assert page.is_visible(f"#what-{word}")
        page.keyboard.press("Escape")
        assert not page.is_visible(f"#what-{word}")


def test_how_many_pictures_a_place_has_stands_beside_it(page_file, open_page, first):
    page = open_page(page_file)
    blue = page.locator(".shifts tbody tr", has_text="blue")
    counted = [int(text.removeprefix("n ")) for text in blue.locator("small").all_inner_texts()]
    judged = first.verdicts[first.verdicts["colour"] == "blue"]
    assert counted == [len(judged)] * 3
    few = page.locator(".shifts td.caused.few small").all_inner_texts()
    many = page.locator(".shifts td.caused:not(.few) small").all_inner_texts()
    assert all(int(text.removeprefix("n ")) < 5 for text in few)
    assert all(int(text.removeprefix("n ").replace(",", "")) >= 5 for text in many)


def test_highlights_show_failures_and_opens_them(page_file, open_page, first):
    page = open_page(page_file)
    page.wait_for_selector(".example img")
    shown = set(page.locator(".example .card-verdict").all_inner_texts())
    counts = first.verdicts["verdict"].value_counts().drop("bound")
    assert len(shown) == min(8, len(counts))
    assert "Bound" not in shown
    page.locator(".example").first.click()
    page.wait_for_selector("#viewer[open]")
    assert page.inner_text(".viewer-verdict") in shown
    page.keyboard.press("Escape")
    page.locator('.lowest .row-link[data-go^="colour="]').first.click()
    assert "colour=" in page.url


def test_certificate_is_a_section(page_file, open_page, first):
    page = open_page(page_file)
    assert page.locator(".trials tbody tr").count() == 1
    assert "96.0%" in page.inner_text(".trials tbody")
    mixed = page.locator(".confusion tbody tr", has_text="mixed").inner_text()
    assert "80" in mixed
    page.locator(".certificate a").click()
    assert page.evaluate("document.activeElement.id") == "scorer"
    assert "#" not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_theme_is_neutral_and_nothing_overflows(page_file, open_page, scheme, width):
    page = open_page(page_file, scheme=scheme, width=width)
    cards(page)
    colours = page.evaluate(
        """() => ['body', 'html', '.mat', '.card-button', '.hero', '.toolbar'].map((s) => {
          const style = getComputedStyle(document.querySelector(s));
          return [style.backgroundColor, style.color];
        })"""
    )
    for pair in colours:
        for text in pair:
            red, green, blue = (
                float(part) for part in text.split("(")[1].rstrip(")").split(",")[:3]
            )
            assert red == green == blue, text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_theme_button_overrides_the_system_and_is_kept(page_file, open_page):
    page = open_page(page_file, scheme="dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.click("#theme")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    page.reload()
    assert page.get_attribute("html", "data-theme") == "light"


def test_prints_light_and_without_controls(page_file, open_page):
    page = open_page(page_file, scheme="dark")
    page.emulate_media(media="print")
    assert not page.is_visible("#toolbar")
    assert not page.is_visible(".bar")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_data_is_what_the_run_says(page_file, open_page, first):
    page = open_page(page_file)
    data = json.loads(page.text_content("#data"))
    assert len(data["items"]["cell"]) == len(first.verdicts)
    assert data["runs"][0]["id"] == first.verdicts["sample_id"].tolist()
