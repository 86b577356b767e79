"""The pictures a page carries: chosen within a budget of bytes, or all of them in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from reports.reading import Picture, Run, read_pictures
from reports.sampling import embedding_order
from reports.thumbnails import QUALITIES, Thumbnail, make_thumbnail

#: Pictures in one file of the assets folder.
CHUNK = 200

#: Images whose denoising steps are shown, at most.
FILMSTRIPS = 24

#: Images at the head of the order that are looked through for denoising steps.
_FILM_REACH = 400

Key = tuple[str, int]


@dataclass(slots=True)
class Embedded:
    """Pictures of one run in the page.

    Attributes
    ----------
    keys : list of (cell id, index)
    thumbnails : list of Thumbnail
    films : dict
        Denoising steps of some keys.
    """

    keys: list[Key] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    films: dict[Key, list[str]] = field(default_factory=dict)


class _Plan:
    """Which pictures each key of the order needs, in all runs, its controls included."""

    def __init__(
        self,
        runs: Sequence[Run],
        items: pd.DataFrame,
        cells: pd.DataFrame,
        first: Sequence[Key],
    ) -> None:
        self.ids: list[dict[Key, str]] = [
            dict(
                zip(
                    zip(
                        run.samples["cell_id"].tolist(), run.samples["index"].tolist(), strict=True
                    ),
                    run.samples["sample_id"].tolist(),
                    strict=True,
                )
            )
            for run in runs
        ]
        self.control = dict(zip(cells["cell_id"], cells["control_id"], strict=True))
        order = embedding_order(_rows_of(items, len(runs)))
        self.order = list(dict.fromkeys([*first, *order]))

    def needs(self, key: Key) -> list[tuple[int, Key]]:
        """(run, key) of the picture itself and of its control, in every run that has them."""
        keys = [key, (self.control.get(key[0], key[0]), key[1])]
        return [
            (run, wanted)
            for run, known in enumerate(self.ids)
            for wanted in keys
            if wanted in known
        ]


def _rows_of(items: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Collect what the order is made from: the last run's measurements where it has them."""
    rows = items[["cell_id", "index", "colour", "subject", "changed"]].copy()
    for name in ("verdict", "bind", "leak_background", "leak_neighbour"):
        rows[name] = items[f"{name}_{runs - 1}"]
        for run in range(runs - 1):
            rows[name] = rows[name].fillna(items[f"{name}_{run}"])
    rows["sample_id"] = items["cell_id"].astype(str) + "/" + items["index"].astype(str)
    return rows


def embed(
    runs: Sequence[Run],
    items: pd.DataFrame,
    cells: pd.DataFrame,
    budget: int | None,
    first: Sequence[Key] = (),
) -> list[Embedded]:
    """Encode the pictures of a page.

    Parameters
    ----------
    runs : sequence of Run
    items, cells : DataFrame
        From `reports.payload.all_items` and `reports.payload.cell_table`.
    budget : int or None
        Bytes that all pictures may take in the page; None for no limit.
    first : sequence of (cell id, index)
        Pictures that the page points at, and that go before all others.

    Returns
    -------
    list of Embedded
        One a run.
    """
    plan = _Plan(runs, items, cells, first)
    quality: int | None = None
    reach = len(plan.order)
    if budget is not None:
        quality, reach = _probe(runs, plan, budget)
    wanted: dict[tuple[int, Key], None] = {}
    for key in plan.order[:reach]:
        wanted.update(dict.fromkeys(plan.needs(key)))
    films = set(plan.order[:_FILM_REACH])
    encoded, steps = _encode(runs, plan, wanted, quality, films)
    result = [Embedded() for _ in runs]
    spent, taken = 0, set()
    for key in plan.order[:reach]:
        new = [need for need in plan.needs(key) if need not in taken and need in encoded]
        size = sum(encoded[need].size for need in new)
        if budget is not None and spent + size > budget:
            break
        spent += size
        for run, owner in new:
            taken.add((run, owner))
            result[run].keys.append(owner)
            result[run].thumbnails.append(encoded[(run, owner)])
            if (run, owner) in steps and len(result[run].films) < FILMSTRIPS:
                result[run].films[owner] = steps[(run, owner)]
    return result


def _probe(runs: Sequence[Run], plan: _Plan, budget: int) -> tuple[int | None, int]:
    """Find the best quality at which all pictures fit, or how far the budget reaches at the least.

    Returns
    -------
    quality : int or None
    reach : int
        Length of the head of the order to encode.
    """
    pictures: dict[tuple[int, Key], None] = {}
    for key in plan.order:
        pictures.update(dict.fromkeys(plan.needs(key)))
    probes = dict.fromkeys(list(pictures)[:: max(1, len(pictures) // 96)])
    mean = 0.0
    for quality in QUALITIES:
        tried, _ = _encode(runs, plan, probes, quality, set())
        if not tried:
            return None, 0
        mean = sum(thumbnail.size for thumbnail in tried.values()) / len(tried)
        if mean * len(pictures) * 1.03 <= budget:
            return quality, len(plan.order)
    seen: set[tuple[int, Key]] = set()
    for reach, key in enumerate(plan.order):
        seen.update(plan.needs(key))
        if len(seen) * mean > budget * 1.03:
            return QUALITIES[-1], reach
    return QUALITIES[-1], len(plan.order)


def _encode(
    runs: Sequence[Run],
    plan: _Plan,
    wanted: Iterable[tuple[int, Key]],
    quality: int | None,
    films: set[Key],
) -> tuple[dict[tuple[int, Key], Thumbnail], dict[tuple[int, Key], list[str]]]:
    encoded: dict[tuple[int, Key], Thumbnail] = {}
    steps: dict[tuple[int, Key], list[str]] = {}
    wanted = set(wanted)
    for number, run in enumerate(runs):
        owners = {plan.ids[number][key]: key for which, key in wanted if which == number}
        for picture in read_pictures(run, owners.keys(), frames=bool(films)):
            key = owners[picture.sample_id]
            encoded[(number, key)] = make_thumbnail(picture.image, picture.labels, quality)
            if key in films and picture.frames:
                steps[(number, key)] = _film(picture)
    return encoded, steps


def _film(picture: Picture) -> list[str]:
    return [make_thumbnail(frame, None, QUALITIES[-1]).uri for frame in picture.frames]


def pictures_payload(
    embedded: Sequence[Embedded], cells: pd.DataFrame, chunked: bool = False
) -> list[dict[str, Any]]:
    """Give the pictures as the script reads them, with their data or the chunk that holds it."""
    position = {name: number for number, name in enumerate(cells["cell_id"])}
    payload = []
    for entry in embedded:
        slots = {key: slot for slot, key in enumerate(entry.keys)}
        columns: dict[str, Any] = {
            "cell": [position[cell] for cell, _ in entry.keys],
            "index": [index for _, index in entry.keys],
            "width": [thumbnail.width for thumbnail in entry.thumbnails],
            "height": [thumbnail.height for thumbnail in entry.thumbnails],
            "films": [[slots[key], frames] for key, frames in entry.films.items()],
        }
        if chunked:
            columns["chunk"] = CHUNK
        else:
            columns["uri"] = [thumbnail.uri for thumbnail in entry.thumbnails]
            columns["labels"] = [thumbnail.labels for thumbnail in entry.thumbnails]
        payload.append(columns)
    return payload


def write_chunks(embedded: Sequence[Embedded], folder: Path) -> int:
    """Write thumbnails and label maps as scripts that the page loads when it needs them.

    A page opened from a file may load a script beside it, but may not read the pixels of a
    picture beside it; the overlays need the pixels.

    Returns
    -------
    int
        Number of files.
    """
    count = 0
    for run, entry in enumerate(embedded):
        for chunk, start in enumerate(range(0, len(entry.keys), CHUNK)):
            part = entry.thumbnails[start : start + CHUNK]
            data = {"uri": [t.uri for t in part], "labels": [t.labels for t in part]}
            text = f"bindingBenchChunk({run},{chunk},{json.dumps(data, separators=(',', ':'))});\n"
            (folder / f"thumbnails-{run}-{chunk:04d}.js").write_text(text, encoding="ascii")
            count += 1
    return count
