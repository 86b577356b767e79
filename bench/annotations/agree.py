"""How far the scorers agree with people, beside how far people agree with each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.annotations.labels import Label, Labels
from bench.annotations.ratings import Joined, Ratings, bound_ratings, join, verdict_ratings
from bench.statistics.agreement import (
    MISSING,
    Sums,
    balanced_accuracy,
    cohen_kappa,
    fleiss_kappa,
    kendall_tau_b,
    krippendorff_alpha,
    masi,
    nominal,
    share_agreed,
)

RESAMPLES = 1000
TAU_RESAMPLES = 200
LEVEL = 0.95
SCORER, PEOPLE = "scorer", "people"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One coefficient.

    Attributes
    ----------
    question : str
        ``verdict`` (which of the ten), ``bound`` (yes or no), ``colour`` (which ones).
    statistic : str
    between : str
        ``scorer``: the scorer and people; ``people``: people and each other.
    value : float
        NaN where it is not defined.
    low, high : float or None
        95% interval over cells; None where there are fewer than two, or no disagreement at all.
    units : int
        Judgements that it was made from.
    """

    question: str
    statistic: str
    between: str
    value: float
    low: float | None
    high: float | None
    units: int


def agree(verdicts: pd.DataFrame, labels: Labels, seed: int = 0) -> list[Agreement]:
    """Compare the verdicts of a run with labels by people.

    Parameters
    ----------
    verdicts : DataFrame
        ``verdicts.parquet``.
    labels : Labels
    seed : int
        Of the bootstrap over cells.

    Returns
    -------
    list of Agreement
        Scorer against people: the mean over people of each one's coefficient with the scorer; for
        Fleiss' and Krippendorff's with two people or more, of the group in which the scorer takes
        one's place. People against people: the mean over pairs; for those two, of all together.
        Missing where one person labelled.
    """
    joined = join(verdicts, labels)
    table = joined.frame
    rng = np.random.default_rng(seed)
    cells, count = table["cell_id"].to_numpy(), table["cell_id"].nunique()
    codes = pd.factorize(cells, sort=True)[0]
    drawn = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    weights = drawn[:, codes].astype(np.float64)
    found = []
    for question, ratings in (
        ("verdict", verdict_ratings(joined)),
        ("bound", bound_ratings(joined)),
    ):
        if (ratings.people != MISSING).any():
            found += _nominal(question, ratings, weights, count)
            if question == "bound":
                found += _ranks(table, ratings, drawn, codes)
    found += _colours(joined, weights, count)
    return found


def disagreements(verdicts: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Judgements on which the scorer and somebody, or two people, say different things.

    Returns
    -------
    DataFrame
        What was asked, the scorer's verdict with its words, and a column a person.
    """
    joined = join(verdicts, labels)
    differ = np.zeros(len(joined.frame), dtype=bool)
    for ratings in (bound_ratings(joined), verdict_ratings(joined)):
        missing = ratings.people == MISSING
        people = np.where(missing, ratings.scorer[:, None], ratings.people)
        differ |= (people != ratings.scorer[:, None]).any(axis=1)
    said = {f"said by {person}": map(_words_of, column) for person, column in joined.said.items()}
    columns = ["sample_id", "binding", "cell_id", "colour", "subject", "verdict", "words"]
    return joined.frame[columns].assign(**{name: list(one) for name, one in said.items()})[differ]


def _words_of(label: Label | None) -> str:
    if label is None:
        return ""
    return label.verdict or "|".join(sorted(label.colours or ())) or "absent"


def _nominal(question: str, ratings: Ratings, weights: np.ndarray, cells: int) -> list[Agreement]:
    k, people = ratings.categories, ratings.people.T
    pairs = list(itertools.combinations(people, 2))
    ordered = list(itertools.permutations(people, 2))
    groups = _with_scorer(ratings.scorer, ratings.people)
    everybody = [ratings.people] if len(people) > 1 else []
    distance = nominal(k)

    def of_pairs(make: Callable[..., Sums], chosen: Sequence[tuple[np.ndarray, ...]]) -> list[Sums]:
        return [make(*one, k) for one in chosen]

    with_scorer = [(person, ratings.scorer) for person in people]
    kinds: list[tuple[str, list[Sums], list[Sums]]] = [
        ("share agreed", of_pairs(share_agreed, with_scorer), of_pairs(share_agreed, pairs)),
        (
            "balanced accuracy",
            of_pairs(balanced_accuracy, with_scorer),
            of_pairs(balanced_accuracy, ordered),
        ),
        ("Cohen's kappa", of_pairs(cohen_kappa, with_scorer), of_pairs(cohen_kappa, pairs)),
        (
            "Fleiss' kappa",
            [fleiss_kappa(group, k) for group in groups],
            [fleiss_kappa(group, k) for group in everybody],
        ),
        (
            "Krippendorff's alpha",
            [krippendorff_alpha(group, distance) for group in groups],
            [krippendorff_alpha(group, distance) for group in everybody],
        ),
    ]
    labelled = int((ratings.people != MISSING).any(axis=1).sum())
    several = int(((ratings.people != MISSING).sum(axis=1) > 1).sum())
    found = []
    for name, scorer, others in kinds:
        found.append(_mean(question, name, SCORER, scorer, weights, cells, labelled))
        if others:
            found.append(_mean(question, name, PEOPLE, others, weights, cells, several))
    return found


def _with_scorer(scorer: np.ndarray, people: np.ndarray) -> list[np.ndarray]:
    """Groups of raters with the scorer in the place of each person; beside the only one."""
    if people.shape[1] == 1:
        return [np.column_stack([scorer, people])]
    groups = []
    for person in range(people.shape[1]):
        group = people.copy()
        group[:, person] = np.where(people[:, person] == MISSING, MISSING, scorer)
        groups.append(group)
    return groups


def _mean(
    question: str,
    name: str,
    between: str,
    sums: Sequence[Sums],
    weights: np.ndarray,
    cells: int,
    units: int,
) -> Agreement:
    value = _nanmean(np.array([[one.value] for one in sums]))[0]
    draws = _nanmean(np.array([one.resampled(weights) for one in sums]))
    return Agreement(question, name, between, value, *_interval(draws, cells), units)


def _interval(draws: np.ndarray, cells: int) -> tuple[float | None, float | None]:
    draws = draws[~np.isnan(draws)]
    if cells < 2 or len(draws) == 0 or np.ptp(draws) < 1e-12:
        return None, None
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _ranks(
    table: pd.DataFrame, ratings: Ratings, drawn: np.ndarray, codes: np.ndarray
) -> list[Agreement]:
    """Tau-b: the measured share of the colour, or one person, with the share of people for it."""
    said = np.where(ratings.people == MISSING, np.nan, ratings.people)
    measured = table["bind"].to_numpy(dtype=float)
    # An absent subject has no share: for the ranks it is none.
    measured = np.where(table["verdict"].eq("absent") & np.isnan(measured), 0.0, measured)
    pairs = {SCORER: [(measured, _nanmean(said.T))], PEOPLE: []}
    if said.shape[1] > 1:
        pairs[PEOPLE] = [
            (said[:, one], _nanmean(np.delete(said, one, axis=1).T)) for one in range(said.shape[1])
        ]
    rows = [np.repeat(np.arange(len(codes)), weights[codes]) for weights in drawn[:TAU_RESAMPLES]]
    found = []
    for between, chosen in pairs.items():
        if not chosen:
            continue
        value = _nanmean(np.array([[kendall_tau_b(*pair)] for pair in chosen]))[0]
        draws = _nanmean(
            np.array([[kendall_tau_b(a[row], b[row]) for row in rows] for a, b in chosen])
        )
        known = ~np.isnan(np.array(chosen)).any(axis=(0, 1))
        ends = _interval(draws, int(codes.max()) + 1)
        found.append(Agreement("bound", "Kendall's tau-b", between, value, *ends, int(known.sum())))
    return found


def _colours(joined: Joined, weights: np.ndarray, cells: int) -> list[Agreement]:
    """Colours as accept sets: whether the scorer's is among them, and MASI alpha."""
    table = joined.frame
    named = [
        [None if one is None else one.colours for one in column] for column in joined.said.values()
    ]
    given = {one for column in named for one in column if one is not None}
    if not given:
        return []
    said: list[frozenset[str]] = [
        frozenset() if verdict == "absent" or not isinstance(name, str) else frozenset({name})
        for verdict, name in zip(table["verdict"], table["observed"], strict=True)
    ]
    sets = sorted({*said, *given}, key=sorted)
    code = {one: number for number, one in enumerate(sets)}
    scorer = np.array([code[one] for one in said])
    people = np.array(
        [[MISSING if one is None else code[one] for one in column] for column in named]
    ).T
    meets = np.array([[a == b or bool(a & b) for b in sets] for a in sets])

    def accepted(first: np.ndarray, second: np.ndarray) -> Sums:
        both = (first != MISSING) & (second != MISSING)
        hit = both & meets[first, second]
        return Sums(np.column_stack([hit, both]).astype(float), _quotient)

    pairs = list(itertools.combinations(people.T, 2))
    distance = masi(sets)
    units = int((people != MISSING).any(axis=1).sum())
    several = int(((people != MISSING).sum(axis=1) > 1).sum())
    groups = _with_scorer(scorer, people)
    kinds = [
        (
            "share accepted",
            [accepted(person, scorer) for person in people.T],
            [accepted(*pair) for pair in pairs],
        ),
        (
            "Krippendorff's alpha (MASI)",
            [krippendorff_alpha(group, distance) for group in groups],
            [krippendorff_alpha(people, distance)] if len(pairs) else [],
        ),
    ]
    found = []
    for name, with_scorer, others in kinds:
        found.append(_mean("colour", name, SCORER, with_scorer, weights, cells, units))
        if others:
            found.append(_mean("colour", name, PEOPLE, others, weights, cells, several))
    return found


def _quotient(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


def _nanmean(rows: np.ndarray) -> np.ndarray:
    """Mean over the first axis without NaN; NaN where there is nothing else."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
