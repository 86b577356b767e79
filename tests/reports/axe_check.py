"""Run axe-core on a page and print what it finds: ``python axe_check.py PAGE axe.min.js``.

Not a test: axe-core is not on the Python index. ``npm pack axe-core`` brings ``axe.min.js``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

#: Fragments of the URL to look at, each in both themes.
VIEWS = ("", "#overlay=mask,control", "#item=open")


def main(page_file: str, axe: str) -> int:
    script = Path(axe).read_text(encoding="utf-8")
    serious = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for scheme in ("light", "dark"):
            for view in VIEWS:
                context = browser.new_context(
                    color_scheme=scheme, bypass_csp=True, viewport={"width": 1280, "height": 900}
                )
                page = context.new_page()
                page.goto(Path(page_file).resolve().as_uri() + view)
                page.wait_for_selector(".card")
                if view == "#item=open":
                    page.locator(".card button").first.click()
                page.evaluate(script)
                found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
                for one in found["violations"]:
                    serious += one["impact"] in ("serious", "critical")
                    print(f"{scheme} {view or 'page'}: {one['impact']} {one['id']}: {one['help']}")
                    for node in one["nodes"][:3]:
                        print("   ", node["html"][:140], "|", node["failureSummary"][:200])
                context.close()
        browser.close()
    return 1 if serious else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
