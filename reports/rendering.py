"""Templates, style sheets and scripts of the package, joined into one text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from bench.records import VERDICTS
from reports import charts
from reports.headline import LEAK_PLACES
from reports.labels import PLACES, VERDICT_WORDS
from reports.trajectory import CURVES

#: Style sheets and scripts, in the order in which they are joined.
STYLES = ("base", "headline", "compare", "charts", "heatmap", "gallery", "viewer", "film", "print")
SCRIPTS = (
    "format",
    "data",
    "state",
    "theme",
    "pictures",
    "overlay",
    "selection",
    "labels",
    "heatmap",
    "card",
    "examples",
    "gallery",
    "filters",
    "curve",
    "film",
    "viewer",
    "exports",
    "keys",
    "main",
)


def render(**context: Any) -> str:
    """Render the page. Everything in ``context`` is escaped unless it is Markup."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["charts"] = charts
    environment.filters["percent"] = lambda value: f"{100 * value:.1f}%"
    environment.filters["points"] = points
    environment.filters["thousands"] = lambda value: f"{value:,}"
    script = '"use strict";\n(() => {\n' + joined(SCRIPTS, "js") + "\n})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        verdicts=[VERDICT_WORDS[name] for name in VERDICTS],
        words=VERDICT_WORDS,
        places=PLACES,
        leak_places=LEAK_PLACES,
        curve_names=dict(CURVES),
        style=Markup(joined(STYLES, "css")),
        script=Markup(script),
        digest=digest,
        **context,
    )


def points(value: float) -> str:
    """Format a difference of shares in points, with a true minus sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def joined(names: Sequence[str], kind: str) -> str:
    """Join files of the package."""
    folder = resources.files("reports") / "static"
    return "\n".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
