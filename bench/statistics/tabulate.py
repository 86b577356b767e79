"""Estimates of a run: every metric over the whole grid and its slices."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.records import Estimate
from bench.statistics.bootstrap import LEVEL, RESAMPLES, difference, intervals
from bench.statistics.metrics import GAPS, SLICED
from bench.statistics.sums import CellSums, Judgements

WHOLE = "all"
#: Slices by these columns of the verdict table, in the order of the estimates.
SLICES = ("template", "colour", "subject")

#: Tags that are also crossed: what kind of prompt, and whether its pair was trained on.
KINDS, SEEN = ("single", "distractor", "pair"), ("seen", "novel")

#: Metrics that can be negative; all others lie in [0, 1].
_SIGNED = frozenset({"leak_excess"})


def tabulate(
    verdicts: pd.DataFrame,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    each_cell: bool = True,
) -> list[Estimate]:
    """Estimate every metric, macro-averaged over cells, with its interval.

    Parameters
    ----------
    verdicts : DataFrame
        ``verdicts.parquet``: a row a binding of an image.
    seed : int
        Seed of the bootstrap; the same table gives the same estimates.
    resamples : int
    level : float
    each_cell : bool
        Also one estimate a cell of each sliced metric, without interval.

    Returns
    -------
    list of Estimate
        Groups are ``all``, ``tag:T``, ``tag:KIND+SEEN``, ``template:T``, ``colour:C``,
        ``subject:S``, ``cell:ID``. Images that were not measured are left out of the value and
        told by ``scored``; fewer than two cells give no interval.
    """
    judgements = Judgements(verdicts)
    found: list[Estimate] = []
    tags = _tag_rows(verdicts)
    whole = np.ones(len(verdicts), dtype=bool)
    for group, rows, metrics in _groups(verdicts, tags, whole):
        sums = judgements.sums(rows, metrics)
        found += estimates_of(sums, group, _generator(seed, group), resamples, level)
    found += _gaps(judgements, WHOLE, whole, tags, seed, resamples, level)
    if "single" in tags:
        found += _gaps(judgements, "tag:single", tags["single"], tags, seed, resamples, level)
    if each_cell:
        found += _each_cell(judgements)
    return found


def estimates_of(
    sums: CellSums, group: str, rng: np.random.Generator, resamples: int, level: float
) -> list[Estimate]:
    """Estimates of one group, one a metric."""
    means = sums.means
    shares = np.array([name not in _SIGNED for name in sums.metrics])
    ends = intervals(means, rng, shares=shares, resamples=resamples, level=level)
    cells = sums.cells
    return [
        Estimate(
            metric=name,
            group=group,
            value=float(np.nanmean(means[:, m])) if cells[m] else float("nan"),
            low=None if np.isnan(ends[m, 0]) else float(ends[m, 0]),
            high=None if np.isnan(ends[m, 1]) else float(ends[m, 1]),
            images=sums.images,
            scored=int(sums.scored[m]),
            cells=int(cells[m]),
        )
        for m, name in enumerate(sums.metrics)
    ]


def _groups(
    verdicts: pd.DataFrame, tags: dict[str, np.ndarray], whole: np.ndarray
) -> Iterator[tuple[str, np.ndarray, tuple[str, ...] | None]]:
    yield WHOLE, whole, None
    for tag, rows in tags.items():
        yield f"tag:{tag}", rows, None
    for kind, met in itertools.product(KINDS, SEEN):
        if kind in tags and met in tags and (rows := tags[kind] & tags[met]).any():
            yield f"tag:{kind}+{met}", rows, None
    for column in SLICES:
        codes, names = pd.factorize(verdicts[column], sort=True)
        for code, name in enumerate(names):
            yield f"{column}:{name}", codes == code, SLICED


def _tag_rows(verdicts: pd.DataFrame) -> dict[str, np.ndarray]:
    """For every tag the rows that have it. Rows of one cell have the same tags."""
    codes, _ = pd.factorize(verdicts["cell_id"])
    _, firsts = np.unique(codes, return_index=True)
    of_cell = [frozenset(tags) for tags in verdicts["tags"].iloc[firsts]]
    return {
        tag: np.array([tag in tags for tags in of_cell], dtype=bool)[codes]
        for tag in sorted(set().union(*of_cell))
    }


def _gaps(
    judgements: Judgements,
    group: str,
    rows: np.ndarray,
    tags: dict[str, np.ndarray],
    seed: int,
    resamples: int,
    level: float,
) -> list[Estimate]:
    """Return the score of some cells minus that of others, where both are there."""
    found = []
    for name, better, worse in GAPS:
        nothing = np.zeros(len(rows), dtype=bool)
        chosen = [rows & tags.get(tag, nothing) for tag in (better, worse)]
        if not all(some.any() for some in chosen):
            continue
        pair = [
            estimates_of(
                judgements.sums(some, ("binding_score",)),
                tag,
                _generator(seed, f"{group}/{tag}"),
                resamples,
                level,
            )[0]
            for some, tag in zip(chosen, (better, worse), strict=True)
        ]
        found.append(_minus(name, group, *pair))
    return found


def _minus(name: str, group: str, first: Estimate, second: Estimate) -> Estimate:
    low = high = None
    if None not in (first.low, first.high, second.low, second.high):
        low, high = difference(
            (first.value, first.low or 0.0, first.high or 0.0),
            (second.value, second.low or 0.0, second.high or 0.0),
        )
    return Estimate(
        metric=name,
        group=group,
        value=first.value - second.value,
        low=low,
        high=high,
        images=first.images + second.images,
        scored=first.scored + second.scored,
        cells=first.cells + second.cells,
    )


def _each_cell(judgements: Judgements) -> list[Estimate]:
    everything = np.ones(len(judgements.cell), dtype=bool)
    sums = judgements.sums(everything, SLICED)
    means = sums.means
    images = pd.DataFrame({"cell": judgements.cell, "sample": judgements.sample})
    counts = images.groupby("cell")["sample"].nunique().to_numpy()
    # Two bindings of one image are one image.
    bindings = np.maximum(np.bincount(judgements.cell) / counts, 1.0)
    return [
        Estimate(
            metric=name,
            group=f"cell:{cell}",
            value=float(means[c, m]),
            low=None,
            high=None,
            images=int(counts[c]),
            scored=int(np.ceil(sums.counts[c, m] / bindings[c])),
            cells=int(sums.counts[c, m] > 0),
        )
        for c, cell in enumerate(judgements.cell_ids)
        for m, name in enumerate(SLICED)
    ]


def _generator(seed: int, group: str) -> np.random.Generator:
    """Return the generator of one group: a slice more does not move the others."""
    return np.random.default_rng([seed, zlib.crc32(group.encode())])
