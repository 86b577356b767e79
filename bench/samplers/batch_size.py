"""The batch size, found by itself: grown by what one image takes, halved when memory runs out.

No image is made for the search alone: the first batches of a run are the probe. The seed of an
image is its own, so that the size only changes the speed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

#: Images a batch where nothing is known of memory (on a CPU larger ones are hardly faster).
UNPROBED = 8
#: Largest batch that is tried.
LARGEST = 64
#: Share of the free memory that a batch may take; the rest is for what differs between batches.
SHARE = 0.8


class BatchSize:
    """How many images are made together.

    Parameters
    ----------
    fixed : int, optional
        What the user asked for; it is only halved when memory runs out.
    memory : callable, optional
        Bytes free for a batch; None where that is not known, as on a CPU.
    memo : Memo, optional
        Where sizes of earlier runs are kept.
    key : str
        What the size belongs to: model, size of the image, precision, device.
    say : callable
        Told a line when the size changes.
    """

    def __init__(
        self,
        fixed: int | None = None,
        memory: Callable[[], int] | None = None,
        memo: Memo | None = None,
        key: str = "",
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._memory, self._memo, self._key, self._say = memory, memo, key, say
        known = memo.get(key) if memo is not None and fixed is None else None
        self._searching = fixed is None and memory is not None and known is None
        self.size = fixed or known or (1 if self._searching else UNPROBED)
        self._ceiling = LARGEST
        if known is not None:
            say(f"batch size {known}, as found before")

    def made(self, count: int, taken: int) -> None:
        """Learn from a batch that was made.

        Parameters
        ----------
        count : int
            Images of the batch.
        taken : int
            Bytes that it took at its peak, beyond the model.
        """
        if not self._searching or self._memory is None or count < self.size:
            return
        fitting = int(SHARE * self._memory() / max(taken / count, 1))
        # At most four times as many at once: what one image takes alone tells little about many.
        size = max(1, min(fitting, 4 * self.size, self._ceiling))
        size = 1 << (size.bit_length() - 1)
        if size <= self.size:
            self._settle()
        else:
            self.size = size

    def failed(self) -> bool:
        """Halve after memory ran out; False where one image alone was too much."""
        if self.size == 1:
            return False
        before, self.size = self.size, self.size // 2
        self._ceiling = self.size
        self._say(f"out of memory with {before} images a batch; going on with {self.size}")
        self._settle()
        return True

    def _settle(self) -> None:
        if self._searching:
            self._say(f"batch size {self.size}, by the memory that an image takes")
        self._searching = False
        if self._memo is not None:
            self._memo.put(self._key, self.size)


class Memo:
    """Batch sizes of earlier runs, in a small file of the user's cache folder.

    A file that cannot be read or written only costs the search.
    """

    def __init__(self, path: Path | None = None) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.path = path or cache / "binding-bench" / "batch_sizes.json"

    def get(self, key: str) -> int | None:
        """Return the size that was found for a key."""
        size = self._read().get(key)
        return size if isinstance(size, int) and 1 <= size <= LARGEST else None

    def put(self, key: str, size: int) -> None:
        """Keep a size."""
        whole = {**self._read(), key: size}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(whole, indent=1, sort_keys=True))
            temporary.replace(self.path)

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
