"""Where the colour was at each step of the making: over a run, and picture by picture."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.statistics.arrival import arrival_steps
from bench.statistics.labels import label_of
from bench.store.derived import read_accumulation
from bench.store.score_reader import read_trajectory
from prompts.colours import COLOUR_NAMES
from reports.labels import JUDGED
from reports.reading import RunTables
from reports.tabulation import is_control

#: Metrics of the trajectory that are drawn, in the order of the legend, with their names.
CURVES: tuple[tuple[str, str], ...] = (
    ("bind", "subject"),
    ("leak_neighbour", "neighbours"),
    ("leak_background", "background"),
    ("prior", "own colour"),
    ("control", "control"),
)

#: What the colour word added, by place: the curves in the order of the legend, with their names.
ADDED: tuple[tuple[str, str], ...] = (
    ("subject", "subject"),
    ("subject_alone", "subject, without guidance"),
    ("neighbour", "neighbours"),
    ("wall", "wall"),
    ("support", "table or floor"),
)
_GROUND = ("subject", "wall", "support")

#: Estimates of arrival that are told, and whether each is a share.
SHOWN: tuple[tuple[str, bool], ...] = (
    ("arrival_step", False),
    ("arrival_noise", False),
    ("conditional_arrival_noise", False),
    ("arrived_first", True),
    ("conditional_arrived_first", True),
    ("stood_elsewhere", True),
    ("stayed_elsewhere", True),
)

#: Curves are carried as whole thousandths.
SCALE = 1000

_MEASURED = ("bind", "leak_neighbour", "leak_background", "prior")
_TERMS = tuple(f"subject_{term}" for term in COLOUR_NAMES)


@dataclass(frozen=True, slots=True)
class Forming:
    """The making of the pictures of a run, step by step.

    Attributes
    ----------
    noise : tuple of float
        Noise level of each step: 1 pure noise, 0 clean.
    curves : dict
        For each name of `CURVES` that was measured, its mean over judged pictures at each step; NaN
        where it was measured in none.
    images : int
        Judgements that the means are of.
    arrivals : tuple of int
        At each step, the judgements whose subject has half of its final share of the colour, or
        more, from that step on and not before.
    arrived : int
        Judgements whose subject has the colour in the end, bound or in part.
    sentence : str
    told : tuple of (str, str, str)
        Estimates of arrival: name, value and interval, in words.
    added : Accumulation or None
    """

    noise: tuple[float, ...]
    curves: dict[str, tuple[float, ...]]
    images: int
    arrivals: tuple[int, ...]
    arrived: int
    sentence: str
    told: tuple[tuple[str, str, str], ...] = ()
    added: Accumulation | None = None


@dataclass(frozen=True, slots=True)
class Accumulation:
    """What the colour words added up to each step, as shares of the way to the asked colour.

    Attributes
    ----------
    curves : dict
        For each name of `ADDED` that was measured, its mean over bindings at each step.
    ticks : tuple of float
        Of a scale that holds all of them, 0 and 1 among them, rising.
    bindings : dict
        Bindings that each mean is of.
    """

    curves: dict[str, tuple[float, ...]]
    ticks: tuple[float, ...]
    bindings: dict[str, int]


def accumulation(run: RunTables) -> Accumulation | None:
    """Sum up what the colour words added; None without frames, or controls to hold them against."""
    table = read_accumulation(run.stored)
    table = table[table["added"].notna()]
    judged = run.verdicts.loc[
        run.verdicts["verdict"].isin(set(JUDGED) - {"absent"}), ["sample_id", "binding"]
    ]
    table = table.merge(judged, on=["sample_id", "binding"])
    if table.empty:
        return None
    place = table["place"].astype(str)
    table = table.assign(curve=place.where(place.isin(_GROUND), "neighbour"))
    table = table[place != "other_subject"]
    first, *more = run.stored.manifest.kept
    shown = [table[table["prediction"] == first]]
    if more:
        alone = table[(table["prediction"] == more[0]) & (table["curve"] == "subject")]
        shown.append(alone.assign(curve="subject_alone"))
    rows = pd.concat(shown)
    curves, bindings = {}, {}
    for name, _ in ADDED:
        one = rows[rows["curve"] == name]
        if not one.empty:
            curves[name] = tuple(np.stack(one["added"].to_numpy()).mean(axis=0).tolist())
            bindings[name] = len(one[["sample_id", "binding"]].drop_duplicates())
    values = [value for curve in curves.values() for value in curve]
    low, high = np.floor(2 * min(0.0, *values)), np.ceil(2 * max(1.0, *values))
    return Accumulation(curves, tuple(np.arange(low, high + 1) / 2), bindings)


def measured_steps(run: RunTables) -> pd.DataFrame:
    """Read the trajectory of every judgement.

    Returns
    -------
    DataFrame
        Columns ``sample_id, binding, step, noise, metric, value``; ``control`` stands among the
        metrics: the share of the subject of the control of the same seed in the colour that this
        prompt asks for. Empty where the run keeps no frames.
    """
    table = read_trajectory(run.stored, (*_MEASURED, *_TERMS)).drop(columns="reason")
    rows = table[table["metric"].isin(_MEASURED)]
    if rows.empty:
        return rows
    judged = run.verdicts[["sample_id", "binding"]]
    return pd.concat([rows.merge(judged, on=["sample_id", "binding"]), _controls(run, table)])


def _controls(run: RunTables, table: pd.DataFrame) -> pd.DataFrame:
    """Give the judged prompts the steps of their controls, as the metric ``control``."""
    controls = run.samples.loc[is_control(run), ["sample_id", "cell_id", "index"]].rename(
        columns={"sample_id": "control_sample", "cell_id": "control_id"}
    )
    shares = table[table["metric"].isin(_TERMS)]
    shares = shares[shares["sample_id"].isin(controls["control_sample"])]
    shares = shares.rename(columns={"sample_id": "control_sample"})
    ids = run.samples[["sample_id", "control_id", "index"]]
    judged = run.verdicts[["sample_id", "binding", "colour"]].merge(ids, on="sample_id")
    judged = judged.merge(controls, on=["control_id", "index"])
    judged["metric"] = "subject_" + judged["colour"].astype(str)
    found = judged.merge(shares, on=["control_sample", "binding", "metric"])
    columns = ["sample_id", "binding", "step", "noise", "metric", "value"]
    return found.assign(metric="control")[columns]


def forming(run: RunTables, steps: pd.DataFrame) -> Forming | None:
    """Sum up the making of the pictures of a run; None where it keeps no frames."""
    if steps.empty:
        return None
    valid = run.verdicts[run.verdicts["verdict"].isin(set(JUDGED) - {"absent"})]
    judged = steps.merge(valid[["sample_id", "binding", "verdict"]], on=["sample_id", "binding"])
    noise = steps.drop_duplicates("step").sort_values("step")["noise"]
    means = judged.groupby(["metric", "step"])["value"].mean().unstack()
    means = means.reindex(columns=range(len(noise)))
    curves = {
        name: tuple(means.loc[name].tolist())
        for name, _ in CURVES
        if name in means.index and means.loc[name].notna().any()
    }
    images = len(judged[["sample_id", "binding"]].drop_duplicates())
    bind = judged[judged["metric"] == "bind"]
    table = bind.pivot(index=["sample_id", "binding"], columns="step", values="value")
    reached = arrival_steps(table.reindex(columns=range(len(noise))).to_numpy(float))
    reached = reached[~np.isnan(reached)].astype(int)
    arrivals = tuple(np.bincount(reached, minlength=len(noise)).tolist())
    levels = tuple(noise.tolist())
    return Forming(
        levels,
        curves,
        images,
        arrivals,
        sum(arrivals),
        _sentence(arrivals, levels),
        _rows(run),
        accumulation(run),
    )


def _sentence(arrivals: tuple[int, ...], noise: tuple[float, ...]) -> str:
    """Say by which step half of the subjects that get their colour have it for good."""
    total = sum(arrivals)
    reached = 0
    for step, count in enumerate(arrivals):
        reached += count
        if total and 2 * reached >= total:
            return (
                f"{reached:,} of {total:,} subjects that take the colour have it for good by"
                f" step {step + 1} of {len(noise)}, at noise {noise[step]:.3g}."
            )
    return "No subject took its colour."


def _rows(run: RunTables) -> tuple[tuple[str, str, str], ...]:
    rows = []
    for metric, is_share in SHOWN:
        one = run.estimate(metric)
        if one is None:
            continue
        # The estimates count frames from 0, people from 1.
        shift = 1 if metric == "arrival_step" else 0
        scale, unit = (100, "%") if is_share else (1, "")
        digits = 1 if is_share or shift else 2
        span = (
            "no interval"
            if one.low is None or one.high is None
            else f"{scale * one.low + shift:.{digits}f} to {scale * one.high + shift:.{digits}f}"
        )
        rows.append((label_of(metric).label, f"{scale * one.value + shift:.{digits}f}{unit}", span))
    return tuple(rows)


def curves_payload(
    run: RunTables,
    steps: pd.DataFrame,
    items: pd.DataFrame,
    number: int,
    keys: Collection[tuple[str, int]],
) -> list[list[Any]]:
    """Give the curves of the pictures whose frames are shown.

    Returns
    -------
    list of [item, {metric: thousandths by step}]
        ``null`` where a step was not measured.
    """
    if steps.empty or not keys:
        return []
    held = set(keys)
    chosen = items[[key in held for key in zip(items["cell_id"], items["index"], strict=True)]]
    rows = chosen[f"row_{number}"]
    chosen = chosen[rows >= 0]
    samples = run.verdicts["sample_id"].to_numpy()[chosen[f"row_{number}"].to_numpy()]
    wanted = {
        (sample, int(binding)): int(item)
        for sample, binding, item in zip(samples, chosen["binding"], chosen.index, strict=True)
    }
    count = int(steps["step"].max()) + 1
    shown = steps[steps["sample_id"].isin(set(samples))]
    found: dict[int, dict[str, list[int | None]]] = {}
    for sample, binding, step, metric, value in zip(
        shown["sample_id"],
        shown["binding"],
        shown["step"],
        shown["metric"],
        shown["value"],
        strict=True,
    ):
        item = wanted.get((sample, int(binding)))
        if item is not None and value == value:
            curve = found.setdefault(item, {}).setdefault(metric, [None] * count)
            curve[step] = round(value * SCALE)
    return [[item, curves] for item, curves in sorted(found.items())]
