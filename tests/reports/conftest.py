"""Made-up runs, their pages, and a real Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.reports import synthetic


@pytest.fixture(scope="session")
def make_run(tmp_path_factory):
    """Write a made-up run folder."""

    def make(name: str = "run", **options) -> Path:
        return synthetic.write_run(tmp_path_factory.mktemp("runs") / name, **options)

    return make


SMALL = {
    "colours": ("red", "orange", "blue", "white", "gray"),
    "subjects": ("potato", "orange", "frog", "cup"),
    "seeds": 3,
    "pairs": 2,
    "quality": 0.5,
}


@pytest.fixture(scope="session")
def first_folder(make_run) -> Path:
    control = {
        "control": {
            "masks": "exact",
            "passed": True,
            "accuracy": 0.96,
            "low": 0.93,
            "high": 0.98,
            "macro_f1": 0.94,
            "least_f1": 0.8,
            "scenes": 500,
            "bind_error": 0.021,
            "recall_by_verdict": {"bound": 1.0, "mixed": 0.8},
            "recall_by_colour": {"blue": 1.0, "pink": 0.9},
            "confusion": {"bound": {"bound": 50}, "mixed": {"mixed": 40, "bound": 10}},
        }
    }
    return make_run("first", frames=5, run=control, **SMALL)


@pytest.fixture(scope="session")
def second_folder(make_run) -> Path:
    return make_run("second", seed=1, **SMALL)


@pytest.fixture(scope="session")
def first(first_folder):
    from bench.store.run import Run
    from reports.reading import read_run

    return read_run(Run(first_folder))


@pytest.fixture(scope="session")
def second(second_folder):
    from bench.store.run import Run
    from reports.reading import read_run

    return read_run(Run(second_folder))


@pytest.fixture(scope="session")
def page_file(first, tmp_path_factory) -> Path:
    from reports.page import write_report

    out = tmp_path_factory.mktemp("page") / "report.html"
    write_report([first], out)
    return out


@pytest.fixture(scope="session")
def pair_file(first, second, tmp_path_factory) -> Path:
    from reports.page import write_report

    out = tmp_path_factory.mktemp("pair") / "report.html"
    write_report([first, second], out)
    return out


@pytest.fixture(scope="session")
def many(first, second, make_run):
    """Six runs, more than a page compares in full."""
    from bench.store.run import Run
    from reports.reading import read_run

    names = ("a-run-with-quite-a-long-name-at-step-12000", "third", "fourth", "fifth")
    others = [
        make_run(name, seed=2 + number, **(SMALL | {"quality": 0.3 + 0.15 * number}))
        for number, name in enumerate(names)
    ]
    return [first, second, *(read_run(Run(folder)) for folder in others)]


@pytest.fixture(scope="session")
def many_file(many, tmp_path_factory) -> Path:
    from reports.page import write_report

    out = tmp_path_factory.mktemp("many") / "report.html"
    write_report(many, out)
    return out


@pytest.fixture(scope="session")
def filmed_pair(first, make_run, tmp_path_factory) -> Path:
    """Two runs with frames, side by side."""
    from bench.store.run import Run
    from reports.page import write_report
    from reports.reading import read_run

    other = read_run(Run(make_run("filmed", seed=2, frames=5, invalid=1, **SMALL)))
    out = tmp_path_factory.mktemp("filmed") / "report.html"
    write_report([first, other], out)
    return out


def chromium_path() -> str | None:
    """Chromium of the system; None for the one that Playwright brings."""
    named = os.environ.get("BENCH_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    return None


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; a missing one is an error where BENCH_REQUIRE_BROWSER is set."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = chromium_path() or playwright.chromium.executable_path
        if not Path(path).is_file() and not os.environ.get("BENCH_REQUIRE_BROWSER"):
            pytest.skip("no Chromium here; `playwright install chromium` brings one")
        launched = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser):
    """Open a page with the network cut; at the end there must have been no error and no request."""
    contexts, problems = [], []

    def open_one(path: Path, fragment: str = "", width: int = 1280, scheme: str = "light", **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.on(
            "console",
            lambda message: (
                problems.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                problems.append(request.url)
                if not request.url.startswith(("file:", "data:", "blob:"))
                else None
            ),
        )
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []
