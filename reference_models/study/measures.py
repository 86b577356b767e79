"""What is measured in a finished run, with the suite's own statistics."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.judge.colour.named import basic_term
from bench.records import Estimate
from bench.statistics.intervals import LEVEL, RESAMPLES, mean_of_cells
from bench.statistics.sums import Judgements
from bench.statistics.tabulate import estimates_of
from bench.store.derived import read_verdicts
from bench.store.run import Run
from bench.store.score_reader import read_trajectory
from prompts.colours import COLOUR_NAMES
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECTS
from reference_models.policies import covered_pairs
from reference_models.sd import FOLDER as PIPELINE
from reference_models.study.plan import Experiment
from reference_models.study.results import Bin, Result, Value
from reference_models.weights import find_weights, read_weights

#: Groups of the binding score that are kept.
GROUPS = ("all", "tag:seen", "tag:novel", "tag:canonical", "tag:anti-canonical", "tag:single")
#: Metrics that are kept over all cells, and of canonical and anti-canonical ones.
WHOLE = (
    *(f"leakage_{place}" for place in ("spilled", "neighbour", "background", "swapped")),
    "mixed",
    "leakage_rate",
    "other_colour",
    "kept_prior",
    "drawn",
    "leak_excess",
    "gap_seen_novel",
    "gap_canonical_anti",
    *("arrival_noise", "before_background", "before_neighbour"),
    *("stood_elsewhere", "stayed_elsewhere"),
)
CROSSED = ("leakage_rate", "kept_prior", "other_colour", "drawn")
#: Pairs that no member of the coverage series but the last was taught, and pairs that are no
#: subject's natural colour: the same cells for all members.
HELD, UNNATURAL, NATURAL = "held", "unnatural", "natural"
PLACES = ("subject", "background", "neighbour")


def measured(experiment: Experiment, folder: Path, record: Mapping[str, Any]) -> Result:
    """What is kept of a finished run.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Of the run.
    record : mapping
        Its ``run.json``.
    """
    stored = Run(folder)
    verdicts = read_verdicts(stored)
    judgements = Judgements(verdicts)
    estimates = dict(_kept(json.loads((folder / "estimates.json").read_text(encoding="utf-8"))))
    pairs = list(zip(verdicts["colour"], verdicts["subject"], strict=True))
    natural = np.array([colour in SUBJECTS[subject].canonical for colour, subject in pairs])
    outside = np.array([pair not in covered_pairs(75) for pair in pairs])
    for group, rows in ((HELD, outside), (UNNATURAL, ~natural), (NATURAL, natural)):
        if rows.any():
            estimates["binding_score", group] = binding(judgements, rows, group)
    counts = _counts(experiment)
    seen = () if counts is None else by_count(judgements, [counts.count(*pair) for pair in pairs])
    noise = tuple(record["trajectory"] or ())
    curves = curves_of(stored, verdicts, len(noise)) if noise else {}
    return Result(
        experiment.name,
        experiment.model,
        _facts(experiment, record, counts),
        estimates,
        seen,
        noise,
        curves,
    )


def _kept(stored: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Value]]:
    wanted = {("binding_score", group) for group in GROUPS} | {(name, "all") for name in WHOLE}
    wanted |= {(name, f"tag:{tag}") for name in CROSSED for tag in ("canonical", "anti-canonical")}
    for one in stored["estimates"]:
        if (one["metric"], one["group"]) in wanted:
            numbers = (one[name] for name in ("value", "low", "high", "scored", "cells"))
            yield (one["metric"], one["group"]), Value(*numbers)


def _value(one: Estimate) -> Value:
    value = None if math.isnan(one.value) else one.value
    return Value(value, one.low, one.high, one.scored, one.cells)


def binding(judgements: Judgements, rows: np.ndarray, group: str) -> Value:
    """Binding score of some rows of the verdicts, the cell being the cluster."""
    rng = np.random.default_rng([0, zlib.crc32(group.encode())])
    sums = judgements.sums(rows, ("binding_score",))
    return _value(estimates_of(sums, group, rng, RESAMPLES, LEVEL)[0])


def by_count(judgements: Judgements, counts: list[int]) -> tuple[Bin, ...]:
    """Binding by the number of captions that said the pair: none, then bins of an octave each.

    Parameters
    ----------
    judgements : Judgements
    counts : list of int
        For every row of the verdicts.
    """
    octave = np.array([count.bit_length() for count in counts])
    found = []
    for k in np.unique(octave).tolist():
        first, last = (2 ** (k - 1), 2**k - 1) if k else (0, 0)
        found.append(Bin(first, last, binding(judgements, octave == k, f"seen {first}")))
    return tuple(found)


def _counts(experiment: Experiment) -> TrainingManifest | None:
    path = PIPELINE / "captions.json"
    if experiment.member != "local-sd":
        weights = find_weights(experiment.member, experiment.seed)
        path = weights.with_name(f"{weights.stem}.manifest.json")
    return TrainingManifest.load(path) if path.is_file() else None


def _facts(
    experiment: Experiment, record: Mapping[str, Any], counts: TrainingManifest | None
) -> dict[str, Any]:
    """Which run it was, on what weights, and how these were trained."""
    facts = {
        "asked": " ".join(["--model", experiment.argument, *experiment.options]),
        "finished": record["finished"],
        "grid": f"{record['grid']['name']} {record['grid']['hash']}",
        "images": record["images"],
        "options": record["sampler"]["options"],
        "segmenter": record["segmenter"]["name"],
        "suite": record["suite"],
        "pairs": None if counts is None else len(counts.pairs),
        "control": (record["control"] or {}).get("accuracy"),
        "weights": record["sampler"]["weights"],
        "torch": record["versions"].get("torch"),
    }
    if experiment.member != "local-sd":
        _, header = read_weights(find_weights(experiment.member, experiment.seed))
        facts["pictures"], facts["seconds"] = header["pictures"], header["seconds"]
        facts["seed"] = header["preset"]["seed"]
    return facts


def curves_of(run: Run, verdicts: pd.DataFrame, steps: int) -> dict[str, tuple[Value, ...]]:
    """Share of the requested colour by place and frame, of images and of their controls.

    Every frame is measured at the places of the final image; a control's share of the colour that
    its twin asks for at the same places is named ``control_PLACE``.
    """
    metrics = [f"{place}_{term}" for place in PLACES for term in COLOUR_NAMES]
    frames = read_trajectory(run, metrics).drop(columns=["reason", "noise"])
    ids = pd.concat(
        part.to_pandas()
        for _, part in run.parts("samples", ["sample_id", "cell_id", "control_id", "index"])
    )
    controls = ids[ids["cell_id"] == ids["control_id"]]
    controls = controls[["sample_id", "cell_id", "index"]].rename(
        columns={"sample_id": "control", "cell_id": "control_id"}
    )
    judged = verdicts.loc[
        ~verdicts["verdict"].isin(["invalid", "absent"]),
        ["sample_id", "cell_id", "binding", "colour"],
    ].merge(ids[["sample_id", "control_id", "index"]], on="sample_id")
    judged = judged.merge(controls, on=["control_id", "index"], how="left")
    judged["term"] = [basic_term(colour) for colour in judged["colour"]]
    found = {}
    for place in PLACES:
        for prefix, key in (("", "sample_id"), ("control_", "control")):
            rows = judged.assign(metric=place + "_" + judged["term"].astype(str))
            joined = rows.merge(
                frames.rename(columns={"sample_id": key}), on=[key, "binding", "metric"]
            )
            found[prefix + place] = _by_step(joined, steps)
    return found


def _by_step(joined: pd.DataFrame, steps: int) -> tuple[Value, ...]:
    """Mean over cells at every step, with its interval."""
    if joined.empty:
        return (Value(None),) * steps
    cells = joined.groupby(["cell_id", "step"])["value"].mean().unstack()
    means = cells.reindex(columns=range(steps)).to_numpy(float)
    found = []
    for column in means.T:
        known = column[~np.isnan(column)]
        # The same draws for all steps: the band moves as one.
        rng = np.random.default_rng([0, zlib.crc32(b"curves")])
        low, high = mean_of_cells(known, rng, bounded=True, resamples=RESAMPLES) or (None, None)
        value = float(known.mean()) if len(known) else None
        found.append(Value(value, low, high, len(known), len(known)))
    return tuple(found)
