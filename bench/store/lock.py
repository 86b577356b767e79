"""One process a local run folder: the second says who is there, and stops.

A remote store has no locks, and needs none: ids are hashes of what is asked, so that two writers
make the same pictures, and rows that stand there twice are read once.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import StoreError
from bench.store import files, paths

LOCK = ".lock"
HOLDER = ".lock.json"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[dict[str, str] | None]:
    """Hold the lock of a run folder; the system lets go of it when the process ends in any way.

    Yields
    ------
    dict or None
        Who held the lock and ended without letting go (a kill, a power cut), else None.

    Raises
    ------
    StoreError
        Another process holds it; the message names the process and the machine.
    """
    if paths.is_remote(folder):
        yield None
        return
    files.make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise _in_use(folder, read_holder(folder) or {}) from None
    except OSError as error:
        with files.clear_errors("lock", folder):
            raise error
    try:
        stale = read_holder(folder)
        files.write_text(folder / HOLDER, json.dumps(_this_process(), indent=1) + "\n")
        yield stale
        files.remove(folder / HOLDER)
    finally:
        lock.release()


def read_holder(folder: Path) -> dict[str, str] | None:
    """Return who holds the folder, or held it and was killed; None where nobody is told."""
    path = folder / HOLDER
    with files.clear_errors("read", path):
        try:
            holder = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
    return holder if isinstance(holder, dict) else None


def _this_process() -> dict[str, str]:
    return {
        "pid": str(os.getpid()),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _in_use(folder: Path, holder: Mapping[str, str]) -> StoreError:
    return StoreError(
        f"{folder} is in use by process {holder.get('pid', '?')} on {holder.get('host', '?')} "
        f"since {holder.get('since', '?')}; wait for it, or choose another folder with --name"
    )
