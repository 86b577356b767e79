"""From the frames of a run to what is told of them: one row a binding, and estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.judge.colour.named import basic_term
from bench.records import NOT_JUDGED, Estimate
from bench.statistics.arrival import (
    ARRIVAL_METRICS,
    PLACES,
    arrival,
    estimate_arrivals,
    excess_elsewhere,
)
from bench.store.run import Run
from bench.store.score_reader import read_trajectory
from prompts.colours import COLOUR_NAMES
from prompts.subjects import BACKGROUNDS

if TYPE_CHECKING:
    import pandas as pd

_WANTED = ("bind", *(f"{place}_{term}" for place in PLACES for term in COLOUR_NAMES))


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
        The verdicts' ``sample_id``, ``binding``, ``cell_id``, ``tags``, ``verdict`` and the columns
        of `bench.statistics.arrival.ARRIVAL_METRICS`. Without rows where the run keeps no frames.
    """
    import pandas as pd

    columns = ["sample_id", "binding", "cell_id", "tags", "verdict"]
    frames = read_trajectory(run, _WANTED)
    if frames.empty or verdicts.empty:
        return pd.DataFrame(columns=[*columns, *ARRIVAL_METRICS])
    noise = np.array(run.manifest.trajectory)
    wide = frames.pivot(index=["sample_id", "binding", "step"], columns="metric", values="value")
    tables = {key: table.droplevel([0, 1]) for key, table in wide.groupby(level=[0, 1])}
    controls, scenery = _places(run)
    rows = []
    for row in verdicts.to_dict("records"):
        image = tables.get((row["sample_id"], row["binding"]))
        colour = basic_term(row["colour"])
        if image is None or colour is None or row["verdict"] in NOT_JUDGED:
            continue
        control = tables.get((controls.get(row["sample_id"], ""), row["binding"]))
        asked = _in_scenery(scenery[row["sample_id"]], colour)
        elsewhere = excess_elsewhere(image, control, colour)
        told = arrival(image["bind"].to_numpy(float), noise, elsewhere, asked)
        rows.append({**{name: row[name] for name in columns}, **told})
    return pd.DataFrame(rows, columns=[*columns, *ARRIVAL_METRICS])


def arrival_estimates(run: Run, verdicts: pd.DataFrame) -> list[Estimate]:
    """Estimates of the arrivals over all cells, seen and novel ones; none without frames."""
    if run.manifest.trajectory is None:
        return []
    return estimate_arrivals(arrivals(run, verdicts), ("all", "seen", "novel"))


def _places(run: Run) -> tuple[dict[str, str], dict[str, list[dict[str, str | None]]]]:
    """For each sample the sample of its control, and the scenery that its prompt names."""
    by_cell: dict[tuple[str, int], str] = {}
    wanted: dict[str, tuple[str, int]] = {}
    scenery: dict[str, list[dict[str, str | None]]] = {}
    names = ["sample_id", "cell_id", "control_id", "index", "scenery"]
    for _, part in run.parts("samples", names):
        for row in part.to_pylist():
            by_cell[row["cell_id"], row["index"]] = row["sample_id"]
            wanted[row["sample_id"]] = (row["control_id"], row["index"])
            scenery[row["sample_id"]] = row["scenery"]
    return {key: by_cell[at] for key, at in wanted.items() if at in by_cell}, scenery


def _in_scenery(scenery: list[dict[str, str | None]], colour: str) -> np.ndarray:
    """Whether the prompt asks for this colour on the background, and on a neighbour."""
    asked = np.zeros(2, dtype=bool)
    for place in scenery:
        if place["colour"] and basic_term(place["colour"]) == colour:
            asked[0 if place["subject"] in BACKGROUNDS else 1] = True
    return asked
