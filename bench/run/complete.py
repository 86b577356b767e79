"""One run from what is asked to its estimates, whoever asks: a grid, or pictures that exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import InterruptedRunError
from bench.records import Estimate
from bench.run.components import Crew
from bench.run.execute import Outcome, execute
from bench.run.finish import Stock, finish
from bench.run.prepare import open_run
from bench.run.progress import Progress, clock
from bench.run.self_check import with_control
from bench.run.usage import told, with_account
from bench.store.lock import locked
from bench.store.manifest import Manifest
from bench.store.run import Run
from prompts.cells import Sample

if TYPE_CHECKING:
    from bench.run.scheduler import Leader


@dataclass(frozen=True)
class Completed:
    """A finished run, what was done for it now, its estimates, and its stock of images."""

    run: Run
    outcome: Outcome
    estimates: list[Estimate]
    stock: Stock


def complete(
    folder: Path,
    asked: Manifest,
    samples: Sequence[Sample],
    crew: Crew | Leader,
    progress: Progress,
) -> Completed:
    """Make what is missing of a run, judge it, and close its record; holds its lock meanwhile.

    ``crew`` works in this process; the leader of a team has others work.

    Raises
    ------
    InterruptedRunError
        The user stopped it; what was in hand is stored.
    BenchError
        Anything that the user can mend.
    """
    with locked(folder) as stale:
        if stale is not None:
            progress.say(
                f"note: process {stale.get('pid', '?')} on {stale.get('host', '?')} ended "
                "without finishing this run; going on where it was"
            )
        run = open_run(folder, asked, progress)
        sampler = crew.sampler if isinstance(crew, Crew) else None
        try:
            if isinstance(crew, Crew):
                outcome = execute(run, samples, crew, progress)
            else:
                outcome = crew.execute(run, samples)
        finally:
            run = with_account(run, sampler)
            for line in told(run, sampler):
                progress.say(line)
        if outcome.interrupted and outcome.missing:
            done = outcome.images - outcome.missing
            raise InterruptedRunError(
                f"interrupted: {done:,} of {outcome.images:,} images are finished in {folder}; "
                "run the same command again to go on"
            )
        run = with_control(run, crew)
        run, estimates, stock = finish(run, outcome.missing)
    progress.say(
        f"{folder}: {outcome.made:,} images made, {outcome.rescored:,} scored again, "
        f"{clock(outcome.seconds)}"
    )
    return Completed(run, outcome, estimates, stock)
