"""The way of one prompt through the program: ``python -m benchmarks.walk``.

``a blue potato`` is typed as a grid of one prompt, run with the bundled model and put on the page,
all in this process, under a profiler. A file is *crossed* where one of its functions is called with
the prompt in its arguments: its text, its cell, its sample, its image, or a sequence or table of
one of these. Files that work on arrays alone (colour spaces, networks, statistics) know no prompt
and are not counted.

JSON on stdout: the files in the order in which the prompt first reaches them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "prompts", "reports", "reference_models")
PROMPT = "a blue potato"
CELL = "single/blue/potato"
#: Elements of a sequence that are looked at, and how deep.
FEW, DEEP = 3, 4


def carries(value: Any, depth: int = 0) -> bool:
    """Whether a value is the prompt, or one of the records that hold it."""
    if isinstance(value, str):
        return value in (PROMPT, CELL)
    if depth >= DEEP:
        return False
    if isinstance(value, list | tuple | set | frozenset):
        return any(carries(one, depth + 1) for _, one in zip(range(FEW), value, strict=False))
    if isinstance(value, dict):
        return any(
            carries(one, depth + 1) for _, one in zip(range(FEW), value.items(), strict=False)
        )
    if type(value).__name__ in ("DataFrame", "Table", "RecordBatch"):
        columns = getattr(value, "column_names", None) or list(value.columns)
        return "cell" in columns or "prompt" in columns
    # Only the fields of records: a property may compute.
    fields = getattr(type(value), "__dataclass_fields__", ())
    return any(carries(getattr(value, name, None), depth + 1) for name in fields)


class Walk:
    """Files whose functions were called with the prompt, in order."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._prefixes = tuple(f"{ROOT / package}/" for package in PACKAGES)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Look at one call."""
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(self._prefixes):
            return
        name = file[len(str(ROOT)) + 1 :]
        if name in self.files:
            return
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(carries(frame.f_locals.get(one)) for one in names):
            self.files.append(name)


def walked() -> list[str]:
    """Files that one prompt crosses from the command to the page."""
    from bench.cli.main import run

    walk = Walk()
    with tempfile.TemporaryDirectory() as folder:
        grid = Path(folder) / "grid.txt"
        grid.write_text(PROMPT + "\n", encoding="utf-8")
        runs = Path(folder) / "runs"
        threading.setprofile(walk)
        sys.setprofile(walk)
        try:
            with redirect_stdout(sys.stderr):
                made = run(
                    [
                        "run",
                        "--model",
                        "local",
                        "--grid",
                        str(grid),
                        "--out",
                        str(runs),
                        "--name",
                        "walk",
                    ]
                )
                written = run(["report", str(runs / "walk")])
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]
        if made or written:
            raise SystemExit(f"the run left with {made}, the report with {written}")
    return walk.files


def main() -> None:
    """Print the walk."""
    files = walked()
    print(json.dumps({"files": len(files), "walk": files}, indent=2))


if __name__ == "__main__":
    main()
