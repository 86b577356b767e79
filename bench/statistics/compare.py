"""Two runs compared: one primary score and its slices, paired by cell and image."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.errors import NotComparableError
from bench.records import Comparison
from bench.statistics.metrics import SHARES
from bench.statistics.paired import flip_p, holm, mean_interval, smallest_detectable

PRIMARY = "binding_score"
#: Metrics whose rise is a loss.
LOWER_IS_BETTER = frozenset(
    share.name for share in SHARES if share.name.startswith(("leakage", "invalid"))
)
#: Slices of the primary score by these columns, and by these tags.
BY_COLUMN = ("colour", "subject")
BY_TAG = ("novel", "anti-canonical")
#: Other metrics over the whole grid.
BY_PLACE = ("binding_given_drawn", "leakage_rate", "leakage_neighbour", "leakage_background")

_SHARES = {share.name: share for share in SHARES}


@dataclass(frozen=True)
class Pairs:
    """Two runs joined.

    Attributes
    ----------
    frame : DataFrame
        A row a judgement that both runs have: ``cell_id``, ``binding``, ``before``, ``after`` (the
        verdicts), ``colour``, ``subject``, ``tags``.
    by_image : bool
        Paired by cell and image; else by cell alone.
    warnings : tuple of str
    """

    frame: pd.DataFrame
    by_image: bool
    warnings: tuple[str, ...]


def pair(before: pd.DataFrame, after: pd.DataFrame) -> Pairs:
    """Join the verdicts of two runs.

    Parameters
    ----------
    before : DataFrame
        Columns ``cell_id, binding, index, verdict``.
    after : DataFrame
        The same and ``colour, subject, tags``.

    Raises
    ------
    NotComparableError
        They have no cell in common.
    """
    keys = ["cell_id", "binding", "index"]
    about = ["colour", "subject", "tags"]
    joined = before[[*keys, "verdict"]].merge(
        after[[*keys, "verdict", *about]], on=keys, suffixes=("_before", "_after")
    )
    joined = joined.rename(columns={"verdict_before": "before", "verdict_after": "after"})
    warnings = []
    missing = set(before["cell_id"]) ^ set(after["cell_id"])
    if missing:
        warnings.append(f"{len(missing)} cells are in one run only and are left out")
    if len(joined):
        unpaired = max(len(before), len(after)) - len(joined)
        if unpaired and not missing:
            warnings.append(f"{unpaired} images have no pair and are left out")
        return Pairs(joined, True, tuple(warnings))
    # No image in common: the cells are, and each run's share in a cell stands for itself.
    common = sorted(set(before["cell_id"]) & set(after["cell_id"]))
    if not common:
        raise NotComparableError("cannot compare: the two runs have no cell in common")
    warnings.append("no image has its pair: compared by cell, which finds less")
    old = before.loc[before["cell_id"].isin(common), [*keys, "verdict"]].assign(after=None)
    new = after[after["cell_id"].isin(common)].assign(before=None)
    described = new.drop_duplicates(["cell_id", "binding"])[["cell_id", "binding", *about]]
    old = old.rename(columns={"verdict": "before"}).merge(described, on=["cell_id", "binding"])
    new = new.rename(columns={"verdict": "after"})
    columns = [*keys, "before", "after", *about]
    stacked = pd.DataFrame({name: [*old[name].tolist(), *new[name].tolist()] for name in columns})
    return Pairs(stacked, False, tuple(warnings))


def compare(
    pairs: Pairs,
    *,
    margin: float = 0.02,
    alpha: float = 0.05,
    slices: bool = True,
    seed: int = 0,
) -> list[Comparison]:
    """Compare two runs.

    A metric has regressed where it changed significantly at ``alpha``, two-sided, for the worse and
    by at least ``margin``. Else it passes where a loss of the margin would have been significant
    with a chance of 80%, or lies outside the interval; and is ``underpowered`` where such a loss
    could have stayed hidden.

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
        Of the bootstrap and the flips.

    Returns
    -------
    list of Comparison
        The primary score first. ``difference`` is after minus before.
    """
    frame = pairs.frame
    codes, _ = pd.factorize(frame["cell_id"], sort=True)
    whole = np.ones(len(frame), dtype=bool)
    wanted = [(PRIMARY, "all", whole)]
    if slices:
        wanted += [(metric, "all", whole) for metric in BY_PLACE]
        wanted += [(PRIMARY, group, rows) for group, rows in _slices(frame)]
    tables = {
        metric: _Differences.of(frame, codes, metric, pairs.by_image)
        for metric in dict.fromkeys(metric for metric, _, _ in wanted)
    }
    found = []
    for metric, group, rows in wanted:
        one = _compare_one(tables[metric], rows, metric, group, margin, alpha, seed)
        if one is not None:
            found.append(one)
    if len(found) > 1:
        adjusted = holm(np.array([one.p for one, _ in found[1:]]))
        found[1:] = [
            (replace(one, p=float(p)), hidden)
            for (one, hidden), p in zip(found[1:], adjusted, strict=True)
        ]
    return [_judge(one, hidden, margin, alpha) for one, hidden in found]


@dataclass(frozen=True)
class _Differences:
    """Values of one metric before and after, NaN where not judged."""

    codes: np.ndarray
    before: np.ndarray
    after: np.ndarray
    by_image: bool

    @classmethod
    def of(
        cls, frame: pd.DataFrame, codes: np.ndarray, metric: str, by_image: bool
    ) -> _Differences:
        before, after = (_values(frame[name], metric) for name in ("before", "after"))
        if by_image:
            both = ~np.isnan(before) & ~np.isnan(after)
            before, after = np.where(both, before, np.nan), np.where(both, after, np.nan)
        return cls(codes, before, after, by_image)

    def cells(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Return means per cell before and after, and the mean number of judgements a cell."""
        _, cell = np.unique(self.codes[rows], return_inverse=True)
        size = int(cell.max()) + 1 if len(cell) else 0
        means, counts = [], []
        for values in (self.before[rows], self.after[rows]):
            ok = ~np.isnan(values)
            count = np.bincount(cell[ok], minlength=size)
            with np.errstate(invalid="ignore", divide="ignore"):
                means.append(np.bincount(cell[ok], values[ok], size) / count)
            counts.append(count)
        both = ~np.isnan(means[0]) & ~np.isnan(means[1])
        images = float(np.minimum(*counts)[both].mean()) if both.any() else 0.0
        return means[0][both], means[1][both], images


def _values(verdicts: pd.Series, metric: str) -> np.ndarray:
    share = _SHARES[metric]
    counted = verdicts.isin(share.among).to_numpy()
    return np.where(counted, verdicts.isin(share.hits).to_numpy().astype(float), np.nan)


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
    table: _Differences,
    rows: np.ndarray,
    metric: str,
    group: str,
    margin: float,
    alpha: float,
    seed: int,
) -> tuple[Comparison, float] | None:
    """Compare one metric in one group; with the loss that could stay without significance."""
    before, after, images = table.cells(rows)
    if len(before) == 0:
        return None
    difference = after - before
    rng = np.random.default_rng([seed, zlib.crc32(f"{metric}/{group}".encode())])
    low, high = mean_interval(difference, rng, level=1 - alpha)
    one = Comparison(
        metric=metric,
        group=group,
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        p=float(flip_p(difference[:, None], rng)[0]),
        detectable=smallest_detectable(difference, images, alpha, margin),
        cells=len(difference),
        verdict="",
        sentence="",
    )
    return one, smallest_detectable(difference, images, alpha)


def _judge(one: Comparison, hidden: float, margin: float, alpha: float) -> Comparison:
    loss = one.difference if one.metric in LOWER_IS_BETTER else -one.difference
    if one.p <= alpha and loss > 0 and loss >= margin - 1e-12:
        verdict = "regression"
    elif hidden <= margin or _excluded(one, margin):
        verdict = "pass"
    else:
        verdict = "underpowered"
    return replace(one, verdict=verdict, sentence=_sentence(one, margin, alpha, verdict))


def _excluded(one: Comparison, margin: float) -> bool:
    """Whether the interval leaves out every loss of the margin or more."""
    if one.low is None or one.high is None:
        return False
    return one.high < margin if one.metric in LOWER_IS_BETTER else one.low > -margin


def _sentence(one: Comparison, margin: float, alpha: float, verdict: str) -> str:
    name = one.metric.replace("_", " ")
    where = "" if one.group == "all" else f" for {one.group.partition(':')[2]}"
    change = f"{name}{where} went from {one.before:.1%} to {one.after:.1%} ("
    change += f"{100 * one.difference:+.1f} points"
    if one.low is not None and one.high is not None:
        change += (
            f", {100 * (1 - alpha):.4g}% interval {100 * one.low:+.1f} to {100 * one.high:+.1f}"
        )
    change += f", p = {one.p:.2g}) over {one.cells:,} cells"
    found = f"a loss of {one.detectable:.1%} is found four times in five"
    if verdict == "regression":
        return f"regression: {change}, a loss of at least {margin:.1%}; {found}"
    if verdict == "underpowered":
        return f"underpowered: {change}; a loss of {margin:.1%} could have stayed hidden: {found}"
    return f"pass: {change}; {found}"
