"""Counts and shares for the charts, from the tables of a run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bench.records import NO_EVIDENCE
from bench.statistics.metrics import Share
from prompts.colours import COLOUR_NAMES, COLOURS
from prompts.subjects import SUBJECTS
from reports.labels import DESTINATIONS, JUDGED, verdict_order
from reports.reading import RunTables


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """Where one requested colour went: judged images, and how many ended in each place."""

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
class ControlShift:
    """Mean share of a place in the requested colour, with the colour word and without it.

    Attributes
    ----------
    place, label : str
    images : int
        Images where both were measured; 0 where none was.
    prompt, control : float
        NaN where ``images`` is 0.
    """

    place: str
    label: str
    images: int
    prompt: float
    control: float


@dataclass(frozen=True, slots=True)
class ExcessRow:
    """What one colour word caused (None: all of them), at each place."""

    colour: str | None
    shifts: tuple[ControlShift, ...]


def ordered_colours(names: pd.Series) -> list[str]:
    """Distinct colours, the basic ones first in hue order, then others by name."""
    found = {str(name) for name in names.dropna().unique()}
    return [name for name in COLOUR_NAMES if name in found] + sorted(found - set(COLOURS))


def is_control(run: RunTables) -> pd.Series:
    """For each row of the samples whether it asks for no colour on its subjects."""
    return run.samples["cell_id"] == run.samples["control_id"]


def verdict_counts(run: RunTables) -> dict[str, int]:
    """Count bindings by verdict, all verdicts of the suite and of the run named."""
    counts = run.verdicts["verdict"].value_counts()
    return {name: int(counts.get(name, 0)) for name in verdict_order(counts.index)}


def unjudged_reasons(run: RunTables) -> list[tuple[str, int]]:
    """Why bindings were not judged, and how many for each reason, the commonest first."""
    rows = run.verdicts[~run.verdicts["verdict"].isin(JUDGED)]
    counts = rows.groupby(["verdict", "rule"], dropna=False).size().sort_values(ascending=False)
    return [
        (_why(str(verdict), str(rule or "")), int(count))
        for (verdict, rule), count in counts.items()
    ]


def _why(verdict: str, rule: str) -> str:
    if rule in NO_EVIDENCE:
        return NO_EVIDENCE[rule].format("the subject")
    return verdict if rule in ("", verdict) else f"{verdict}: {rule}".replace("_", " ")


def share_by_pair(run: RunTables, share: Share) -> pd.DataFrame:
    """Hits, judged images and their share for every (colour, subject)."""
    rows = run.verdicts[run.verdicts["verdict"].isin(share.among)]
    hits = rows["verdict"].isin(share.hits)
    found = hits.groupby([rows["colour"], rows["subject"]]).agg(["sum", "size", "mean"])
    return found.set_axis(["hits", "among", "value"], axis=1).reset_index()


def destinations(run: RunTables) -> list[DestinationRow]:
    """Where each requested colour went, as counts over `reports.labels.DESTINATIONS`."""
    judged = run.verdicts[run.verdicts["verdict"].isin(JUDGED)]
    counts = judged.groupby(["colour", "verdict"]).size().unstack(fill_value=0)
    rows = []
    for colour in ordered_colours(judged["colour"]):
        found = counts.loc[colour]
        by_place = tuple(
            sum(int(found.get(verdict, 0)) for verdict in place.verdicts) for place in DESTINATIONS
        )
        rows.append(DestinationRow(colour, sum(by_place), by_place))
    return rows


def observed(run: RunTables) -> tuple[tuple[str, ...], list[ObservedRow]]:
    """Set requested against observed colour of the subject, with the control prompts as last row.

    The rows of requested colours count images by the term that covers most of the subject. The
    control row is the mean share of the subject in each term, where no colour was asked for.
    """
    columns = COLOUR_NAMES
    drawn = run.verdicts[run.verdicts["verdict"].isin(set(JUDGED) - {"absent"})]
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


#: Fewer pictures than this say little of a place: the page sets them back.
FEW = 5

#: Places whose share in the requested colour is set beside that of the control, and their labels.
_PLACES = (
    ("subject", "Subject"),
    ("neighbour", "Neighbours"),
    ("support", "Support"),
    ("background", "Background"),
)


def excesses(run: RunTables) -> list[ExcessRow]:
    """Compare each place in the requested colour with the control of the same seed.

    Returns
    -------
    list of ExcessRow
        All colours together first, then each; empty where no control was measured. A place that
        no image has is left out.
    """
    controls = run.samples.loc[is_control(run), ["sample_id", "cell_id", "index"]].rename(
        columns={"sample_id": "control_sample", "cell_id": "control_id"}
    )
    if controls.empty or run.shares.empty:
        return []
    ids = run.samples[["sample_id", "control_id"]]
    joined = run.verdicts.merge(ids, on="sample_id").merge(controls, on=["control_id", "index"])
    # The same share on both sides: what a verdict calls a leak may be that of one patch.
    prompts = run.shares.rename(columns={"value": "with"})
    without = run.shares[run.shares["sample_id"].isin(joined["control_sample"])]
    without = without.rename(columns={"sample_id": "control_sample", "value": "without"})
    measured = {}
    for place, _ in _PLACES:
        wanted = joined.assign(metric=place + "_" + joined["colour"].astype(str))
        both = wanted.merge(prompts, on=["sample_id", "binding", "metric"])
        both = both.merge(without, on=["control_sample", "binding", "metric"])
        both = both.loc[both["with"].notna() & both["without"].notna()]
        if len(both):
            measured[place] = both[["colour", "with", "without"]]
    if not measured:
        return []
    colours = ordered_colours(pd.concat([rows["colour"] for rows in measured.values()]))
    return [_excess_row(measured, colour) for colour in (None, *colours)]


def _excess_row(measured: dict[str, pd.DataFrame], colour: str | None) -> ExcessRow:
    shifts = []
    for place, label in _PLACES:
        if place not in measured:
            continue
        rows = measured[place]
        rows = rows if colour is None else rows[rows["colour"] == colour]
        with_word, without = float(rows["with"].mean()), float(rows["without"].mean())
        shifts.append(ControlShift(place, label, len(rows), with_word, without))
    return ExcessRow(colour, tuple(shifts))


def prior_strengths(run: RunTables) -> dict[str, float]:
    """Share of each subject in its usual colours where no colour was asked for.

    Measured on the control images; a subject whose usual colour is not known has the share of its
    commonest one. Subjects without a measured control are left out.
    """
    controls = run.samples[is_control(run)]
    if controls.empty or run.shares.empty:
        return {}
    asked = pd.DataFrame(
        [
            (sample, number, binding["subject"])
            for sample, bindings in zip(controls["sample_id"], controls["bindings"], strict=True)
            for number, binding in enumerate(bindings)
        ],
        columns=["sample_id", "binding", "subject"],
    )
    metrics = [f"subject_{term}" for term in COLOUR_NAMES]
    shares = run.shares[run.shares["metric"].isin(metrics)]
    joined = shares.merge(asked, on=["sample_id", "binding"])
    means = joined.groupby(["subject", "metric"], observed=True)["value"].mean().unstack()
    found = {}
    for subject, row in means.iterrows():
        known = SUBJECTS.get(str(subject))
        own = [f"subject_{term}" for term in known.canonical] if known else []
        value = row[own].sum(min_count=1) if own else row.max()
        if value == value:
            found[str(subject)] = float(value)
    return found
