"""From runs to one self-contained page."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd
from markupsafe import Markup

from bench.errors import StoreError, UsageError
from bench.records import VERDICTS
from reports import charts, tables
from reports.cautions import cautions, comparison_cautions
from reports.certificate import read_certificate
from reports.differences import differences
from reports.embedding import embed, pictures_payload, write_chunks
from reports.headline import headlines
from reports.naming import Naming, name_table
from reports.payload import all_items, build_payload, cell_table, script_json
from reports.provenance import described, facts
from reports.reading import Run, read_pictures
from reports.tabulation import excesses, observed, places, verdict_counts
from reports.wording import PLACES, VERDICT_WORDS

#: Bytes that a page may have.
LARGEST = 10_000_000

#: Bytes kept for all that is neither data nor pictures, and the least that pictures get.
REST = 400_000
LEAST_PICTURES = 400_000

#: Style sheets and scripts, in the order in which they are joined.
STYLES = ("base", "headline", "charts", "heatmap", "gallery", "viewer", "print")
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
    "gallery",
    "filters",
    "film",
    "viewer",
    "exports",
    "keys",
    "main",
)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the page, its size, and how many of the judged images it carries."""

    path: Path
    size: int
    embedded: int
    images: int
    assets: Path | None = None


def write_report(
    runs: Sequence[Run],
    out: Path,
    *,
    naming: Naming | None = None,
    assets: bool = False,
    title: str = "",
) -> Written:
    """Write the page of one run, or of several side by side.

    Parameters
    ----------
    runs : sequence of Run
        The first is the one that the others are compared with.
    out : Path
        The page; replaced when it exists.
    naming : callable, optional
        From ``uint8 (N, 3)`` sRGB to indices of `prompts.colours.BASIC`. Without it the page has
        no colour-name and leak overlays.
    assets : bool
        Put all pictures into a folder beside the page instead of some of them into it.
    title : str

    Returns
    -------
    Written

    Raises
    ------
    bench.errors.UsageError, bench.errors.StoreError
    """
    if not runs:
        raise UsageError("a report needs at least one run")
    items = all_items(runs)
    cells = cell_table(runs)
    labels = run_labels(runs)
    payload = build_payload(runs, labels, items, cells)
    payload["names"] = name_table(naming) if naming else ""
    data = script_json(payload)
    folder = out.with_name(out.stem + "_assets") if assets else None
    payload_size = len(data.encode())
    budget = None if assets else max(LEAST_PICTURES, LARGEST - REST - payload_size)
    embedded = embed(runs, items, cells, budget)
    shown = _count_shown(items, embedded[0].keys if len(runs) == 1 else _union(embedded))
    images = len(items.drop_duplicates(["cell_id", "index"]))
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            write_chunks(embedded, folder)
            _write_images(runs, folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    films = any(entry.films for entry in embedded)
    text = _render(
        runs,
        labels,
        items,
        data=data,
        pictures=script_json(pictures_payload(embedded, cells, chunked=assets)),
        shown=shown,
        images=images,
        films=films,
        assets=quote(folder.name) if folder else "",
        title=title or " vs ".join(labels),
    )
    _write_text(out, text)
    return Written(out, len(text.encode()), shown, images, folder)


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Distinct names for the runs."""
    labels: list[str] = []
    for run in runs:
        label, number = run.name, 2
        while label in labels:
            label, number = f"{run.name} ({number})", number + 1
        labels.append(label)
    return labels


def _union(embedded: Sequence[Any]) -> list[tuple[str, int]]:
    return list(dict.fromkeys(key for entry in embedded for key in entry.keys))


def _count_shown(items: pd.DataFrame, keys: list[tuple[str, int]]) -> int:
    held = set(keys)
    unique = items.drop_duplicates(["cell_id", "index"])
    return sum(
        key in held
        for key in zip(unique["cell_id"].tolist(), unique["index"].tolist(), strict=True)
    )


def _render(
    runs: Sequence[Run],
    labels: Sequence[str],
    items: pd.DataFrame,
    **context: Any,
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["charts"] = charts
    environment.filters["percent"] = lambda value: f"{100 * value:.1f}%"
    environment.filters["points"] = _points
    script = '"use strict";\n(() => {\n' + _static(SCRIPTS, "js") + "\n})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    views: list[dict[str, Any]] = []
    for number, (run, label) in enumerate(zip(runs, labels, strict=True)):
        columns, matrix = observed(run)
        views.append(
            {
                "label": label,
                "run": run,
                "headline": headlines(run),
                "cautions": cautions(run),
                "certificate": read_certificate(run.record),
                "counts": verdict_counts(run),
                "judged": len(run.verdicts),
                "places": places(run),
                "observed_columns": columns,
                "observed": matrix,
                "excess": excesses(run),
                "facts": facts(run),
                "described": described(run),
                "differences": differences(items, 0, number) if number else [],
            }
        )
    rows = [(label, headlines(run)) for run, label in zip(runs, labels, strict=True)]
    return environment.get_template("page.html").render(
        views=views,
        shared=comparison_cautions(runs, labels),
        verdicts=[VERDICT_WORDS[name] for name in VERDICTS],
        places=PLACES,
        style=Markup(_static(STYLES, "css")),
        script=Markup(script),
        digest=digest,
        tables={
            "markdown": tables.markdown(rows),
            "latex": tables.latex(rows),
            "csv": tables.comma_separated(rows),
        },
        **context,
    )


def _points(value: float) -> str:
    """Format a difference of shares in points, with a true minus sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def _static(names: Sequence[str], kind: str) -> str:
    folder = resources.files("reports") / "static"
    texts = [(folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in names]
    return "\n".join(texts)


def _write_images(runs: Sequence[Run], folder: Path) -> None:
    """Write the stored pictures as they are, one file each, for people and other programs."""
    for number, run in enumerate(runs):
        target = folder / f"images-{number}"
        target.mkdir(exist_ok=True)
        for picture in read_pictures(run, set(run.samples["sample_id"])):
            name = "".join(c if c.isalnum() or c in "-_" else "_" for c in picture.sample_id)
            (target / f"{name}.png").write_bytes(picture.image)


def _write_text(out: Path, text: str) -> None:
    """Write under a temporary name and rename, so that a page is whole or not there."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=".report-", suffix=".html")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(out)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{out}: cannot be written ({error.strerror})") from error
