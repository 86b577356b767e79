"""Counts and shares for the charts, from the tables of a run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bench.records import VERDICTS
from prompts.colours import COLOUR_NAMES, COLOURS
from reports.reading import Run
from reports.wording import PLACES, Rate


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where one requested colour went: valid images, and how many ended in each place."""

    colour: str
    images: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ObservedRow:
    """What colour the subjects had where one colour was asked for (None: no colour word)."""

    colour: str | None
    images: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Excess:
    """Share of a place in the requested colour, with the colour word and without it."""

    place: str
    label: str
    images: int
    prompt: float
    control: float


def ordered_colours(names: pd.Series) -> list[str]:
    """Distinct colours, the basic ones first in hue order, then others by name."""
    found = {str(name) for name in names.dropna().unique()}
    return [name for name in COLOUR_NAMES if name in found] + sorted(found - set(COLOURS))


def is_control(run: Run) -> pd.Series:
    """For each row of the samples whether it asks for no colour on its subjects."""
    return run.samples["cell_id"] == run.samples["control_id"]


def verdict_counts(run: Run) -> dict[str, int]:
    """Count judged bindings by verdict, all verdicts named."""
    counts = run.verdicts["verdict"].value_counts()
    return {name: int(counts.get(name, 0)) for name in VERDICTS}


def counts_by_pair(run: Run) -> pd.DataFrame:
    """One row a (colour, subject), one column a verdict: number of judged bindings."""
    verdicts = run.verdicts
    counts = verdicts.groupby(["colour", "subject", "verdict"]).size().unstack(fill_value=0)
    return counts.reindex(columns=list(VERDICTS), fill_value=0).reset_index()


def rate_of(counts: pd.Series, rate: Rate) -> tuple[int, int]:
    """Hits and valid images of a rate, from counts by verdict."""
    among = sum(int(counts[name]) for name in VERDICTS if name not in rate.without)
    return sum(int(counts[name]) for name in rate.hits), among


def places(run: Run) -> list[PlaceRow]:
    """Where each requested colour went, as counts over `reports.wording.PLACES`."""
    valid = run.verdicts[run.verdicts["verdict"] != "invalid"]
    counts = valid.groupby(["colour", "verdict"]).size().unstack(fill_value=0)
    rows = []
    for colour in ordered_colours(valid["colour"]):
        found = counts.loc[colour]
        by_place = tuple(
            sum(int(found.get(verdict, 0)) for verdict in place.verdicts) for place in PLACES
        )
        rows.append(PlaceRow(colour, sum(by_place), by_place))
    return rows


def observed(run: Run) -> tuple[tuple[str, ...], list[ObservedRow]]:
    """Set requested against observed colour of the subject, with the control prompts as last row.

    The rows of requested colours count images by the term that covers most of the subject. The
    control row is the mean share of the subject in each term, where no colour was asked for.
    """
    columns = COLOUR_NAMES
    drawn = run.verdicts[~run.verdicts["verdict"].isin(["invalid", "absent"])]
    if "observed" not in drawn:
        return columns, []
    drawn = drawn[drawn["observed"].notna()]
    counts = drawn.groupby(["colour", "observed"]).size().unstack(fill_value=0)
    rows = []
    for colour in ordered_colours(drawn["colour"]):
        found = counts.loc[colour]
        total = int(found.sum())
        rows.append(
            ObservedRow(colour, total, tuple(int(found.get(c, 0)) / total for c in columns))
        )
    controls = run.samples.loc[is_control(run), "sample_id"]
    shares = run.shares[run.shares["sample_id"].isin(controls)]
    shares = shares[shares["metric"].isin([f"subject_{c}" for c in columns])]
    if len(shares):
        means = shares.groupby("metric", observed=True)["value"].mean()
        images = int(shares["sample_id"].nunique())
        rows.append(
            ObservedRow(None, images, tuple(float(means.get(f"subject_{c}", 0)) for c in columns))
        )
    return columns, rows


def excesses(run: Run) -> list[Excess]:
    """Mean share of subject, neighbours and background in the requested colour, and in control.

    Over the images whose control of the same seed was measured too.
    """
    verdicts = run.verdicts
    controls = run.samples.loc[is_control(run), ["sample_id", "cell_id", "index"]].rename(
        columns={"sample_id": "control_sample", "cell_id": "control_id"}
    )
    if controls.empty or run.shares.empty:
        return []
    ids = run.samples[["sample_id", "control_id"]]
    joined = verdicts.merge(ids, on="sample_id").merge(controls, on=["control_id", "index"])
    shares = run.shares[run.shares["sample_id"].isin(joined["control_sample"])]
    shares = shares.rename(columns={"sample_id": "control_sample", "value": "without"})
    rows = []
    for place, metric, label in (
        ("subject", "bind", "Subject"),
        ("neighbour", "leak_neighbour", "Neighbours"),
        ("background", "leak_background", "Background"),
    ):
        if metric not in joined:
            continue
        wanted = joined.assign(metric=place + "_" + joined["colour"].astype(str))
        both = wanted.merge(shares, on=["control_sample", "binding", "metric"])
        both = both[both[metric].notna() & both["without"].notna()]
        if len(both):
            rows.append(
                Excess(
                    place,
                    label,
                    len(both),
                    float(both[metric].mean()),
                    float(both["without"].mean()),
                )
            )
    return rows
