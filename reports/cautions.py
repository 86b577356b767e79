"""Warnings that belong before any number, and the certificate of the scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.reading import Run
from reports.tabulation import is_control

#: Fewer cells than this make an interval unsteady.
FEW_CELLS = 10

#: Share of invalid images above which they are worth a warning.
MANY_INVALID = 0.01


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason to read the numbers with care; ``grave`` where they may be wrong altogether."""

    text: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """How well the scorers judge scenes whose answer is known.

    Attributes
    ----------
    measured : bool
    value : float or None
        Share of known verdicts that the scorer names right.
    low, high : float or None
    images : int
    passed : bool or None
        None where no check was made.
    sentence : str
    """

    measured: bool
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    images: int = 0
    passed: bool | None = None


def cautions(run: Run) -> list[Caution]:
    """Warnings on a run, grave ones first."""
    found: list[Caution] = []
    verdicts = run.verdicts
    judged = len(verdicts)
    certificate = read_certificate(run.record)
    if certificate.passed is False:
        found.append(
            Caution("The scorer failed its control checks: do not trust these numbers.", True)
        )
    if judged == 0:
        found.append(Caution("No image of this run was judged.", True))
        return found
    cells = verdicts["cell_id"].nunique()
    if cells < FEW_CELLS:
        found.append(
            Caution(f"Only {cells} {'cell' if cells == 1 else 'cells'}: intervals are unsteady.")
        )
    invalid = int((verdicts["verdict"] == "invalid").sum())
    if invalid / judged >= MANY_INVALID:
        found.append(
            Caution(
                f"{invalid:,} of {judged:,} judged pictures are invalid"
                f" ({invalid / judged:.1%}); they count in no rate.",
                invalid / judged > 0.1,
            )
        )
    absent = int((verdicts["verdict"] == "absent").sum())
    if absent / judged > 0.25:
        found.append(
            Caution(
                f"The subject is missing in {absent / judged:.0%} of the pictures:"
                " read the score given drawn beside the binding score."
            )
        )
    planned = run.record.get("images")
    if isinstance(planned, int) and planned > len(run.samples):
        found.append(
            Caution(f"The run is not complete: {len(run.samples):,} of {planned:,} pictures.", True)
        )
    if not run.estimates:
        found.append(Caution("The run has no estimates: headline numbers are missing."))
    if not is_control(run).any():
        found.append(
            Caution("No control prompts: what the colour word caused cannot be told apart.")
        )
    return sorted(found, key=lambda caution: not caution.grave)


def read_certificate(record: Mapping[str, Any]) -> Certificate:
    """Read the scorer's certificate from ``control`` (or ``certificate``) of ``run.json``."""
    stored = record.get("certificate") or record.get("control")
    if not isinstance(stored, Mapping):
        return Certificate(False, "Not measured: bench validate judges the scorer on known scenes.")
    value = _number(stored, "accuracy", "agreement", "value")
    images = int(_number(stored, "images", "n", "scenes") or 0)
    passed = stored.get("passed")
    passed = passed if isinstance(passed, bool) else None
    if value is None:
        if passed is None:
            return Certificate(False, "Not measured: the run record holds no figure for it.")
        text = "The scorer passed its control checks." if passed else "Control checks failed."
        return Certificate(True, text, passed=passed)
    text = f"On scenes with a known answer the scorer errs in {1 - value:.1%} of verdicts."
    return Certificate(
        True,
        text,
        value,
        _number(stored, "low"),
        _number(stored, "high"),
        images,
        passed,
    )


def _number(stored: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = stored.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None
