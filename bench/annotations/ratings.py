"""Judgements that people labelled, as codes: what the scorer says, and what each person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.annotations.labels import OTHER, Label, Labels
from bench.records import VERDICTS
from bench.statistics.agreement import MISSING


@dataclass(frozen=True)
class Ratings:
    """Codes of one question: the scorer's (N,) and those of P people (N, P)."""

    scorer: np.ndarray
    people: np.ndarray
    categories: int


@dataclass(frozen=True)
class Joined:
    """Labelled judgements, and what each person said of them."""

    frame: pd.DataFrame
    said: Mapping[str, list[Label | None]]


def join(verdicts: pd.DataFrame, labels: Labels) -> Joined:
    """Return the judgements that somebody labelled."""
    said = {(one.sample_id, one.binding, one.person): one for one in labels.labels}
    keys = {(one.sample_id, one.binding) for one in labels.labels}
    pairs = list(zip(verdicts["sample_id"], verdicts["binding"].astype(int), strict=True))
    frame = verdicts[[pair in keys for pair in pairs]].reset_index(drop=True)
    pairs = [pair for pair in pairs if pair in keys]
    columns = {person: [said.get((*pair, person)) for pair in pairs] for person in labels.people}
    return Joined(frame, columns)


def verdict_ratings(joined: Joined) -> Ratings:
    """Which verdict: one of the ten, or `OTHER` where a label names none of them."""
    names = (*VERDICTS, OTHER)
    code = {name: number for number, name in enumerate(names)}
    people = [
        [MISSING if one is None or one.verdict is None else code[one.verdict] for one in column]
        for column in joined.said.values()
    ]
    scorer = np.array([code[name] for name in joined.frame["verdict"]])
    return Ratings(scorer, np.array(people).T, len(names))


def bound_ratings(joined: Joined) -> Ratings:
    """Bound or not, 1 or 0."""
    people = [
        [MISSING if one is None or one.bound is None else int(one.bound) for one in column]
        for column in joined.said.values()
    ]
    # Who only named colours did not look at the surroundings: spilled is bound for the subject.
    labels = [one for column in joined.said.values() for one in column if one is not None]
    only_colours = all(one.verdict is None for one in labels)
    hits = ("bound", "spilled") if only_colours else ("bound",)
    scorer = joined.frame["verdict"].isin(hits).to_numpy().astype(int)
    return Ratings(scorer, np.array(people).T, 2)
