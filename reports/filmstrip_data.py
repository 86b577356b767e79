"""The frames of the making of some pictures, chosen within a budget of bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.reading import Run, read_pictures
from reports.selection import Key, Plan
from reports.thumbnails import QUALITIES, make_thumbnail

#: Share of the bytes for pictures that frames may take.
SHARE = 0.3

#: Pictures whose making is shown, at most: in the page, and in a folder beside it.
MOST, MOST_BESIDE = 200, 1000

#: Pictures a file of the assets folder has the frames of.
CHUNK = 40

#: Frames of pictures by key.
Films = dict[Key, list[str]]


def make_films(
    runs: Sequence[Run], plan: Plan, budget: int | None
) -> tuple[list[Films], list[Key], int]:
    """Encode frames, those of failures and of bound pictures in turns, each with its control.

    Parameters
    ----------
    runs : sequence of Run
    plan : Plan
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
    order = plan.in_turns()[: MOST_BESIDE if budget is None else MOST]
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
        payload["chunk"] = CHUNK
    else:
        payload["frames"] = list(films.values())
    return payload


def write_film_chunks(films: Sequence[Films], folder: Path) -> None:
    """Write the frames as scripts that the page loads when it needs them."""
    for run, found in enumerate(films):
        frames = list(found.values())
        for chunk, start in enumerate(range(0, len(frames), CHUNK)):
            data = json.dumps({"frames": frames[start : start + CHUNK]}, separators=(",", ":"))
            text = f"bindingBenchChunk({run},{chunk},{data},'films');\n"
            (folder / f"films-{run}-{chunk:04d}.js").write_text(text, encoding="ascii")
