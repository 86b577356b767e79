"""A run compared with one earlier run or several: one primary score and its slices."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.errors import NotComparableError
from bench.records import NOT_JUDGED, Comparison
from bench.statistics.metrics import SHARES
from bench.statistics.outcomes import LOWER_IS_BETTER, judge
from bench.statistics.paired import Tested, flip_test, retraining_test, smallest_detectable

PRIMARY = "binding_score"
#: Slices of the primary score by these columns, and by these tags.
BY_COLUMN = ("colour", "subject")
BY_TAG = ("novel", "anti-canonical")
#: Other metrics over the whole grid.
BY_PLACE = (
    "binding_given_drawn",
    "leakage_rate",
    "leakage_neighbour",
    "leakage_background",
    "mixed",
)

_SHARES = {share.name: share for share in SHARES}
_ABOUT = ["colour", "subject", "tags"]


@dataclass(frozen=True)
class Pairs:
    """Runs joined by cell, binding and index.

    Attributes
    ----------
    frame : DataFrame, N rows
        A row a judgement that any run has: ``cell_id``, ``binding``, ``index``, ``colour``,
        ``subject``, ``tags``, of cells that all runs have.
    before : ndarray of str, (N, K)
        The verdicts of the runs before, None where one has no such image.
    after : ndarray of str, (N,)
        The verdicts of the run.
    warnings : tuple of str
    """

    frame: pd.DataFrame
    before: np.ndarray
    after: np.ndarray
    warnings: tuple[str, ...]


def pair(before: pd.DataFrame | Sequence[pd.DataFrame], after: pd.DataFrame) -> Pairs:
    """Join the verdicts of a run with those of the run, or the runs, before.

    Parameters
    ----------
    before : DataFrame, or sequence of DataFrame
        Columns ``cell_id, binding, index, verdict``.
    after : DataFrame
        The same and ``colour, subject, tags``.

    Raises
    ------
    NotComparableError
        They have no cell in common.
    """
    runs = [*([before] if isinstance(before, pd.DataFrame) else before), after]
    cells = [set(run["cell_id"]) for run in runs]
    common = set.intersection(*cells)
    if not common:
        raise NotComparableError("cannot compare: the two runs have no cell in common")
    warnings = []
    if missing := len(set.union(*cells) - common):
        warnings.append(f"{missing} cells are not in all runs and are left out")
    runs = [run[run["cell_id"].isin(common)] for run in runs]
    number = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    cell, ids = pd.factorize(np.concatenate([run["cell_id"].to_numpy(object) for run in runs]))
    binding, index = (
        np.concatenate([run[name].to_numpy(np.int64) for run in runs])
        for name in ("binding", "index")
    )
    keys, row = np.unique(np.stack([cell, binding, index]), axis=1, return_inverse=True)
    held = np.full((keys.shape[1], len(runs)), None, dtype=object)
    held[row.ravel(), number] = np.concatenate([run["verdict"].to_numpy(object) for run in runs])
    here = pd.notna(held)
    counts = [int(np.bincount(keys[0], one).max()) for one in here.T]
    if len(set(counts)) > 1:
        words = " and ".join(map(str, sorted(set(counts))))
        warnings.append(f"the runs have {words} judgements a cell; all of them are used")
    lost = np.isin(held, NOT_JUDGED)
    if alone := int((lost.any(axis=1) & (here & ~lost).any(axis=1)).sum()):
        images = "image" if alone == 1 else "images"
        warnings.append(f"{alone} {images} could not be judged in one of the runs; left out of all")
    frame = pd.DataFrame({"cell_id": ids[keys[0]], "binding": keys[1], "index": keys[2]})
    about = after.drop_duplicates(["cell_id", "binding"])[["cell_id", "binding", *_ABOUT]]
    joined = frame.merge(about, on=["cell_id", "binding"], how="left", validate="many_to_one")
    known = joined["colour"].notna().to_numpy()
    return Pairs(joined[known], held[known, :-1], held[known, -1], tuple(warnings))


def compare(
    pairs: Pairs,
    *,
    margin: float = 0.02,
    alpha: float = 0.05,
    slices: bool = True,
    seed: int = 0,
) -> list[Comparison]:
    """Compare a run with those before.

    The outcome of each is that of `bench.statistics.outcomes`. With one run before, the hypothesis
    is that both are drawn from the same weights; with several, that the run is one more training
    of their recipe: then a change must show beyond their spread too.

    Parameters
    ----------
    pairs : Pairs
    margin : float
        Smallest loss that matters, as a share.
    alpha : float
        Level of the test, and of the intervals (1 - alpha): for the primary score; for all slices
        together, by Holm's rule. A false alarm is a change for the worse: half of alpha.
    slices : bool
        Also the other metrics and the slices, which are told and do not decide.
    seed : int
        Of the flips.

    Returns
    -------
    list of Comparison
        The primary score first. ``difference`` is after minus before.
    """
    frame = pairs.frame
    whole = np.ones(len(frame), dtype=bool)
    wanted = [(PRIMARY, "all", whole)]
    if slices:
        wanted += [(metric, "all", whole) for metric in BY_PLACE]
        wanted += [(PRIMARY, group, rows) for group, rows in _slices(frame)]
    cell = pd.factorize(frame["cell_id"], sort=True)[0]
    tables = {
        metric: _Table.of(pairs, cell, metric)
        for metric in dict.fromkeys(metric for metric, _, _ in wanted)
    }
    found = []
    for metric, group, rows in wanted:
        one = _compare_one(tables[metric], rows, metric, group, margin, alpha, seed)
        if one is not None:
            found.append(one)
    if len(found) > 1:
        from statsmodels.stats.multitest import multipletests

        adjusted = multipletests([one.p for one in found[1:]], method="holm")[1]
        found[1:] = [replace(one, p=float(p)) for one, p in zip(found[1:], adjusted, strict=True)]
    # The least p that a slice can reach is doubled by each of the others.
    return [
        judge(one, margin, alpha, tests=max(len(found) - 1, 1) if number else 1)
        for number, one in enumerate(found)
    ]


@dataclass(frozen=True)
class _Table:
    """Values of one metric: a row a judgement, a column a run, the last one after; NaN if none."""

    cell: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, pairs: Pairs, cell: np.ndarray, metric: str) -> _Table:
        share = _SHARES[metric]
        held = np.column_stack([pairs.before, pairs.after])
        known = np.isin(held, share.among)
        values = np.isin(held, share.hits).astype(float)
        # What one run could not judge is left out of all: else a run that fails on the hard images
        # would look better for it. An image that a run does not have takes nothing from the others.
        comparable = (known | pd.isna(held)).all(axis=1)
        return cls(cell, np.where(known & comparable[:, None], values, np.nan))

    def cells(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means (C, R) and numbers of judgements (C, R) of the cells that all runs have."""
        cell = np.unique(self.cell[rows], return_inverse=True)[1]
        size = int(cell.max()) + 1 if len(cell) else 0
        values = self.values[rows]
        known = ~np.isnan(values)
        counts = np.column_stack([np.bincount(cell, one, size) for one in known.T])
        sums = np.column_stack([np.bincount(cell, one, size) for one in np.nan_to_num(values).T])
        whole = (counts > 0).all(axis=1)
        return sums[whole] / counts[whole], counts[whole]


def _slices(frame: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    found = []
    for column in BY_COLUMN:
        codes, names = pd.factorize(frame[column], sort=True)
        found += [(f"{column}:{name}", codes == code) for code, name in enumerate(names)]
    for tag in BY_TAG:
        rows = np.array([tag in tags for tags in frame["tags"]], dtype=bool)
        if rows.any():
            found.append((f"tag:{tag}", rows))
    return found


def _compare_one(
    table: _Table,
    rows: np.ndarray,
    metric: str,
    group: str,
    margin: float,
    alpha: float,
    seed: int,
) -> Comparison | None:
    means, counts = table.cells(rows)
    if len(means) == 0:
        return None
    runs, after = means[:, :-1], means[:, -1]
    before = runs.mean(axis=1)
    # Images that can have changed: of the run that has fewer.
    images = float(np.minimum(counts[:, :-1].sum(axis=1), counts[:, -1]).mean())
    difference = after - before
    rng = np.random.default_rng([seed, zlib.crc32(f"{metric}/{group}".encode())])
    tested = flip_test(difference, rng, images=images, alpha=alpha)
    scores = runs.mean(axis=0)
    shares = (float(before.mean()), float(after.mean()), float(counts[:, -1].sum()))
    if metric in LOWER_IS_BETTER:
        shares = (1 - shares[0], 1 - shares[1], shares[2])
    if len(scores) > 1:
        tested = _both(tested, retraining_test(float(after.mean()), scores, alpha))
    return Comparison(
        metric=metric,
        group=group,
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(difference.mean()),
        low=tested.low if len(difference) > 1 else None,
        high=tested.high if len(difference) > 1 else None,
        p=tested.p,
        detectable=smallest_detectable(difference, images, alpha, margin, scores, shares),
        cells=len(difference),
        verdict="",
        sentence="",
        changed=int((np.abs(difference) > 1e-9).sum()),
        runs=len(scores),
    )


def _both(first: Tested, second: Tested) -> Tested:
    """Reject what both reject: the greater p, and the wider end of each interval."""
    return Tested(
        max(first.p, second.p),
        max(min(first.low, second.low), -1.0),
        min(max(first.high, second.high), 1.0),
    )
