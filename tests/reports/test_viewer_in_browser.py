"""One picture, large: link, labels, zoom, other seeds, command."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from tests.reports.helpers import cards, until


def test_viewer_has_a_link(page_file, open_page):
    page = open_page(page_file)
    cards(page).nth(2).locator("button").click()
    title = page.inner_text("#viewer-title")
    again = open_page(page_file, "#" + page.url.split("#")[1])
    again.wait_for_selector("#viewer[open]")
    assert again.inner_text("#viewer-title") == title


def test_labels_are_kept_and_exported(page_file, open_page, first):
    page = open_page(page_file, "#sort=given", accept_downloads=True)
    cards(page)
    page.keyboard.press("g")
    until(page, "document.activeElement.className === 'card-button'")
    page.keyboard.press("y")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    assert page.inner_text("#label-count") == "2"
    marks = page.locator(".judged")
    assert [text.split() for text in marks.all_text_contents()] == [["✓", "right"], ["✕", "wrong"]]
    page.keyboard.press("Enter")
    page.select_option(".viewer-labels select", "mixed")
    page.keyboard.press("Escape")
    # The browser tells the page of the close a little later; until then the link names the item.
    until(page, "!location.hash.includes('item=')")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#label-count") == "2"
    with page.expect_download() as download:
        page.click("#export-labels")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    stored = first.verdicts.iloc[:2]
    assert [row["sample_id"] for row in rows] == stored["sample_id"].tolist()
    assert [row["verdict"] for row in rows] == stored["verdict"].tolist()
    assert [row["label"] for row in rows] == ["right", "wrong"]
    assert [row["human"] for row in rows] == [stored["verdict"].iloc[0], "mixed"]


def test_pictures_zoom_together_and_can_be_moved(pair_file, open_page):
    page = open_page(pair_file)
    cards(page).first.locator("button").click()
    scales = (
        "[...document.querySelectorAll('.viewer-pictures .mat img')]"
        ".map((e) => new DOMMatrix(getComputedStyle(e).transform).a)"
    )
    assert set(page.evaluate(scales)) == {1}
    page.keyboard.press("+")
    page.click("#zoom-in")
    assert set(page.evaluate(scales)) == {3}
    assert page.inner_text("#zoom-level") == "3×"
    box = page.locator(".viewer-pictures .mat").first.bounding_box()
    place = "document.querySelector('.viewer-pictures .mat img').getBoundingClientRect().x"
    before = page.evaluate(place)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.up()
    assert page.evaluate(place) - before == pytest.approx(20, abs=1)
    origins = page.evaluate(
        "[...document.querySelectorAll('.viewer-pictures .mat img')]"
        ".map((e) => e.style.transformOrigin)"
    )
    assert len(set(origins)) == 1
    page.keyboard.press("0")
    assert set(page.evaluate(scales)) == {1}


def test_viewer_leads_to_the_other_seeds_of_its_prompt(page_file, open_page):
    page = open_page(page_file)
    cards(page).first.locator("button").click()
    title = page.inner_text("#viewer-title")
    seeds = page.locator(".seeds .example")
    assert seeds.count() == 3
    assert page.locator('.seeds [aria-current="true"]').count() == 1
    other = page.locator(".seeds .example:not([aria-current])").first
    number = other.inner_text().split()[0]
    other.click()
    assert page.inner_text("#viewer-title") == title
    assert f"image {number} of cell" in page.inner_text(".ids")
    assert page.locator('.seeds [aria-current="true"]').inner_text().split()[0] == number


def test_command_that_made_the_run_can_be_copied(first, tmp_path, open_page):
    from reports.page import write_report

    made = "bench run --model /home/somebody/tuned --seeds 3"
    record = first.record | {"command": made}
    write_report([replace(first, record=record)], tmp_path / "page.html")
    assert "/home/somebody" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    page = open_page(tmp_path / "page.html", permissions=["clipboard-read", "clipboard-write"])
    shown = page.locator(".heading .command code").inner_text()
    assert shown == "bench run --model '…/tuned' --seeds 3"
    page.click(".heading .copy-command")
    until(page, "document.querySelector('.heading .copy-command').textContent.startsWith('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == shown
    cards(page).first.locator("button").click()
    assert page.locator("#viewer .command code").inner_text() == shown
