"""From runs to one self-contained page: gathered, rendered from the templates, written whole."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd
from markupsafe import Markup

from bench.errors import StoreError, UsageError
from reports import charts, tables
from reports.inline_images import (
    FILM_SHARE,
    embed,
    films_payload,
    make_films,
    pictures_payload,
    write_chunks,
    write_film_chunks,
)
from reports.labels import DESTINATIONS, HELP, LEAK_PARTS, MARKED, verdict_order, verdict_words
from reports.payload import all_items, build_payload, cell_table, script_json, visible
from reports.picture_order import PictureOrder
from reports.reading import RunTables, read_pictures
from reports.tabulation import FEW
from reports.trajectory import ADDED, CURVES, curves_payload
from reports.views import IN_FULL, Versus, View, run_labels, versus_of, view_of
from reports.warnings import comparison_cautions

#: Bytes that a page may have.
LARGEST = 10_000_000

#: Bytes kept for all that is neither data nor pictures, and the least that pictures get.
REST = 400_000
LEAST_PICTURES = 400_000

#: Characters of data from which on they are packed.
PACKED_FROM = 1_000_000

#: What a page of this package says of itself near its beginning.
GENERATOR = "Binding Bench"

#: Style sheets and scripts, in the order in which they are joined.
STYLES = ("base", "headline", "compare", "charts", "heatmap", "gallery", "viewer", "film", "print")
SCRIPTS = (
    *("format", "data", "state", "theme", "pictures", "overlay", "selection", "labels", "heatmap"),
    *("card", "examples", "gallery", "filters", "curve", "added", "film", "zoom", "viewer", "runs"),
    *("exports", "keys", "main"),
)


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """What was written: the page, its size, and how many of the judged images it carries."""

    path: Path
    size: int
    embedded: int
    images: int
    assets: Path | None = None


def page_path(given: Path) -> Path:
    """Return the file to write a page to: ``report.html`` where a folder is given.

    Raises
    ------
    bench.errors.UsageError
        The file exists and is no page of this package, or the name in a run folder is no page's.
    """
    path = given / "report.html" if given.is_dir() else given
    if path.exists():
        with path.open("rb") as file:
            start = file.read(2000)
        if (
            not start.lstrip().lower().startswith(b"<!doctype html")
            or GENERATOR.encode() not in start
        ):
            raise UsageError(
                f"{path} exists and is no page of this suite: it is left alone; choose another name"
            )
    elif (path.parent / "run.json").exists() and path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"{path} is in a run folder and its name is not that of a page; end it in .html"
        )
    return path


def write_report(
    runs: Sequence[RunTables],
    out: Path,
    *,
    certificate: Mapping[str, Any] | None = None,
    assets: bool = False,
    title: str = "",
) -> WrittenPage:
    """Write the page of one run, or of several side by side.

    Parameters
    ----------
    runs : sequence of RunTables
        The first is the one that the others are compared with.
    out : Path
        The page, or a folder for it. An earlier page is replaced, nothing else is.
    certificate : mapping, optional
        What ``bench validate --out`` wrote, from `reports.certificate.load_certificate`.
    assets : bool
        Put all pictures into a folder beside the page instead of some of them into it.
    title : str

    Raises
    ------
    bench.errors.UsageError, bench.errors.StoreError
    """
    if not runs:
        raise UsageError("a report needs at least one run")
    out = page_path(out)
    items = all_items(runs)
    cells = cell_table(runs)
    labels = run_labels(runs)
    texts = dict(zip(cells["cell_id"], cells["text"], strict=True))
    views = [view_of(run, labels[k], k, certificate) for k, run in enumerate(runs)]
    versus = [versus_of(runs, items, labels, texts, k) for k in range(1, len(runs))]
    data, packed = packed_if_large(script_json(build_payload(runs, labels, items, cells)))
    folder = out.with_name(out.stem + "_assets") if assets else None
    budget = None if assets else max(LEAST_PICTURES, LARGEST - REST - len(data.encode()))
    order = PictureOrder(runs, items, cells, _shown_first(versus))
    films, filmed, spent = make_films(
        runs, order, None if budget is None else int(budget * FILM_SHARE)
    )
    embedded = embed(runs, order, None if budget is None else budget - spent)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_chunks(embedded, folder)
            write_film_chunks(films, folder)
            _write_images(runs, folder)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    position = {name: number for number, name in enumerate(cells["cell_id"])}
    pictures = []
    for k, (run, view) in enumerate(zip(runs, views, strict=True)):
        entry = pictures_payload(embedded[k], position, assets)
        noise = view.forming.noise if view.forming else ()
        entry["films"] = films_payload(films[k], position, noise, assets)
        entry["curves"] = curves_payload(run, view.steps, items, k, filmed)
        pictures.append(entry)
    shown = _count_shown(items, [key for entry in embedded for key in entry.keys])
    images = len(items.drop_duplicates(["cell_id", "index"]))
    text = render(
        views=views,
        versus=versus,
        shared=comparison_cautions(runs, labels),
        tables=tables.headline_tables([(view.label, view.headline) for view in views]),
        difference_tables=tables.difference_tables(
            [(one.label, one.compared) for one in versus], labels[0]
        ),
        data=data,
        packed=packed,
        pictures=script_json(pictures),
        shown=shown,
        images=images,
        films=len(filmed),
        assets=quote(folder.name) if folder else "",
        title=title or (" vs ".join(labels) if len(labels) <= IN_FULL else f"{len(labels)} runs"),
    )
    _write_text(out, text)
    return WrittenPage(out, len(text.encode()), shown, images, folder)


def packed_if_large(text: Markup) -> tuple[Markup, bool]:
    """Gzip in base64 in place of a long text, some five times shorter; and whether it is so."""
    if len(text) < PACKED_FROM:
        return text, False
    # Level 6: 9 takes five times as long for one byte in a hundred. No time stamp: same page.
    return Markup(base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()), True


def _shown_first(versus: Sequence[Versus]) -> list[tuple[str, int]]:
    """Pictures that the lists of changed cells show: (cell id, index)."""
    changes = (change for one in versus for side in (one.lost, one.gained) for change in side)
    return list(dict.fromkeys(key[:2] for change in changes for key in change.keys))


def _count_shown(items: pd.DataFrame, keys: list[tuple[str, int]]) -> int:
    held = set(keys)
    unique = items.drop_duplicates(["cell_id", "index"])
    pairs = zip(unique["cell_id"].tolist(), unique["index"].tolist(), strict=True)
    return sum(key in held for key in pairs)


def _write_images(runs: Sequence[RunTables], folder: Path) -> None:
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


def render(views: Sequence[View], **context: Any) -> str:
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
    environment.filters["script_json"] = script_json
    # As the names in the data are written, which the links lead to.
    environment.filters["urlencode"] = lambda value: quote(visible(str(value)), safe="")
    script = '"use strict";\n(async () => {\n' + joined(SCRIPTS, "js") + "\n})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = {name for view in views for name in view.counts}
    text = environment.get_template("page.html").render(
        views=views,
        generator=GENERATOR,
        verdicts=[verdict_words(name) for name in verdict_order(found)],
        words={name: verdict_words(name) for name in verdict_order(found)},
        icons=MARKED,
        destinations=DESTINATIONS,
        leak_parts=LEAK_PARTS,
        help=HELP,
        few=FEW,
        in_full=len(views) <= IN_FULL,
        curve_names=dict(CURVES),
        added_names=dict(ADDED),
        style=Markup(joined(STYLES, "css")),
        script=Markup(script),
        digest=digest,
        **context,
    )
    return visible(text)


def points(value: float) -> str:
    """Format a difference of shares in points, with a true minus sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def joined(names: Sequence[str], kind: str) -> str:
    """Join files of the package."""
    folder = resources.files("reports") / "static"
    return "\n".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
