"""Where a run lies: a folder of this machine, or one of a store that fsspec reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from bench.errors import UsageError

#: Stores in which an object appears whole when its upload ends: no second name is needed.
WHOLE_OBJECTS = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "r2", "memory"}
)
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
             "abfs": "adlfs", "abfss": "adlfs"}  # fmt: skip


def place(given: str | Path) -> Path:
    """Return the path of a folder, whose name may be a URL: ``s3://bucket/runs``.

    What comes back for a URL has the methods of a Path (it is a ``upath.UPath``).

    Raises
    ------
    UsageError
        No such kind of store, or the package for it is not installed.
    """
    if not isinstance(given, str):
        return given
    protocol, colon, rest = given.partition("://")
    if not colon:
        return Path(given)
    if protocol in ("file", "local"):
        return Path(rest)
    from upath import UPath

    try:
        # Others write there too: a listing that was right a minute ago is of no use.
        found: Any = UPath(given, use_listings_cache=False)
        _ = found.fs
    except ImportError as error:
        package = _PACKAGES.get(protocol, "the package that fsspec names")
        raise UsageError(
            f"{given} cannot be reached: {error}; pip install {package} brings it"
        ) from error
    except ValueError as error:
        raise UsageError(
            f"{given} cannot be reached: {error}; expected a folder, or a URL such as "
            "s3://bucket/runs"
        ) from error
    return cast(Path, found)


def is_remote(path: Path) -> bool:
    """Whether a path is of a store that fsspec reaches."""
    return not isinstance(path, Path)


def file_system(path: Path) -> Any:
    """Return the fsspec file system of a remote path."""
    return cast(Any, path).fs


def name_there(path: Path) -> str:
    """Return the name that the file system knows a remote path by."""
    name: str = cast(Any, path).path
    return name


def appears_whole(path: Path) -> bool:
    """Whether a file that is written under its own name is never seen half."""
    return is_remote(path) and str(path).partition("://")[0] in WHOLE_OBJECTS
