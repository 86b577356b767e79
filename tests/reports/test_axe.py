"""axe-core finds nothing serious, in both themes, with and without the viewer."""

from __future__ import annotations

from importlib import resources

import pytest

RUN = """async () => (await axe.run({ resultTypes: ['violations'] })).violations
  .map((one) => `${one.impact} ${one.id}: ${one.nodes[0].html.slice(0, 160)}`)"""

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page) -> list[str]:
    page.evaluate(AXE)
    return page.evaluate(RUN)


@pytest.mark.parametrize(
    ("scheme", "fragment", "viewer"),
    [
        ("light", "", False),
        ("dark", "#overlay=mask,control&verdict=bound,mixed&shift=1.bound.mixed", False),
        ("light", "#different=1", True),
        ("dark", "", True),
    ],
)
def test_axe_finds_nothing(filmed_pair, open_page, scheme, fragment, viewer):
    page = open_page(filmed_pair, fragment, scheme=scheme, bypass_csp=True)
    page.wait_for_selector(".card")
    for details in page.locator("details").all():
        details.evaluate("(e) => { e.open = true; }")
    if viewer:
        page.locator(".card button").first.click()
        page.wait_for_selector("#viewer[open]")
    assert violations(page) == []


def test_axe_would_find_something(filmed_pair, open_page):
    page = open_page(filmed_pair, bypass_csp=True)
    page.evaluate("document.querySelector('#theme').replaceChildren()")
    page.evaluate("document.querySelector('#theme').title = ''")
    page.evaluate("document.querySelector('#theme').removeAttribute('title')")
    assert any("button-name" in one for one in violations(page))
