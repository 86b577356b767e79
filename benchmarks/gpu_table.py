"""The table that `benchmarks.gpu` fills, and how busy a GPU is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

#: Name of a row, what was measured, and the bar.
Row = tuple[str, str, str]


@dataclass
class Bench:
    """What the parts share.

    Attributes
    ----------
    device : str
    tiny : bool
        Small sizes, which only show that everything works.
    rows : list of (str, str, str)
        Found so far.
    found : dict
        The same as numbers.
    peak : float
        bfloat16 matrix products, FLOP/s; 0 where it was not measured.
    """

    device: str
    tiny: bool
    rows: list[Row] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    peak: float = 0.0

    @property
    def cuda(self) -> bool:
        """Whether the device is one of CUDA."""
        return self.device.startswith("cuda")

    def add(self, name: str, value: str, bar: str = "", **numbers: Any) -> None:
        """Keep a row, and print it."""
        self.rows.append((name, value, bar))
        self.found |= numbers
        print(f"  {name}: {value}", flush=True)

    def wait(self) -> None:
        """Wait for what is queued."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def share(self, flops: float) -> str:
        """Arithmetic a second, and its share of the peak."""
        said = f"{flops / 1e12:.1f} TFLOP/s"
        return f"{said}, {flops / self.peak:.0%} of the peak" if self.peak else said


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [("", "measured", "bar"), ("---", "---:", "---:"), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Watch:
    """Share of the time in which the GPU worked, by its own counter; NaN without one."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stop = threading.Event()
        self._seen: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            try:
                self._seen.append(torch.cuda.utilization(self._device) / 100)
            except Exception:
                return

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def idle(self) -> float:
        """Share of the time without any kernel."""
        return 1 - float(np.mean(self._seen)) if self._seen else float("nan")


def percent(share: float) -> str:
    """A share in words; a dash where it is not known."""
    return f"{share:.1%}" if share == share else "not known"
