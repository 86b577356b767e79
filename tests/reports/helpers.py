"""What several tests of the page use: runs that differ, and a browser that waits."""

from __future__ import annotations

import time

from reports.reading import RunTables


def changed(run: RunTables, **parts) -> RunTables:
    values = {name: getattr(run, name) for name in RunTables.__dataclass_fields__}
    return RunTables(**(values | parts))


def with_verdict(run: RunTables, rows, verdict: str) -> RunTables:
    verdicts = run.verdicts.copy()
    verdicts.loc[rows, "verdict"] = verdict
    return changed(run, verdicts=verdicts)


def matches(page) -> int:
    """Number of items in the gallery, from what the page tells."""
    text = page.text_content("#matches")
    return int(text.split(" ")[0].replace(",", ""))


def until(page, expression: str, seconds: float = 90) -> None:
    """Wait until a JavaScript expression is true; the page's own policy forbids its eval."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


def cards(page):
    page.wait_for_selector(".card")
    return page.locator(".card")
