"""The pictures and frames a page carries: within a budget of bytes, or all of them in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports.picture_order import Key, PictureOrder
from reports.reading import RunTables, read_pictures
from reports.thumbnails import QUALITIES, Thumbnail, make_thumbnail

#: Pictures in one file of the assets folder.
CHUNK = 200

#: A picture of a run.
Need = tuple[int, Key]

#: Share of the bytes for pictures that frames may take.
FILM_SHARE = 0.3

#: Pictures whose making is shown, at most: in the page, and in a folder beside it.
MOST_FILMS, MOST_FILMS_BESIDE = 200, 1000

#: Pictures a file of the assets folder has the frames of.
FILM_CHUNK = 40

#: Frames of pictures by key.
Films = dict[Key, list[str]]


@dataclass(slots=True)
class Embedded:
    """Pictures of one run in the page.

    Attributes
    ----------
    keys : list of (cell id, index)
    thumbnails : list of Thumbnail
    """

    keys: list[Key] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)


def embed(runs: Sequence[RunTables], plan: PictureOrder, budget: int | None) -> list[Embedded]:
    """Encode the pictures of a page.

    Parameters
    ----------
    runs : sequence of Run
    plan : PictureOrder
    budget : int or None
        Bytes that all pictures may take in the page; None for no limit.

    Returns
    -------
    list of Embedded
        One a run.
    """
    quality: int | None = None
    reach = len(plan.order)
    if budget is not None:
        quality, reach = _probe(runs, plan, budget)
    wanted: dict[Need, None] = {}
    for key in plan.order[:reach]:
        wanted.update(dict.fromkeys(plan.needs(key)))
    encoded = _encode(runs, plan, wanted, quality)
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
    return result


def _probe(runs: Sequence[RunTables], plan: PictureOrder, budget: int) -> tuple[int | None, int]:
    """Find the best quality at which all pictures fit, or how far the budget reaches at the least.

    Returns
    -------
    quality : int or None
    reach : int
        Length of the head of the order to encode.
    """
    pictures: dict[Need, None] = {}
    for key in plan.order:
        pictures.update(dict.fromkeys(plan.needs(key)))
    probes = dict.fromkeys(list(pictures)[:: max(1, len(pictures) // 96)])
    mean = 0.0
    for quality in QUALITIES:
        tried = _encode(runs, plan, probes, quality)
        if not tried:
            return None, 0
        mean = sum(thumbnail.size for thumbnail in tried.values()) / len(tried)
        if mean * len(pictures) * 1.03 <= budget:
            return quality, len(plan.order)
    seen: set[Need] = set()
    for reach, key in enumerate(plan.order):
        seen.update(plan.needs(key))
        if len(seen) * mean > budget * 1.03:
            return QUALITIES[-1], reach
    return QUALITIES[-1], len(plan.order)


def _encode(
    runs: Sequence[RunTables], plan: PictureOrder, wanted: Iterable[Need], quality: int | None
) -> dict[Need, Thumbnail]:
    encoded: dict[Need, Thumbnail] = {}
    wanted = set(wanted)
    for number, run in enumerate(runs):
        owners = {plan.ids[number][key]: key for which, key in wanted if which == number}
        for picture in read_pictures(run, owners.keys()):
            key = owners[picture.sample_id]
            encoded[(number, key)] = make_thumbnail(picture.image, picture.labels, quality)
    return encoded


def pictures_payload(
    entry: Embedded, position: dict[str, int], chunked: bool = False
) -> dict[str, Any]:
    """Give the pictures of a run as the script reads them, or the chunk that holds them."""
    columns: dict[str, Any] = {
        "cell": [position[cell] for cell, _ in entry.keys],
        "index": [index for _, index in entry.keys],
        "width": [thumbnail.width for thumbnail in entry.thumbnails],
        "height": [thumbnail.height for thumbnail in entry.thumbnails],
    }
    if chunked:
        columns["chunk"] = CHUNK
    else:
        columns["uri"] = [thumbnail.uri for thumbnail in entry.thumbnails]
        columns["labels"] = [thumbnail.labels for thumbnail in entry.thumbnails]
    return columns


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


def make_films(
    runs: Sequence[RunTables], plan: PictureOrder, budget: int | None
) -> tuple[list[Films], list[Key], int]:
    """Encode frames, those of failures and of bound pictures in turns, each with its control.

    Parameters
    ----------
    runs : sequence of Run
    plan : PictureOrder
    budget : int or None
        Bytes; None for no limit.

    Returns
    -------
    films : list of Films
        One a run.
    keys : list of Key
        The pictures chosen, in order, without their controls.
    spent : int
        Bytes.
    """
    filmed = {k for k, run in enumerate(runs) if run.record.get("trajectory") is not None}
    if not filmed:
        return [{} for _ in runs], [], 0
    order = plan.in_turns()[: MOST_FILMS_BESIDE if budget is None else MOST_FILMS]
    wanted = [need for key in order for need in plan.needs(key) if need[0] in filmed]
    encoded: list[Films] = []
    for number, source in enumerate(runs):
        owners = {plan.ids[number][key]: key for which, key in wanted if which == number}
        found: Films = {}
        for picture in read_pictures(source, owners.keys(), frames=True) if owners else ():
            if picture.frames:
                found[owners[picture.sample_id]] = [
                    make_thumbnail(frame, None, QUALITIES[-1]).uri for frame in picture.frames
                ]
        encoded.append(found)
    films: list[Films] = [{} for _ in runs]
    keys: list[Key] = []
    spent = 0
    for key in order:
        new = [
            (run, owner)
            for run, owner in plan.needs(key)
            if owner in encoded[run] and owner not in films[run]
        ]
        size = sum(len(uri) + 3 for run, owner in new for uri in encoded[run][owner])
        if budget is not None and spent + size > budget:
            break
        spent += size
        for run, owner in new:
            films[run][owner] = encoded[run][owner]
        if any(key in found for found in films):
            keys.append(key)
    return films, keys, spent


def films_payload(
    films: Films, position: dict[str, int], noise: Sequence[float], chunked: bool
) -> dict[str, Any]:
    """Give the frames of a run as the script reads them, or the chunk that holds them."""
    payload: dict[str, Any] = {
        "cell": [position[cell] for cell, _ in films],
        "index": [index for _, index in films],
        "noise": list(noise),
    }
    if chunked:
        payload["chunk"] = FILM_CHUNK
    else:
        payload["frames"] = list(films.values())
    return payload


def write_film_chunks(films: Sequence[Films], folder: Path) -> None:
    """Write the frames as scripts that the page loads when it needs them."""
    for run, found in enumerate(films):
        frames = list(found.values())
        for chunk, start in enumerate(range(0, len(frames), FILM_CHUNK)):
            data = json.dumps({"frames": frames[start : start + FILM_CHUNK]}, separators=(",", ":"))
            text = f"bindingBenchChunk({run},{chunk},{data},'films');\n"
            (folder / f"films-{run}-{chunk:04d}.js").write_text(text, encoding="ascii")
