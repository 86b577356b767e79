"""A snapshot in the cache of the hub's client, whose files are links into the cache's blobs.

The file ``datasets--org--name/snapshots/COMMIT/a.png`` is a symbolic link to
``datasets--org--name/blobs/HASH``, since revisions share their files. That in turn can be a link to
``blobs/HA/HASH`` beside the repositories, which all of them share. Layout: huggingface_hub,
"Understand caching", https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
"""

from __future__ import annotations

import re
from pathlib import Path

_REPOSITORY = re.compile(r"(?:models|datasets|spaces|kernels)--(?P<id>.+)")
_SHARED = re.compile(r"(?P<folder>[0-9a-f]{2})/(?P=folder)[0-9a-f]{62}")
SNAPSHOTS = "snapshots"
BLOBS = "blobs"


def repository(folder: Path) -> Path | None:
    """Return the cached repository that a folder is a snapshot of, or lies in a snapshot of.

    Parameters
    ----------
    folder : Path
        Any folder; links on the way to it are followed.

    Returns
    -------
    Path or None
        Without links; None where the folder is in no such cache.
    """
    real = folder.resolve()
    for commit in (real, *real.parents):
        found = commit.parent.parent
        if commit.parent.name == SNAPSHOTS and _REPOSITORY.fullmatch(found.name):
            return found
    return None


def is_blob(real: Path, folder: Path) -> bool:
    """Whether a file is a blob that the snapshot which a folder is in may link to.

    Parameters
    ----------
    real : Path
        Where the links of a path of the folder end: without a link.
    folder : Path

    Returns
    -------
    bool
        True for a file of the blobs of the same repository, and for one of the blobs that the
        cache keeps for all repositories; False where the folder is in no snapshot.
    """
    found = repository(folder)
    if found is None:
        return False
    shared = found.parent / BLOBS
    return real.parent == found / BLOBS or (
        real.is_relative_to(shared)
        and _SHARED.fullmatch(real.relative_to(shared).as_posix()) is not None
    )


def hub_id(folder: Path) -> str | None:
    """Return ``org/name`` of a snapshot as a whole; None for any other folder."""
    real = folder.resolve()
    found = repository(real)
    if found is None or real.parent != found / SNAPSHOTS:
        return None
    match = _REPOSITORY.fullmatch(found.name)
    return match["id"].replace("--", "/", 1) if match else None
