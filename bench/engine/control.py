"""A run's own control: known scenes through its own scorers, kept in the record of the run."""

from __future__ import annotations

from bench.engine.crew import Crew
from bench.store.manifest import write_manifest
from bench.store.run import Run

#: The scorer whose metrics the verdicts come from.
JUDGE = "segmentation"


def with_control(run: Run, crew: Crew) -> Run:
    """Judge the judge, once a run and again when its segmenter or scorers change.

    A run without the scorer that gives the verdicts has no control.
    """
    scorer = crew.scorers.get(JUDGE)
    if scorer is None:
        return run
    made_by = {
        "segmenter": run.manifest.segmenter.identity(),
        "scorer": run.manifest.scorers[JUDGE].identity(),
    }
    before = run.manifest.control
    if before is not None and before.get("made_by") == made_by:
        return run
    from bench.certificate import control_of

    control = {**control_of(crew.segmenter, scorer), "made_by": made_by}
    manifest = run.manifest.model_copy(update={"control": control})
    write_manifest(run.folder, manifest)
    return Run(run.folder, manifest)
