"""One leader a run folder: the second says who is there, and stops.

A leader may have workers, other processes that write parts of their own. They hold locks of their
own, and a leader that comes after waits until those of an earlier one are gone; and before a worker
writes it looks whether its leader still holds the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import StoreError
from bench.store import files, paths

LOCK = ".lock"
HOLDER = ".lock.json"
#: Locks of the workers, one a process.
WORKERS = ".worker-"
#: Seconds that workers of an earlier leader may take to end.
PATIENCE = 30.0


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
        from bench.store.remote_lock import leased

        with leased(folder) as stale:
            yield stale
        return
    files.make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        _acquire(lock, folder)
    except Timeout:
        raise in_use(folder, read_holder(folder) or {}) from None
    try:
        stale = read_holder(folder)
        files.write_text(folder / HOLDER, json.dumps(this_process(), indent=1) + "\n")
        _await_workers(folder)
        yield stale
        files.remove(folder / HOLDER)
    finally:
        lock.release()


@contextlib.contextmanager
def worker_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of a worker of the leader that holds the folder."""
    if paths.is_remote(folder):
        # There the token alone keeps a worker from writing for a leader that is gone.
        yield
        return
    path = folder / f"{WORKERS}{name}.lock"
    lock = FileLock(path, timeout=0)
    _acquire(lock, folder)
    try:
        yield
    finally:
        lock.release()
        files.remove(path)


def require_holder(folder: Path, token: str | None = None) -> str:
    """Return the token of the leader that holds a folder.

    Parameters
    ----------
    folder : Path
    token : str, optional
        The one that it must be.

    Raises
    ------
    StoreError
        Nobody holds it, or another than the one expected.
    """
    held = (read_holder(folder) or {}).get("token", "")
    if not held or (token is not None and held != token):
        raise StoreError(
            f"{folder} is not held any more by the process that this one works for; nothing was "
            "written, run the same command again to go on"
        )
    return held


def _await_workers(folder: Path) -> None:
    """Wait until workers of an earlier leader are gone: they could still write."""
    end = time.monotonic() + PATIENCE
    for path in sorted(folder.glob(f"{WORKERS}*.lock")):
        lock = FileLock(path, timeout=max(0.0, end - time.monotonic()))
        try:
            _acquire(lock, folder)
        except Timeout:
            raise StoreError(
                f"{folder} is in use by a worker of an earlier call that does not end ({path.name} "
                "is locked); end that process and run again"
            ) from None
        lock.release()
        files.remove(path)


def _acquire(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        with files.clear_errors("lock", folder):
            raise error


def this_process() -> dict[str, str]:
    """Tell who holds a lock from now on."""
    return {
        "pid": str(os.getpid()),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "token": uuid.uuid4().hex,
    }


def in_use(folder: Path, holder: Mapping[str, str]) -> StoreError:
    """Return the error for the second who wants a folder."""
    return StoreError(
        f"{folder} is in use by process {holder.get('pid', '?')} on {holder.get('host', '?')} "
        f"since {holder.get('since', '?')}; wait for it, or choose another folder with --name"
    )


def read_holder(folder: Path) -> dict[str, str] | None:
    """Return who holds the folder, or held it and was killed; None where nobody is told."""
    path = folder / HOLDER
    with files.clear_errors("read", path):
        try:
            holder = json.loads(paths.read_whole(path))
        except (FileNotFoundError, ValueError):
            return None
    return holder if isinstance(holder, dict) else None


def guard_of(folder: Path) -> Callable[[], object] | None:
    """Return what the holder of a folder must call before it writes; None where a lock is enough.

    The lock of a local folder holds for as long as the process lives. The one of a remote store can
    be taken over from a process that slept, or that the network left alone, for too long.
    """
    if not paths.is_remote(folder):
        return None
    token = require_holder(folder)
    return lambda: require_holder(folder, token)
