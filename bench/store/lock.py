"""One process a run folder: the second says who is there, and stops."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import StoreError
from bench.store import files

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
    files.make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        _acquire(lock, folder)
    except Timeout:
        holder = _read(folder) or {}
        raise StoreError(
            f"{folder} is in use by process {holder.get('pid', '?')} on "
            f"{holder.get('host', '?')} since {holder.get('since', '?')}; wait for it, or choose "
            "another folder with --name"
        ) from None
    try:
        stale = _read(folder)
        me = {
            "pid": str(os.getpid()),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        files.write_text(folder / HOLDER, json.dumps(me, indent=1) + "\n")
        yield stale
        files.remove(folder / HOLDER)
    finally:
        lock.release()


def _acquire(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        with files.clear_errors("lock", folder):
            raise error


def _read(folder: Path) -> dict[str, str] | None:
    try:
        holder = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return holder if isinstance(holder, dict) else None
