"""Prompts, subjects and names that try to be markup, script, or to turn the page around."""

from __future__ import annotations

import json

import pytest

from bench.store.run import Run
from prompts.cells import Binding, Cell
from reports.page import write_report
from reports.payload import script_json, visible
from reports.reading import read_run

SCRIPT = "</script><script>window.hacked = 1</script>"
IMAGE = "<img src=x onerror='window.hacked = 1'>"
RIGHT_TO_LEFT = "\u202ea blue potato\u202c \u05ea\u05e4\u05d5\u05d7"
QUOTES = "\"a\" 'blue' `potato` & ${1} {{ 7 * 7 }} \\ \u2028 é 🥔"
FORMULA = '=HYPERLINK("http://example.org","x")'
TEXTS = (SCRIPT, IMAGE, RIGHT_TO_LEFT, QUOTES, FORMULA, "<!--", "]]>")


@pytest.fixture(scope="module")
def hostile(make_run):
    cells = []
    for number, text in enumerate(TEXTS):
        control = f"control/{number}{IMAGE}"
        cells.append(Cell(control, text, (Binding(None, text),), "control", control))
        cells.append(
            Cell(
                f"single/{number}{SCRIPT}",
                text,
                (Binding("blue" if number % 2 else IMAGE, text),),
                SCRIPT,
                control,
                tags=frozenset({IMAGE, "novel"}),
            )
        )
    return read_run(Run(make_run(f"run {QUOTES[:3]} &lt;b&gt; <b>", cells=cells, seeds=2)))


@pytest.mark.parametrize("text", TEXTS)
def test_script_json_cannot_leave_its_element(text):
    out = str(script_json({text: [text]}))
    assert "<" not in out
    assert "\u2028" not in out
    shown = visible(text)
    assert json.loads(out) == {shown: [shown]}
    assert "\u202e" not in out


def test_nothing_runs_and_texts_are_shown_as_they_are(hostile, tmp_path, open_page):
    out = tmp_path / "report.html"
    write_report([hostile, hostile], out, title=SCRIPT)
    source = out.read_text(encoding="utf-8")
    assert "<img src=x" not in source
    assert source.count("</script>") == 3
    page = open_page(out)
    page.wait_for_selector(".card")
    assert page.evaluate("window.hacked") is None
    shown = page.locator(".card-prompt").all_text_contents()
    # As they are, but for what would turn a line around.
    seen = {visible(text) for text in TEXTS}
    assert set(shown) <= seen
    assert set(page.locator("#f-subject option").all_text_contents()) >= seen
    assert not set("\u202d\u202e\u2066\u2067") & set(source)
    assert "49" not in page.inner_text("#summary-title")
    for text in (visible(RIGHT_TO_LEFT), QUOTES):
        page.fill("#f-text", text)
        page.wait_for_timeout(50)
        assert set(page.locator(".card-prompt").all_text_contents()) == {text}
    page.locator(".card button").first.click()
    assert page.text_content("#viewer-title") == QUOTES
    assert page.evaluate("window.hacked") is None


def test_a_link_cannot_bring_markup(page_file, open_page):
    page = open_page(
        page_file, "#q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&colour=%3Cb%3E&sort=__proto__"
    )
    assert page.inner_text("#matches").startswith("0 of")
    assert page.is_visible("#nothing")
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_exported_formula_is_defused(hostile, tmp_path, open_page):
    out = tmp_path / "report.html"
    write_report([hostile], out)
    page = open_page(out, "#q=HYPERLINK", accept_downloads=True)
    page.wait_for_selector(".card")
    page.keyboard.press("g")
    page.wait_for_timeout(200)
    page.keyboard.press("y")
    with page.expect_download() as download:
        page.click("#export-labels")
    assert ",\"'=HYPERLINK" in download.value.path().read_text()
