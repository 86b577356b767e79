"""Warnings that belong before any number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.store.manifest import Manifest, uncertified
from reports.certificate import Certificate
from reports.headline import judged_of
from reports.reading import RunTables
from reports.tabulation import is_control

#: Fewer cells than this make an interval unsteady.
FEW_CELLS = 10

#: Share of invalid images, and of images not judged, above which they are worth a warning.
MANY_INVALID, MANY_UNJUDGED = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason to read the numbers with care; ``grave`` where they may be wrong altogether."""

    text: str
    grave: bool = False


#: In what two runs should agree, and what a difference is called.
_SHARED: tuple[tuple[Callable[[Manifest], Any], str, bool], ...] = (
    (lambda made: made.suite, "versions of the suite", True),
    (lambda made: made.grid.hash, "prompts", True),
    (lambda made: made.segmenter.identity(), "segmenters", True),
    (lambda made: [one.identity() for one in made.scorers.values()], "scorers", True),
    (lambda made: made.image_size, "sizes of image", False),
)


def run_warnings(run: RunTables, certificate: Certificate) -> list[Caution]:
    """Warnings on a run, grave ones first."""
    found: list[Caution] = []
    verdicts = run.verdicts
    judged, total = judged_of(run)
    if certificate.passed is False:
        found.append(
            Caution("The scorer failed its control checks: do not trust these numbers.", True)
        )
    elif certificate.passed is None and certificate.main is None:
        found.append(Caution("The scorer was not checked on known scenes."))
    if certificate.doubt:
        found.append(Caution(certificate.doubt, True))
    if total == 0:
        found.append(Caution("No image of this run was judged.", True))
        return found
    if doubt := uncertified(run.stored.manifest, run.estimates):
        found.append(Caution(f"{doubt[:1].upper()}{doubt[1:]}."))
    invalid = int((verdicts["verdict"] == "invalid").sum())
    unjudged = total - judged - invalid
    if unjudged / total > MANY_UNJUDGED:
        found.insert(
            0,
            Caution(
                f"{judged:,} of {total:,} were judged: on {unjudged:,} ({unjudged / total:.1%}) the"
                " evidence does not suffice, and they count in no rate.",
                True,
            ),
        )
    cells = verdicts["cell_id"].nunique()
    if cells < FEW_CELLS:
        found.append(
            Caution(f"Only {cells} {'cell' if cells == 1 else 'cells'}: intervals are unsteady.")
        )
    if invalid / total >= MANY_INVALID:
        found.append(
            Caution(
                f"{invalid:,} of {total:,} pictures are invalid"
                f" ({invalid / total:.1%}); they count in no rate.",
                invalid / total > 0.1,
            )
        )
    absent = int((verdicts["verdict"] == "absent").sum())
    if absent / max(judged, 1) > 0.25:
        found.append(
            Caution(
                f"The subject is missing in {absent / max(judged, 1):.0%} of the pictures:"
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


def comparison_cautions(runs: Sequence[RunTables], labels: Sequence[str]) -> list[Caution]:
    """Warnings on runs that were not made or judged alike, each against the first."""
    first = runs[0].stored.manifest
    return [
        Caution(
            f"{labels[0]} and {label} have different {words}: read their differences with care.",
            grave,
        )
        for run, label in list(zip(runs, labels, strict=True))[1:]
        for part, words, grave in _SHARED
        if part(first) != part(run.stored.manifest)
    ]
