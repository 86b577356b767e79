"""Which steps of a trajectory are kept as frames."""

from __future__ import annotations


def spread(steps: int, frames: int) -> list[int]:
    """Which of ``steps`` steps are kept as ``frames`` frames: evenly spread, both ends among them.

    One frame is the last step; 0, or more than there are steps, is every step.
    """
    if frames == 0 or frames >= steps:
        return list(range(steps))
    if frames == 1:
        return [steps - 1]
    return [round(k * (steps - 1) / (frames - 1)) for k in range(frames)]
