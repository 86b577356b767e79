"""The end of a run: verdicts and estimates made, the record closed, invalid images counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow.compute as pc

from bench.errors import NotComparableError
from bench.records import Estimate
from bench.store.manifest import now, write_manifest
from bench.store.run import Run

#: A run with a larger share of invalid images than this fails.
MOST_INVALID = 0.01


@dataclass(frozen=True)
class Stock:
    """What stands in the samples table.

    Attributes
    ----------
    images : int
    invalid : dict of str to int
        Void images by reason.
    size : tuple of int or None
        Width and height where all valid images agree.
    """

    images: int
    invalid: dict[str, int]
    size: tuple[int, int] | None


def take_stock(run: Run) -> Stock:
    """Count the stored images of a run."""
    images = 0
    invalid: Counter[str] = Counter()
    sizes: set[tuple[int, int]] = set()
    for _, part in run.parts("samples", ["invalid", "width", "height"]):
        images += len(part)
        column = part["invalid"]
        invalid.update(column.filter(pc.is_valid(column)).to_pylist())
        # A picture that could not be read is stored as a blank one, whose size says nothing.
        valid = part.filter(pc.is_null(column))
        pairs = valid.group_by(["width", "height"]).aggregate([])
        sizes.update(zip(pairs["width"].to_pylist(), pairs["height"].to_pylist(), strict=True))
    return Stock(images, dict(invalid.most_common()), sizes.pop() if len(sizes) == 1 else None)


def finish(run: Run, missing: int) -> tuple[Run, list[Estimate], Stock]:
    """Make the derived files and close the record. Whoever calls holds the lock.

    Parameters
    ----------
    run : Run
    missing : int
        Images that are not yet made and scored; the record is closed where there are none.
    """
    # Not at the top: workers of a team never come here, and pandas takes a second to import.
    from bench.run.derive import derive
    from bench.run.filmstrips import write_filmstrips

    estimates = derive(run)
    if not missing:
        write_filmstrips(run)
    stock = take_stock(run)
    manifest = run.manifest.model_copy(
        update={
            "invalid": sum(stock.invalid.values()),
            "image_size": stock.size,
            "finished": None if missing else now(),
        }
    )
    write_manifest(run.folder, manifest)
    return Run(run.folder, manifest), estimates, stock


def require_valid(stock: Stock) -> None:
    """Fail loudly where too many images say nothing.

    Raises
    ------
    NotComparableError
        More than 1% are invalid; the message tells how many and why.
    """
    total = sum(stock.invalid.values())
    if total > MOST_INVALID * stock.images:
        reasons = ", ".join(f"{count} {reason}" for reason, count in stock.invalid.items())
        raise NotComparableError(
            f"{total} of {stock.images} images are invalid ({reasons}), more than "
            f"{MOST_INVALID:.0%}: the scores say little about this model; look at its pictures"
        )
