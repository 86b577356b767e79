"""A run's self-check: known scenes through its own scorers, kept in the record of the run."""

from __future__ import annotations

from typing import Any

from bench.run.components import Components
from bench.store.manifest import Manifest

#: The scorer whose metrics the verdicts come from.
JUDGE = "segmentation"


def is_due(manifest: Manifest) -> bool:
    """Whether a run has no self-check of its segmenter and its judge as they are.

    A run without the scorer that gives the verdicts has none.
    """
    if JUDGE not in manifest.scorers:
        return False
    return manifest.control is None or manifest.control.get("made_by") != _made_by(manifest)


def self_check(manifest: Manifest, components: Components) -> dict[str, Any]:
    """Judge a run's judge, and say what made the result; empty where there is none."""
    from bench.certificate.report import control_of

    if JUDGE not in components.scorers:
        return {}
    return {
        **control_of(components.segmenter, components.scorers[JUDGE]),
        "made_by": _made_by(manifest),
    }


def _made_by(manifest: Manifest) -> dict[str, Any]:
    return {
        "segmenter": manifest.segmenter.identity(),
        "scorer": manifest.scorers[JUDGE].identity(),
    }
