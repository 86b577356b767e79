"""A training's log: a line on stderr and a row of a CSV file, a few times a minute."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import click


class Log:
    """Collects losses, and writes their mean now and then.

    Parameters
    ----------
    path : Path
        Rows: pictures seen, seconds spent, mean loss since the row before.
    seen, spent : int, float
        What an earlier call had reached.
    every : float
        Seconds between rows.
    """

    def __init__(self, path: Path, seen: int = 0, spent: float = 0.0, every: float = 15.0) -> None:
        self.path, self.every = path, every
        self._first, self._spent = seen, spent
        self._started = self._last = time.monotonic()
        self._recent: list[float] = []

    @property
    def seconds(self) -> float:
        """Time spent on the training, earlier calls included."""
        return self._spent + time.monotonic() - self._started

    def add(self, seen: int, total: int, loss: float, last: bool = False) -> None:
        """Note a step's loss."""
        self._recent.append(loss)
        now = time.monotonic()
        if now - self._last < self.every and not last:
            return
        mean = sum(self._recent) / len(self._recent)
        speed = (seen - self._first) / max(now - self._started, 1e-9)
        left = (total - seen) / max(speed, 1e-9) / 60
        click.echo(
            f"{seen:>9,} of {total:,} pictures  loss {mean:.4f}  {speed:.0f}/s  "
            f"{left:.0f} min left",
            err=True,
        )
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([seen, round(self.seconds, 1), round(mean, 5)])
        self._last, self._recent = now, []
