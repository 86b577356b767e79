"""The pictures of a run with what was asked of them, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.store.run import WITHOUT_PICTURE, Run


def stored_images(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the rows of the samples table; ``png`` is the encoded picture."""
    for _, part in run.parts("samples", [*WITHOUT_PICTURE, "image"]):
        for row in part.to_pylist():
            yield {**row, "png": row.pop("image")["bytes"]}
