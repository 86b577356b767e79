"""A run folder against a baseline file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from bench.errors import NotComparableError
from bench.gate.baseline import comparable, read_baseline, require_whole
from bench.gate.control import CONTROL, require_control
from bench.gate.decide import Decision, decide
from bench.run.derive import current_estimates
from bench.run.record import require_valid, take_stock
from bench.run.usage import model_doubts
from bench.store.derived import read_verdicts
from bench.store.manifest import outside
from bench.store.run import Run


def check(
    folder: Path,
    baseline: Path,
    margin: float = 0.02,
    alpha: float = 0.05,
    strict: bool = False,
    allowed: Collection[str] = (),
) -> Decision:
    """Compare a stored run with a baseline and decide.

    Parameters
    ----------
    folder : Path
        The run; verdicts and estimates are made again where its parts have changed since.
    baseline : Path
        Written by `bench baseline`.
    margin, alpha, strict, allowed
        See `bench.gate.decide.decide`.

    Raises
    ------
    UsageError
        No such run or baseline, or an unknown field in ``allowed``.
    NotComparableError
        The run is not finished, its scorers failed their control, too many of its images are
        invalid, or the two were not made alike; where it is ``strict`` also a LoRA or a prompt of
        which a part was not used.
    """
    before = read_baseline(baseline)
    run = Run(folder)
    require_whole(run.manifest)
    doubts = require_control(run.manifest, allowed)
    unlike = model_doubts(run.manifest)
    if strict and unlike:
        raise NotComparableError(f"run {run.manifest.name!r}: {'; '.join(unlike)}")
    # Invalid images are left out of the score: a model that blanks its failures must not pass.
    require_valid(take_stock(run))
    unlike += [line for line in (outside(current_estimates(run)),) if line]
    after = (comparable(run.manifest), read_verdicts(run))
    fields = [name for name in allowed if name != CONTROL]
    decision = decide(before, after, margin=margin, alpha=alpha, strict=strict, allowed=fields)
    decision = replace(decision, warnings=(*unlike, *decision.warnings))
    if not doubts:
        return decision
    return replace(
        decision,
        sentence=f"{decision.sentence}; let through: a failed control",
        warnings=(*doubts, *decision.warnings),
    )
