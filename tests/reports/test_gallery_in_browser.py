"""The gallery: filters, sorting, overlays, keys."""

from __future__ import annotations

import pytest

from tests.reports.helpers import cards, matches, until


def test_filters_narrow_and_live_in_the_url(page_file, open_page, first):
    page = open_page(page_file)
    assert matches(page) == len(first.verdicts)
    page.click("#verdict-menu summary")
    page.check('#verdict-options input[value="neighbour"]')
    page.keyboard.press("Escape")
    expected = int((first.verdicts["verdict"] == "neighbour").sum())
    assert matches(page) == expected
    page.fill("#f-text", "potato")
    both = first.verdicts["verdict"].eq("neighbour") & (
        first.verdicts["words"].str.contains("potato")
        | first.verdicts["cell_id"].str.contains("potato")
    )
    assert matches(page) == int(both.sum())
    again = open_page(page_file, "#" + page.url.split("#")[1])
    assert matches(again) == int(both.sum())
    assert again.input_value("#f-text") == "potato"
    page.click("#reset")
    assert matches(page) == len(first.verdicts)
    assert "#" not in page.url


def test_tag_and_seen_colour_filters(page_file, open_page, first):
    page = open_page(page_file, "#tag=novel")
    assert matches(page) == int(first.verdicts["tags"].map(lambda tags: "novel" in tags).sum())
    page.click("#reset")
    page.select_option("#f-seen", "gray")
    assert matches(page) == int((first.verdicts["observed"] == "gray").sum())


def test_sorts_by_a_metric(page_file, open_page, first):
    page = open_page(page_file, "#sort=-leak_background")
    top = cards(page).first
    top.locator("button").click()
    shown = page.locator(".metrics tr", has_text="Colour on background").locator("td").first
    largest = first.verdicts["leak_background"].max()
    assert shown.inner_text() == f"{100 * largest:.1f}%"


@pytest.mark.parametrize(("key", "name"), [("1", "mask"), ("2", "names"), ("3", "leak")])
def test_overlay_keys_paint_the_pictures(page_file, open_page, key, name):
    page = open_page(page_file)
    cards(page)
    page.keyboard.press(key)
    page.wait_for_selector(".card canvas")
    until(
        page,
        "() => { const c = document.querySelector('.card canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some(Boolean) }",
    )
    assert page.get_attribute(f'[data-overlay="{name}"]', "aria-pressed") == "true"
    assert name in page.url
    page.keyboard.press(key)
    until(page, "!document.querySelector('.card canvas')")


def test_leak_overlay_keeps_what_leaked(page_file, open_page):
    page = open_page(page_file, "#verdict=background&overlay=leak&colour=blue")
    until(
        page,
        "() => { const c = document.querySelector('.card canvas'); if (!c) return false;"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let clear = 0; for (let i = 3; i < d.length; i += 4) clear += d[i] === 0;"
        "return clear / (d.length / 4) > 0.3 }",
    )


def test_control_of_the_same_seed_stands_beside(page_file, open_page):
    page = open_page(page_file, "#template=single")
    cards(page)
    before = page.locator(".card").first.locator(".mat").count()
    page.keyboard.press("4")
    until(page, "document.querySelector('.card .tag')?.textContent === 'control'")
    assert page.locator(".card").first.locator(".mat").count() == before + 1


def test_gallery_by_keyboard_alone(page_file, open_page):
    page = open_page(page_file)
    cards(page)
    page.keyboard.press("g")
    until(page, "document.activeElement.className === 'card-button'")
    position = "Number(document.activeElement.parentElement.dataset.position)"
    assert page.evaluate(position) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate(position) - 1
    assert columns >= 1
    page.keyboard.press("End")
    last = page.evaluate(position)
    assert last == matches(page) - 1
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer[open]")
    assert page.inner_text("#viewer-place").startswith(f"{last + 1} of")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#viewer-place").startswith(f"{last} of")
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('#viewer').open")
    assert page.evaluate("document.activeElement.className") == "card-button"
    assert page.evaluate(position) == last - 1
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "f-text"


def test_failures_come_first_unless_asked_otherwise(page_file, open_page, first):
    page = open_page(page_file)
    cards(page)
    verdicts = page.locator(".card .card-verdict").all_inner_texts()
    assert "Bound" not in verdicts
    page.select_option("#f-sort", "given")
    words = first.verdicts.iloc[0]["words"]
    assert page.locator(".card").first.locator(".card-words").inner_text() == words


def test_nothing_jumps_when_overlays_toggle(page_file, open_page):
    page = open_page(page_file)
    cards(page)
    box = page.locator(".card").first.bounding_box()
    page.keyboard.press("2")
    page.wait_for_selector(".card canvas")
    assert page.locator(".card").first.bounding_box() == box


def test_assets_folder_holds_all_pictures(first, tmp_path, open_page):
    from reports.page import write_report

    written = write_report([first], tmp_path / "a page.html", assets=True)
    assert written.embedded == written.images
    names = {path.stem for path in (written.assets / "images-0").iterdir()}
    assert names == set(first.samples["sample_id"])
    page = open_page(written.path, "#overlay=leak")
    page.wait_for_selector(".card img")
    page.wait_for_selector(".card canvas")
    assert page.evaluate("document.querySelector('.card img').naturalWidth") == 64
