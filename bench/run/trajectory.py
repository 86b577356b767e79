"""From the frames of a run to what is told of them: one row a binding, and estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.judge.colour.named import basic_term
from bench.judge.places import PLACES as MEASURED_PLACES
from bench.judge.places import place_name
from bench.records import NOT_JUDGED, Estimate
from bench.statistics.arrival import (
    ARRIVAL_METRICS,
    CONDITIONAL,
    PLACES,
    arrival,
    elsewhere,
    estimate_arrivals,
)
from bench.store.derived import read_accumulation
from bench.store.run import Run
from bench.store.score_reader import read_trajectory

if TYPE_CHECKING:
    import pandas as pd

#: Which of `PLACES` each measured place is part of.
_PART_OF = {place: PLACES[place not in ("wall", "support")] for place in MEASURED_PLACES}


def arrivals(run: Run, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Tell when and from where the colour came, for every judged binding with frames.

    Parameters
    ----------
    run : Run
    verdicts : DataFrame
        ``verdicts.parquet``.

    Returns
    -------
    DataFrame
        The verdicts' ``sample_id``, ``binding``, ``cell_id``, ``tags``, ``colour``, ``verdict`` and
        the columns of `bench.statistics.arrival.ARRIVAL_METRICS`. Both predictions of a guided
        model are told of the same bindings: those whose final picture has the colour. Without rows
        where the run keeps no frames.
    """
    import pandas as pd

    columns = ["sample_id", "binding", "cell_id", "tags", "colour", "verdict"]
    frames = read_trajectory(run, ("bind", f"{CONDITIONAL}bind"))
    if frames.empty or verdicts.empty:
        return pd.DataFrame(columns=[*columns, *ARRIVAL_METRICS])
    noise = np.array(run.manifest.trajectory)
    frames = frames.sort_values("step")
    shares = {
        (str(sample), int(binding), str(metric)): rows["value"].to_numpy(float)
        for (sample, binding, metric), rows in frames.groupby(["sample_id", "binding", "metric"])
    }
    beyond = _beyond(run, len(noise))
    rows = []
    for row in verdicts.to_dict("records"):
        key = (row["sample_id"], row["binding"])
        if (*key, "bind") not in shares or row["verdict"] in NOT_JUDGED:
            continue
        final = float(row["bind"])
        told = arrival(shares[*key, "bind"], noise, final)
        alone = shares.get((*key, f"{CONDITIONAL}bind"))
        if alone is None and "conditional" in run.manifest.kept:
            alone = shares[*key, "bind"]
        if alone is not None:
            told |= {
                CONDITIONAL + name: value for name, value in arrival(alone, noise, final).items()
            }
        excess = beyond.get(key)
        if excess is not None:
            told |= elsewhere(excess, told["arrival_step"])
        rows.append({**{name: row[name] for name in columns}, **told})
    return pd.DataFrame(rows, columns=[*columns, *ARRIVAL_METRICS])


def arrival_estimates(run: Run, verdicts: pd.DataFrame) -> list[Estimate]:
    """Estimates of the arrivals: all, seen and novel cells, each colour; none without frames."""
    if run.manifest.trajectory is None:
        return []
    found = arrivals(run, verdicts)
    colours = [f"colour:{name}" for name in sorted(set(found["colour"]))]
    return estimate_arrivals(found, ("all", "seen", "novel", *colours))


def _beyond(run: Run, steps: int) -> dict[tuple[str, int], np.ndarray]:
    """Leak into each of `PLACES` at each step (T, 2) by sample and binding, of the frames shown.

    A place where the prompt itself asks for this colour does not count.
    """
    table = read_accumulation(run)
    table = table[
        table["place"].isin(MEASURED_PLACES) & (table["prediction"] == run.manifest.kept[0])
    ]
    asked = _asked_places(run)
    found: dict[tuple[str, int], np.ndarray] = {}
    for row in table[["sample_id", "binding", "place", "beyond"]].to_dict("records"):
        key = (row["sample_id"], row["binding"])
        excess = found.setdefault(key, np.full((steps, len(PLACES)), np.nan))
        if row["beyond"] is None or (*key, row["place"]) in asked:
            continue
        column = PLACES.index(_PART_OF[row["place"]])
        excess[:, column] = np.fmax(excess[:, column], np.asarray(row["beyond"], float))
    return found


def _asked_places(run: Run) -> set[tuple[str, int, str]]:
    """Sample, binding and place of which the prompt asks for the colour of the binding."""
    found = set()
    for _, part in run.parts("samples", ["sample_id", "bindings", "scenery"]):
        for row in part.to_pylist():
            for number, binding in enumerate(row["bindings"]):
                for thing in row["scenery"]:
                    if thing["colour"] and _same(thing["colour"], binding["colour"]):
                        found.add((row["sample_id"], number, place_name(thing["subject"])))
    return found


def _same(one: str, other: str | None) -> bool:
    return other is not None and (basic_term(one) or one) == (basic_term(other) or other)
