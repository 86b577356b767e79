"""A run's own control: known scenes through its own scorers, kept in the record of the run."""

from __future__ import annotations

from typing import Any, Protocol

from bench.run.components import Crew
from bench.store.manifest import Manifest, write_manifest
from bench.store.run import Run

#: The scorer whose metrics the verdicts come from.
JUDGE = "segmentation"


class Controls(Protocol):
    """Whoever can judge the judge elsewhere."""

    def control(self) -> dict[str, Any]:
        """Return what `control_for` does."""
        ...


def with_control(run: Run, crew: Crew | Controls) -> Run:
    """Judge the judge, once a run and again when its segmenter or scorers change.

    A run without the scorer that gives the verdicts has no control.
    """
    if JUDGE not in run.manifest.scorers:
        return run
    if isinstance(crew, Crew) and JUDGE not in crew.scorers:
        return run
    before = run.manifest.control
    if before is not None and before.get("made_by") == _made_by(run.manifest):
        return run
    control = control_for(run.manifest, crew) if isinstance(crew, Crew) else crew.control()
    manifest = run.manifest.model_copy(update={"control": control})
    write_manifest(run.folder, manifest)
    return Run(run.folder, manifest)


def control_for(manifest: Manifest, crew: Crew) -> dict[str, Any]:
    """Return the control of a run's segmenter and its judge, and what made it."""
    from bench.certificate.report import control_of

    return {
        **control_of(crew.segmenter, crew.scorers[JUDGE]),
        "made_by": _made_by(manifest),
    }


def _made_by(manifest: Manifest) -> dict[str, Any]:
    return {
        "segmenter": manifest.segmenter.identity(),
        "scorer": manifest.scorers[JUDGE].identity(),
    }
