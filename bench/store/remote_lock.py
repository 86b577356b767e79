"""The lock of a run folder in a remote store, which has no locks: an object that is kept alive.

Who holds the folder has an object there and writes it anew every few seconds. Who finds one watches
it: does it change, the folder is in use; does it stay the same for long, its writer is dead. No
clocks of different machines are compared. Before parts are written the holder looks whether the
object is still its own, so that one that slept through all this writes nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.errors import BenchError
from bench.store import files
from bench.store.lock import HOLDER, in_use, read_holder, this_process

#: Seconds between two signs of life.
BEAT = 10.0
#: Seconds without one after which a holder is dead.
SILENCE = 45.0
#: Seconds between taking over and looking whether another did so at the same time.
SETTLE = 1.0


@contextlib.contextmanager
def leased(folder: Path) -> Iterator[dict[str, str] | None]:
    """Hold a folder of a remote store.

    Yields
    ------
    dict or None
        Who held it and died, else None.

    Raises
    ------
    StoreError
        Another holds it, or took it over meanwhile.
    """
    me = this_process()
    path = folder / HOLDER
    stale = None
    if not files.create_text(path, _text(me)):
        stale = read_holder(folder) or {}
        _require_dead(folder, stale)
        files.write_text(path, _text(me))
        time.sleep(SETTLE)
        _require_mine(folder, me)
    ended = threading.Event()
    beating = threading.Thread(
        target=_beat, args=(folder, me, ended), name="bench-lease", daemon=True
    )
    beating.start()
    try:
        yield stale
    finally:
        ended.set()
        beating.join()
        if _is_mine(folder, me):
            files.remove(path)


def _beat(folder: Path, me: Mapping[str, str], ended: threading.Event) -> None:
    """Give signs of life until the end, or until the folder is another's."""
    count = 0
    while not ended.wait(BEAT):
        count += 1
        # A store that cannot be reached for a while is no reason to stop: writing will tell.
        with contextlib.suppress(BenchError):
            if not _is_mine(folder, me):
                return
            files.write_text(folder / HOLDER, _text({**me, "beat": str(count)}))


def _require_dead(folder: Path, holder: Mapping[str, str]) -> None:
    if holder.get("host") == socket.gethostname() and _ended(holder.get("pid", "")):
        return
    end = time.monotonic() + SILENCE
    while time.monotonic() < end:
        time.sleep(min(1.0, SILENCE / 10))
        now = read_holder(folder)
        if now is None:
            return
        if now != holder:
            raise in_use(folder, now)


def _require_mine(folder: Path, me: Mapping[str, str]) -> None:
    if not _is_mine(folder, me):
        raise in_use(folder, read_holder(folder) or {})


def _is_mine(folder: Path, me: Mapping[str, str]) -> bool:
    return (read_holder(folder) or {}).get("token") == me["token"]


def _ended(pid: str) -> bool:
    """Whether a process of this machine is no more."""
    if not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _text(holder: Mapping[str, str]) -> str:
    return json.dumps(dict(holder), indent=1) + "\n"
