"""The team that a job asks for."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.run.progress import Progress
from bench.run.scheduler import Leader

if TYPE_CHECKING:
    from bench.run.pool import Team
    from bench.run.spec import RunJob


@contextmanager
def leading(job: RunJob, progress: Progress) -> Iterator[Leader]:
    """Have a team for a while; whatever happens, its workers end with it.

    Raises
    ------
    UsageError
        Options that exclude each other, or Ray is not installed.
    """
    team = make_team(job)
    try:
        leader = Leader(team, progress)
        yield leader
        leader.release()
    finally:
        team.end()


def make_team(job: RunJob) -> Team:
    """Start the workers that a job asks for."""
    alone = replace(job, devices=None, engine="local", workers=None)
    if job.engine == "ray":
        if job.devices:
            raise UsageError("--devices is of --engine local; with ray, --workers tells how many")
        if importlib.util.find_spec("ray") is None:
            raise UsageError(
                "--engine ray needs Ray, which is not installed; pip install 'binding-bench[ray]'"
            )
        from bench.run.ray_pool import RayTeam

        return RayTeam(alone, job.workers)
    from bench.run.process_pool import ProcessTeam, device_names

    devices = device_names(job.devices or "cpu")
    names = [f"{n}:{device}" if devices.count(device) > 1 else device
             for n, device in enumerate(devices)]  # fmt: skip
    return ProcessTeam(
        {name: replace(alone, device=device) for name, device in zip(names, devices, strict=True)}
    )
