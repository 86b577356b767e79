"""How well the scorer of a run judges scenes whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.records import VERDICTS
from bench.store import files

Recalls = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ScorerTrial:
    """What the scorer said of one set of known scenes.

    Attributes
    ----------
    name : str
        What the scenes are like; ``this run's own check`` for the control of the run.
    masks : str
        ``exact``, or the segmenter that made them.
    scenes : int
    value, low, high : float or None
        Share of known verdicts that the scorer names right, and its 95% interval.
    macro_f1 : float or None
    bind_error : float or None
        Mean absolute error of the share of the subject in the requested colour.
    verdicts, colours : tuple of (str, float)
        Share found of each true verdict, and share right in each colour; weakest first.
    confusion : tuple of (str, tuple of int)
        For each true verdict how often each of `bench.records.VERDICTS` was said.
    """

    name: str
    masks: str
    scenes: int
    value: float | None
    low: float | None
    high: float | None
    macro_f1: float | None
    bind_error: float | None
    verdicts: Recalls
    colours: Recalls
    confusion: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The control of a run, and the certificate that was given with it.

    Attributes
    ----------
    sentence : str
        What it says, in words.
    passed : bool or None
        Whether the run's own check passed; None where none was made.
    bar : float or None
        Least macro F1 to pass.
    main : ScorerTrial or None
        The trial that the headline is from.
    trials : tuple of ScorerTrial
    doubt : str
        Why the given certificate does not speak for this run; empty where it does.
    """

    sentence: str
    passed: bool | None = None
    bar: float | None = None
    main: ScorerTrial | None = None
    trials: tuple[ScorerTrial, ...] = field(default=())
    doubt: str = ""


def load_certificate(path: Path) -> Mapping[str, Any]:
    """Read the JSON that ``bench validate --out`` writes.

    Raises
    ------
    bench.errors.UsageError
        It is not one.
    bench.errors.StoreError
        It cannot be read.
    """
    try:
        stored = json.loads(files.read_text(path))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}); `bench validate --out` writes it") from (
            error
        )
    if not isinstance(stored, Mapping) or not _given_trials(stored):
        raise UsageError(f"{path} has no trials; give what `bench validate --out FILE` wrote")
    return stored


def read_certificate(
    record: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> Certificate:
    """Read the certificate of a run.

    Parameters
    ----------
    record : mapping
        ``run.json``; anything may be missing in its ``control``.
    given : mapping, optional
        From `load_certificate`. Its first trial with the segmenter's own masks is the headline;
        without it the run's own check is.
    """
    stored = record.get("control")
    stored = stored if isinstance(stored, Mapping) else {}
    passed = stored.get("passed")
    passed = passed if isinstance(passed, bool) else None
    own = _trial("this run's own check", stored)
    named = _given_trials(given) if given is not None else ()
    trials = (*((own,) if own.value is not None else ()), *named)
    main = next((one for one in named if one.masks != "exact"), None) or (
        trials[0] if trials else None
    )
    if main is None:
        if passed is None:
            return Certificate("Not measured: bench validate judges the scorer on known scenes.")
        words = "passed" if passed else "failed"
        return Certificate(f"The scorer {words} its control checks.", passed)
    return Certificate(
        _sentence(main), passed, _number(stored, "least_f1"), main, trials, _doubt(record, given)
    )


def _sentence(main: ScorerTrial) -> str:
    assert main.value is not None
    wrong = 1 - main.value
    text = (
        "On known scenes the scorer names every verdict right."
        if wrong == 0
        else f"On known scenes the scorer errs in {wrong:.1%} of verdicts."
    )
    if main.verdicts and main.verdicts[0][1] < 1:
        text += f" Weakest: {main.verdicts[0][0]}, {main.verdicts[0][1]:.0%} found."
    return text


def _doubt(record: Mapping[str, Any], given: Mapping[str, Any] | None) -> str:
    segmenter = record.get("segmenter")
    used = segmenter.get("name") if isinstance(segmenter, Mapping) else None
    judged = given.get("segmenter") if given is not None else None
    if isinstance(judged, str) and isinstance(used, str) and judged != used:
        return (
            f"The certificate is of the segmenter {judged}, and this run used {used}:"
            " it does not speak for these numbers."
        )
    return ""


def _given_trials(given: Mapping[str, Any]) -> tuple[ScorerTrial, ...]:
    trials = given.get("trials")
    if not isinstance(trials, Mapping):
        return ()
    found = [
        _trial(str(name), row)
        for name, rows in trials.items()
        if isinstance(rows, Mapping)
        for row in rows.values()
        if isinstance(row, Mapping)
    ]
    return tuple(one for one in found if one.value is not None)


def _trial(name: str, stored: Mapping[str, Any]) -> ScorerTrial:
    return ScorerTrial(
        name,
        str(stored.get("masks", "")),
        int(_number(stored, "scenes") or 0),
        _number(stored, "accuracy"),
        _number(stored, "low"),
        _number(stored, "high"),
        _number(stored, "macro_f1"),
        _number(stored, "bind_error"),
        _recalls(stored.get("recall_by_verdict")),
        _recalls(stored.get("recall_by_colour")),
        _confusion(stored.get("confusion")),
    )


def _recalls(stored: Any) -> Recalls:
    if not isinstance(stored, Mapping):
        return ()
    known = [
        (str(name), float(value))
        for name, value in stored.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return tuple(sorted(known, key=lambda one: (one[1], one[0])))


def _confusion(stored: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if not isinstance(stored, Mapping):
        return ()
    return tuple(
        (true, tuple(int(_number(stored[true], said) or 0) for said in VERDICTS))
        for true in VERDICTS
        if isinstance(stored.get(true), Mapping)
    )


def _number(stored: Mapping[str, Any], name: str) -> float | None:
    value = stored.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
