"""Which steps of a trajectory are kept as frames."""

from __future__ import annotations

from bench.errors import UsageError


def spread(steps: int, frames: int) -> list[int]:
    """Which of ``steps`` steps are kept as ``frames`` frames: evenly spread, both ends among them.

    One frame is the last step, 0 is every step.

    Raises
    ------
    UsageError
        More frames than there are steps.
    """
    if frames > steps:
        raise UsageError(
            f"--trajectory {frames}: the model takes {steps} steps, so there are no more frames; "
            f"give at most {steps}, or --trajectory without a number for every step"
        )
    if frames == 0:
        return list(range(steps))
    if frames == 1:
        return [steps - 1]
    return [round(k * (steps - 1) / (frames - 1)) for k in range(frames)]
