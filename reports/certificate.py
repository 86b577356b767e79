"""How well the scorer of a run judges scenes whose answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.records import VERDICTS


@dataclass(frozen=True, slots=True)
class Certificate:
    """The control of a run, as its record tells it.

    Attributes
    ----------
    sentence : str
        What it says, in words.
    value, low, high : float or None
        Share of known verdicts that the scorer names right, and its 95% interval.
    scenes : int
    passed : bool or None
        None where no check was made.
    notes : tuple of (str, str)
        Further figures: name and value.
    confusion : tuple of (str, tuple of int)
        For each true verdict how often each of `bench.records.VERDICTS` was said.
    """

    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    scenes: int = 0
    passed: bool | None = None
    notes: tuple[tuple[str, str], ...] = ()
    confusion: tuple[tuple[str, tuple[int, ...]], ...] = ()


def read_certificate(record: Mapping[str, Any]) -> Certificate:
    """Read the certificate from ``control`` of ``run.json``; anything may be missing there."""
    stored = record.get("control")
    if not isinstance(stored, Mapping):
        return Certificate("Not measured: bench validate judges the scorer on known scenes.")
    passed = stored.get("passed")
    passed = passed if isinstance(passed, bool) else None
    value = _number(stored, "accuracy")
    if value is None:
        text = {True: "passed", False: "failed", None: "left no result of"}[passed]
        return Certificate(f"The scorer {text} its control checks.", passed=passed)
    sentence = f"On known scenes the scorer errs in {1 - value:.1%} of verdicts."
    weakest = _weakest(stored.get("recall_by_verdict"))
    if weakest is not None and weakest[1] < 1:
        sentence += f" Weakest: {weakest[0]}, {weakest[1]:.0%} found."
    return Certificate(
        sentence,
        value,
        _number(stored, "low"),
        _number(stored, "high"),
        int(_number(stored, "scenes") or 0),
        passed,
        _notes(stored),
        _confusion(stored.get("confusion")),
    )


def _notes(stored: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    notes = [("masks", str(stored["masks"]))] if "masks" in stored else []
    f1, least = _number(stored, "macro_f1"), _number(stored, "least_f1")
    if f1 is not None:
        bar = f" (at least {least:.2f} to pass)" if least is not None else ""
        notes.append(("macro F1", f"{f1:.3f}{bar}"))
    error = _number(stored, "bind_error")
    if error is not None:
        notes.append(("error of the share of the subject", f"{100 * error:.1f} points"))
    colour = _weakest(stored.get("recall_by_colour"))
    if colour is not None:
        notes.append(("weakest colour", f"{colour[0]}, {colour[1]:.0%} right"))
    return tuple(notes)


def _weakest(recalls: Any) -> tuple[str, float] | None:
    if not isinstance(recalls, Mapping):
        return None
    known = [
        (float(value), str(name))
        for name, value in recalls.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if not known:
        return None
    value, name = min(known)
    return name, value


def _confusion(stored: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if not isinstance(stored, Mapping):
        return ()
    return tuple(
        (true, tuple(int(stored[true].get(said, 0)) for said in VERDICTS))
        for true in VERDICTS
        if isinstance(stored.get(true), Mapping)
    )


def _number(stored: Mapping[str, Any], name: str) -> float | None:
    value = stored.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
