"""Warnings that belong before any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.certificate import Certificate
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


#: Fields of ``run.json`` in which two runs should agree, and what a difference is called.
_SHARED = (
    ("suite", "versions of the suite"),
    ("grid.hash", "prompts"),
    ("segmenter", "segmenters"),
    ("scorers", "scorers"),
    ("image_size", "sizes of image"),
)

#: Options that change how fast a result comes, not what it is.
_NEUTRAL = frozenset({"device", "batch_size", "workers", "threads"})


def cautions(run: Run, certificate: Certificate) -> list[Caution]:
    """Warnings on a run, grave ones first."""
    found: list[Caution] = []
    verdicts = run.verdicts
    judged = len(verdicts)
    if certificate.passed is False:
        found.append(
            Caution("The scorer failed its control checks: do not trust these numbers.", True)
        )
    elif certificate.passed is None and certificate.main is None:
        found.append(Caution("The scorer was not checked on known scenes."))
    if certificate.doubt:
        found.append(Caution(certificate.doubt, True))
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
    if run.record.get("limit") is not None:
        found.append(Caution("Made with --limit: not comparable with other runs."))
    if not run.estimates:
        found.append(Caution("The run has no estimates: headline numbers are missing."))
    if not is_control(run).any():
        found.append(
            Caution("No control prompts: what the colour word caused cannot be told apart.")
        )
    return sorted(found, key=lambda caution: not caution.grave)


def comparison_cautions(runs: Sequence[Run], labels: Sequence[str]) -> list[Caution]:
    """Warnings on runs that were not made or judged alike, each against the first."""
    found = []
    for run, label in list(zip(runs, labels, strict=True))[1:]:
        for path, words in _SHARED:
            if _identity(runs[0].record, path) != _identity(run.record, path):
                found.append(
                    Caution(
                        f"{labels[0]} and {label} have different {words}:"
                        " read their differences with care.",
                        path != "image_size",
                    )
                )
    return found


def _identity(record: Mapping[str, Any], path: str) -> Any:
    """Return a field of a run's record without what cannot change a result."""
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return _essence(value)


def _essence(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _essence(entry)
            for key, entry in value.items()
            if key not in _NEUTRAL and key != "versions"
        }
    return value
