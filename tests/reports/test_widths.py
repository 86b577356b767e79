"""No word is cut at any width from a telephone to a large screen."""

from __future__ import annotations

import pytest

from tests.reports.helpers import cards

# Elements whose own text is wider than they are, or cut at their edge or that of an ancestor that
# does not scroll; but for what only a screen reader has.
CLIPPED = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, label = node.parentElement;
    if (!node.textContent.trim() || !label.checkVisibility()) continue;
    if (label.closest('.visually-hidden, .skip, script, style, svg, select, textarea')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    const words = [label.className, node.textContent.trim()];
    const wide = label.clientWidth && label.scrollWidth > label.clientWidth + 1;
    if (wide && getComputedStyle(label).display !== 'inline') found.push(['wide', ...words].join());
    for (let e = label; e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (e.classList.contains('scroller') || style.overflowX === 'auto') break;
      if (style.overflowX === 'visible') continue;
      const box = e.getBoundingClientRect();
      if (text.right > box.right + 1 || text.left < box.left - 1) {
        found.push(['cut', ...words].join());
      }
    }
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("pages", ["page_file", "pair_file", "many_file"])
def test_no_word_is_clipped(pages, open_page, request):
    page = open_page(request.getfixturevalue(pages))
    cards(page)
    for details in page.locator("details:not(.menu)").all():
        details.evaluate("(e) => { e.open = true; }")
    for viewer in (False, True):
        if viewer:
            page.locator(".card button").first.click()
            page.keyboard.press("n")
        for width in (360, 390, 768, 1024, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)
            assert page.evaluate(CLIPPED) == [], width
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_a_clipped_word_would_be_found(page_file, open_page):
    page = open_page(page_file)
    page.evaluate(
        "document.querySelector('.row-link').style.cssText"
        " = 'width: 30px; overflow: hidden; white-space: nowrap'"
    )
    assert page.evaluate(CLIPPED)
