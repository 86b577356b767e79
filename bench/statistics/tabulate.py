"""Estimates of a run: every metric over the whole grid and its slices."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.records import Estimate
from bench.statistics.intervals import (
    LEVEL,
    RESAMPLES,
    Interval,
    difference,
    mean_of_cells,
    mean_of_this_list,
    share_of_prompts_like_these,
    share_of_this_list,
    student,
)
from bench.statistics.metrics import COUNTED, GAPS, SHARES, SLICED
from bench.statistics.of_k import any_and_all
from bench.statistics.sums import CellSums, Judgements

WHOLE = "all"
#: Slices by these columns of the verdict table, in the order of the estimates.
SLICES = ("template", "colour", "subject")

#: Tags that are also crossed: what kind of prompt, and whether its pair was trained on.
KINDS, SEEN = ("single", "distractor", "pair"), ("seen", "novel")

#: Metrics that can be negative; all others lie in [0, 1].
_SIGNED = frozenset({"leak_excess"})
_SHARES = frozenset(share.name for share in SHARES) | frozenset(COUNTED)


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
        told by ``scored``; fewer than two cells give no interval. Where cells have k images, two
        or more, also ``any_of_k`` and ``all_of_k``.
    """
    judgements = Judgements(verdicts)
    found: list[Estimate] = []
    tags = _tag_rows(verdicts)
    whole = np.ones(len(verdicts), dtype=bool)
    for group, rows, metrics in _groups(verdicts, tags, whole):
        sums = judgements.sums(rows, metrics)
        found += estimates_of(sums, group, _generator(seed, group), resamples, level)
        if metrics is None and (of_k := any_and_all(verdicts[rows])) is not None:
            found += estimates_of(of_k, group, _generator(seed, group), resamples, level)
    found += _gaps(judgements, WHOLE, whole, tags, seed, resamples, level)
    if "single" in tags:
        found += _gaps(judgements, "tag:single", tags["single"], tags, seed, resamples, level)
    if each_cell:
        found += _each_cell(judgements)
    return found


def estimates_of(
    sums: CellSums, group: str, rng: np.random.Generator, resamples: int, level: float
) -> list[Estimate]:
    """Estimates of one group, one a metric.

    ``low`` and ``high`` are for this list of prompts, ``population_low`` and ``population_high``
    for prompts like these.
    """
    found = []
    for m, name in enumerate(sums.metrics):
        ok = sums.cell_images[:, m] > 0
        means, noise, images = sums.means[ok, m], sums.noise[ok, m], sums.cell_images[ok, m]
        variance, degrees = float(sums.variance[m]), float(sums.degrees[m])
        if name in _SHARES or name.startswith(("any_of_", "all_of_")):
            ends = share_of_this_list(means, noise, images, level)
            wide = share_of_prompts_like_these(means, variance, degrees, level)
        else:
            how: dict[str, Any] = {
                "bounded": name not in _SIGNED,
                "resamples": resamples,
                "level": level,
            }
            ends = mean_of_this_list(means, noise, images, rng, **how)
            wide = mean_of_cells(means, rng, **how)
            if wide is not None and variance > 0:
                clustered = student(means.mean(), variance**0.5, degrees, level)
                wide = min(wide[0], clustered[0]), max(wide[1], clustered[1])
            if how["bounded"]:
                # Student's t knows no ends of the scale.
                ends, wide = (one and (max(one[0], 0.0), min(one[1], 1.0)) for one in (ends, wide))
        low, high = ends or (None, None)
        population_low, population_high = wide or (None, None)
        found.append(
            Estimate(
                metric=name,
                group=group,
                value=float(means.mean()) if len(means) else float("nan"),
                low=low,
                high=high,
                images=sums.images,
                scored=int(sums.scored[m]),
                cells=len(means),
                population_low=population_low,
                population_high=population_high,
            )
        )
    return found


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
    """Return the gap; without a value where one of its sides is a single cell."""
    told = min(first.cells, second.cells) > 1
    low, high = _gap_ends(first, second, "low", "high") if told else (None, None)
    wide = _gap_ends(first, second, "population_low", "population_high") if told else (None, None)
    return Estimate(
        metric=name,
        group=group,
        value=first.value - second.value if told else float("nan"),
        low=low,
        high=high,
        images=first.images + second.images,
        scored=first.scored + second.scored,
        cells=first.cells + second.cells,
        population_low=wide[0],
        population_high=wide[1],
    )


def _gap_ends(
    first: Estimate, second: Estimate, low: str, high: str
) -> Interval | tuple[None, None]:
    ends = [(one.value, getattr(one, low), getattr(one, high)) for one in (first, second)]
    return (None, None) if None in (*ends[0], *ends[1]) else difference(*ends)


def _each_cell(judgements: Judgements) -> list[Estimate]:
    everything = np.ones(len(judgements.cell), dtype=bool)
    sums = judgements.sums(everything, SLICED)
    images = pd.DataFrame({"cell": judgements.cell, "sample": judgements.sample})
    counts = images.groupby("cell")["sample"].nunique().to_numpy()
    return [
        Estimate(
            metric=name,
            group=f"cell:{cell}",
            value=float(sums.means[c, m]),
            low=None,
            high=None,
            images=int(counts[c]),
            scored=int(sums.cell_images[c, m]),
            cells=int(sums.cell_images[c, m] > 0),
        )
        for c, cell in enumerate(judgements.cell_ids)
        for m, name in enumerate(SLICED)
    ]


def _generator(seed: int, group: str) -> np.random.Generator:
    """Return the generator of one group: a slice more does not move the others."""
    return np.random.default_rng([seed, zlib.crc32(group.encode())])
