"""Roles, names, focus and contrast, by the page's own tree in both themes."""
# ruff: noqa: E501

from __future__ import annotations

from itertools import pairwise

import pytest

NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, textarea, summary')]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute('aria-label') || e.innerText?.trim() || e.title
    || [...(e.labels || [])].some((label) => label.textContent.trim())))
  .map((e) => e.outerHTML.slice(0, 120))"""

DUPLICATES = """() => { const seen = new Set(), twice = [];
  for (const e of document.querySelectorAll('[id]')) { if (seen.has(e.id)) twice.push(e.id); seen.add(e.id); }
  return twice; }"""

# Ratio of contrast (WCAG 2.2) of each visible text with the nearest painted background.
FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (text, under) => {
    canvas.clearRect(0, 0, 1, 1);
    if (under) { canvas.fillStyle = `rgb(${under.slice(0, 3).join(' ')})`; canvas.fillRect(0, 0, 1, 1); }
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => { const [r, g, b] = c.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor, v = rgba(c); if (v[3] > 250) return v; } return [255, 255, 255, 255]; };
  const out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility() || e.closest('script, .visually-hidden, .skip, svg, :disabled, .zero')) continue;
    const under = ground(e), over = rgba(getComputedStyle(e).color, under);
    const [a, b] = [light(under), light(over)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) out.push([ratio.toFixed(2), e.className, walker.currentNode.textContent.trim().slice(0, 30)].join(' | '));
  }
  return [...new Set(out)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(pair_file, open_page, scheme):
    page = open_page(pair_file, scheme=scheme)
    page.wait_for_selector(".card")
    for details in page.locator("details").all():
        details.evaluate("(e) => { e.open = true; }")
    assert page.evaluate(FAINT) == []
    page.locator(".card button").first.click()
    assert page.evaluate(FAINT) == []


def test_every_control_has_a_name_and_every_id_is_unique(pair_file, open_page):
    page = open_page(pair_file, "#overlay=mask,control")
    page.wait_for_selector(".card")
    for details in page.locator("details").all():
        details.evaluate("(e) => { e.open = true; }")
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(DUPLICATES) == []
    page.locator(".card button").first.click()
    page.keyboard.press("n")
    assert page.evaluate(NAMELESS) == []


def test_headings_go_down_one_at_a_time(page_file, open_page):
    page = open_page(page_file)
    levels = page.evaluate(
        "[...document.querySelectorAll('main :is(h1, h2, h3, h4)')].map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tab_reaches_everything_in_order_and_few_stops(page_file, open_page):
    page = open_page(page_file)
    page.wait_for_selector(".card")
    seen = []
    for _ in range(140):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(() => { const e = document.activeElement;"
            "return e === document.body ? '' : e.id || e.className || e.textContent.trim().slice(0, 20) })()"
        )
        if name in ("", "skip") and seen:
            break
        seen.append(name)
        visible = page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
            "|| document.activeElement.matches('section, .scroller')"
        )
        assert visible, name
    assert seen[0] == "skip"
    assert sum("card-button" in name for name in seen) == 1
    assert sum(name.startswith("cell") for name in seen) == 1
    order = [seen.index(name) for name in ("theme", "heat-rate", "f-colour", "f-text", "f-sort")]
    assert order == sorted(order)


def test_pictures_have_words(page_file, open_page, first):
    page = open_page(page_file, "#sort=given")
    page.wait_for_selector(".card")
    name = page.locator(".card-button").first.inner_text()
    assert first.verdicts.iloc[0]["words"] in name
    item = page.locator(".card").first
    assert item.get_attribute("aria-setsize") == str(len(first.verdicts))
    for chart in page.locator("svg.chart[role=img]").all():
        assert chart.get_attribute("aria-label")
    assert page.get_attribute("html", "lang") == "en"


def test_verdicts_do_not_rest_on_colour(page_file, open_page):
    page = open_page(page_file)
    page.wait_for_selector(".card")
    marks = page.evaluate(
        "[...document.querySelectorAll('.verdict-list use')].map((e) => e.getAttribute('href'))"
    )
    assert len(marks) == len(set(marks)) >= 9
    assert page.evaluate(
        "[...document.querySelectorAll('.card-verdict')].every((e) => e.innerText.trim())"
    )
