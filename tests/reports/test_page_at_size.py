"""Budgets of a large page, at a tenth of the size that ``benchmarks/report.py`` measures."""

from __future__ import annotations

import pytest

from bench.store.run import Run
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reports.page import write_report
from reports.reading import read_run

IMAGE_NODES = "document.querySelectorAll('img, canvas, picture, svg image').length"


@pytest.fixture(scope="module")
def large(make_run, tmp_path_factory):
    folder = make_run("large", colours=COLOUR_NAMES, subjects=SUBJECT_NAMES[:9], seeds=10)
    out = tmp_path_factory.mktemp("large") / "report.html"
    return write_report([read_run(Run(folder))], out)


def test_few_nodes_wherever_one_scrolls(large, open_page):
    page = open_page(large.path, "#size=s&overlay=mask,control", width=1920)
    page.wait_for_selector(".card canvas")
    most = 0
    height = page.evaluate("document.documentElement.scrollHeight")
    for part in range(9):
        page.evaluate(f"scrollTo(0, {height * part // 8})")
        page.wait_for_timeout(120)
        most = max(most, page.evaluate(IMAGE_NODES))
        assert page.locator(".card").count() > 0
    assert 0 < most < 500
    page.evaluate(f"scrollTo(0, {height * 0.9})")
    page.wait_for_timeout(200)
    assert page.evaluate(
        "[...document.querySelectorAll('.card')].some((e) => {"
        " const r = e.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight })"
    )


def test_filters_are_marked_for_measurement(large, open_page):
    page = open_page(large.path)
    page.wait_for_selector(".card")
    for text in ("blue", "blue potato", "plate", ""):
        page.fill("#f-text", text)
    page.select_option("#f-sort", "-bind")
    assert page.evaluate("performance.getEntriesByName('filter').length") == 6


def test_page_is_within_its_size(large):
    assert large.size <= 10_000_000
    assert large.path.stat().st_size == large.size


def test_much_data_is_packed_and_the_page_is_the_same(make_run, tmp_path, open_page, monkeypatch):
    runs = [read_run(Run(make_run("packed", seeds=2)))]
    plain = write_report(runs, tmp_path / "plain.html")
    monkeypatch.setattr("reports.page.PACKED_FROM", 1)
    packed = write_report(runs, tmp_path / "packed.html")
    again = write_report(runs, tmp_path / "again.html")
    assert packed.size < plain.size
    assert packed.path.read_bytes() == again.path.read_bytes()
    seen = []
    for written in (plain, packed):
        page = open_page(written.path, "#colour=blue")
        page.wait_for_selector(".card")
        seen.append(page.inner_text("#gallery"))
    assert seen[0] == seen[1]
    assert "data-packed" in packed.path.read_text()
