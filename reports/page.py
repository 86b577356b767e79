"""From runs to one self-contained page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from bench.errors import StoreError, UsageError
from reports import tables
from reports.changes import shown_first
from reports.filmstrip_data import SHARE as FILM_SHARE
from reports.filmstrip_data import films_payload, make_films, write_film_chunks
from reports.inline_images import embed, pictures_payload, write_chunks
from reports.lent import Lent
from reports.naming import name_table
from reports.payload import all_items, build_payload, cell_table, script_json
from reports.reading import Run, read_pictures
from reports.rendering import render
from reports.selection import Plan
from reports.trajectory import curves_payload
from reports.views import run_labels, versus_of, view_of
from reports.warnings import comparison_cautions

#: Bytes that a page may have.
LARGEST = 10_000_000

#: Bytes kept for all that is neither data nor pictures, and the least that pictures get.
REST = 400_000
LEAST_PICTURES = 400_000


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
    lent: Lent = Lent(),  # noqa: B008 - frozen
    certificate: Mapping[str, Any] | None = None,
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
    lent : Lent
        Functions of the benchmark.
    certificate : mapping, optional
        What ``bench validate --out`` wrote, from `reports.certificate.load_certificate`.
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
    texts = dict(zip(cells["cell_id"], cells["text"], strict=True))
    views = [view_of(run, labels[k], k, certificate) for k, run in enumerate(runs)]
    versus = [versus_of(items, labels, texts, k, lent.interval) for k in range(1, len(runs))]
    payload = build_payload(runs, labels, items, cells)
    payload["names"] = name_table(lent.naming) if lent.naming else ""
    data = script_json(payload)
    folder = out.with_name(out.stem + "_assets") if assets else None
    budget = None if assets else max(LEAST_PICTURES, LARGEST - REST - len(data.encode()))
    first = shown_first([(one.lost, one.gained) for one in versus])
    plan = Plan(runs, items, cells, first)
    films, filmed, spent = make_films(
        runs, plan, None if budget is None else int(budget * FILM_SHARE)
    )
    embedded = embed(runs, plan, None if budget is None else budget - spent)
    shown = _count_shown(items, [key for entry in embedded for key in entry.keys])
    images = len(items.drop_duplicates(["cell_id", "index"]))
    try:
        if folder is not None:
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
    rows = [(view.label, view.headline) for view in views]
    pasted = {
        "markdown": tables.markdown(rows),
        "latex": tables.latex(rows),
        "csv": tables.comma_separated(rows),
    }
    text = render(
        views=views,
        versus=versus,
        shared=comparison_cautions(runs, labels),
        tables=pasted,
        difference_tables=tables.difference_tables(
            [(one.label, one.differences) for one in versus], labels[0]
        ),
        data=data,
        pictures=script_json(pictures),
        shown=shown,
        images=images,
        films=len(filmed),
        assets=quote(folder.name) if folder else "",
        title=title or " vs ".join(labels),
    )
    _write_text(out, text)
    return Written(out, len(text.encode()), shown, images, folder)


def _count_shown(items: pd.DataFrame, keys: list[tuple[str, int]]) -> int:
    held = set(keys)
    unique = items.drop_duplicates(["cell_id", "index"])
    return sum(
        key in held
        for key in zip(unique["cell_id"].tolist(), unique["index"].tolist(), strict=True)
    )


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
