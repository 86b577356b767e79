"""A whole run: from what is asked to its estimates and its record."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bench.errors import BenchError, InterruptedRunError, UsageError
from bench.protocols import Usage
from bench.records import Estimate
from bench.registry import FAMILIES, address
from bench.run.components import Description, judge_device, with_choice
from bench.run.cores import judges_on
from bench.run.execute import InProcess
from bench.run.missing import Outcome
from bench.run.plan import ListedPictures, Plan, pictures_of, prepare
from bench.run.progress import Progress, clock, counted, for_stderr
from bench.run.record import (
    Stock,
    close_run,
    manifest_for,
    open_run,
    require_place,
    take_stock,
)
from bench.run.self_check import is_due
from bench.run.spec import PictureSource, RunSpec, device_names, run_folder
from bench.run.usage import account_lines
from bench.store.lock import locked
from bench.store.manifest import Manifest, read_manifest
from bench.store.run import Run, part_seconds


class Workers(Protocol):
    """Whoever does the work of a run: this process, or several."""

    description: Description
    plan: Plan

    def execute(self, run: Run, progress: Progress) -> Outcome:
        """Make what is missing of a run; its lock is held."""
        ...

    def self_check(self, manifest: Manifest) -> dict[str, Any]:
        """Judge the run's judge."""
        ...

    def usage(self) -> Usage:
        """Tell what the samplers have used."""
        ...

    def close(self) -> None:
        """End all that was started."""
        ...


@dataclass(frozen=True)
class Completed:
    """A finished run, what was done for it now, its estimates, and its stock of images."""

    run: Run
    outcome: Outcome
    estimates: list[Estimate]
    stock: Stock


def run(
    spec: RunSpec,
    progress: Progress | None = None,
    consent: Callable[[str], bool] | None = None,
) -> Completed:
    """Make what is missing of a run, judge it, and close its record.

    Parameters
    ----------
    spec : RunSpec
    progress : Progress, optional
    consent : callable, optional
        Asked in words whether the weights of a better segmenter may be fetched; None fetches none.

    Raises
    ------
    InterruptedRunError
        The user stopped it; what was in hand is stored.
    BenchError
        Anything that the user can mend.
    """
    progress = progress or for_stderr()
    folder = run_folder(spec)
    require_possible(spec)
    require_place(folder)
    spec = with_choice(spec, progress.say, consent)
    with _workers(spec, progress) as workers:
        asked = manifest_for(folder.name, workers.plan, workers.description)
        with locked(folder) as stale:
            if stale is not None:
                progress.say(
                    f"note: process {stale.get('pid', '?')} on {stale.get('host', '?')} ended "
                    "without finishing this run; going on where it was"
                )
            opened = open_run(folder, asked, progress, fresh=spec.fresh)
            return _complete(opened, workers, progress)


def require_possible(spec: RunSpec) -> None:
    """Refuse options that exclude each other, before anything that takes time.

    Raises
    ------
    UsageError
        Also where Ray is asked for and not installed.
    """
    part_seconds()
    if spec.workers is not None and spec.engine != "ray":
        raise UsageError(
            f"--workers {spec.workers} is of --engine ray; on this machine --devices names one "
            "process each, such as 0,1 or cpu,cpu"
        )
    if spec.devices is None and spec.engine == "local":
        return
    source = spec.source
    if isinstance(source, PictureSource):
        if spec.engine == "ray":
            raise UsageError("pictures that exist are scored on this machine, by --devices")
        return
    if address("sampler", source.model) in FAMILIES.values():
        raise UsageError(
            f"{source.model} draws elsewhere: --devices and --engine do not speed it up, "
            "--concurrency does"
        )
    if spec.engine != "ray":
        return
    if spec.devices:
        raise UsageError("--devices is of --engine local; with ray, --workers tells how many")
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "--engine ray needs Ray, which is not installed; pip install 'binding-bench[ray]'"
        )


def _loading(spec: RunSpec) -> str:
    """Tell what the first seconds go to."""
    source = spec.source
    first = (
        f"reading {source.path}; loading"
        if isinstance(source, PictureSource)
        else f"loading model {source.model},"
    )
    scorers = f"scorer{'s' * (len(spec.scorers) != 1)} {', '.join(spec.scorers)}"
    return f"{first} segmenter {spec.segmenter}, {scorers}"


@contextmanager
def _workers(spec: RunSpec, progress: Progress) -> Iterator[Workers]:
    """Have whoever does the work; whatever happens, what was started ends with it."""
    progress.wait(_loading(spec))
    try:
        workers = _start(spec, progress)
    finally:
        progress.end()
    try:
        yield workers
    finally:
        workers.close()


def _start(spec: RunSpec, progress: Progress) -> Workers:
    if spec.engine == "ray":
        from bench.run.ray_pool import RayPool

        return RayPool(spec, progress)
    pictures = None
    if isinstance(spec.source, PictureSource):
        pictures = pictures_of(spec, spec.source, progress)
    if spec.devices is not None:
        from bench.run.process_pool import ProcessPool

        alone = replace(spec, devices=None, device=device_names(spec.devices)[0])
        return _finished(alone, progress, pictures) or ProcessPool(spec, progress, pictures)
    if pictures is not None:
        return _judges(spec, pictures, progress)
    return InProcess(*prepare(spec, progress))


def _judges(spec: RunSpec, pictures: ListedPictures, progress: Progress) -> Workers:
    """Have pictures that exist judged here; in several processes where one would not keep up."""
    from bench.run.process_pool import ProcessPool

    device = judge_device(spec)
    count = judges_on(spec, device, len(pictures.plan.samples))
    if count > 1:
        if finished := _finished(spec, progress, pictures):
            return finished
        devices = ",".join([device] * count)
        try:
            return ProcessPool(replace(spec, devices=devices), progress, pictures)
        except BenchError as error:
            # Such as a GPU that serves one process alone.
            progress.say(f"note: going on in one process, as {count} cannot judge here: {error}")
    return InProcess(*prepare(spec, progress, pictures))


def _finished(
    spec: RunSpec, progress: Progress, pictures: ListedPictures | None
) -> InProcess | None:
    """Have no other process started where a run lacks nothing."""
    folder = run_folder(spec)
    try:
        stored = None if spec.fresh else read_manifest(folder)
    except BenchError:
        return None
    if stored is None or stored.finished is None:
        return None
    alone = InProcess(*prepare(spec, progress, pictures))
    asked = manifest_for(folder.name, alone.plan, alone.description)
    run = Run(folder, asked.model_copy(update={"id": stored.id}))
    planned = {sample.id for sample in alone.plan.samples}
    try:
        if all(planned <= run.ids(table) for table in asked.tables()):
            return alone
    except BenchError:
        pass  # Said, or mended, when the run is opened.
    alone.close()
    return None


def _complete(opened: Run, workers: Workers, progress: Progress) -> Completed:
    """Do what is missing of an open run, and write its record once, however it ends."""
    ending: dict[str, Any] = {}
    try:
        outcome = workers.execute(opened, progress)
        if outcome.interrupted and outcome.missing:
            done = outcome.images - outcome.missing
            raise InterruptedRunError(
                f"interrupted: {done:,} of {outcome.images:,} images are finished in "
                f"{opened.folder}; run the same command again to go on"
            )
        # The judge computes in threads of its own; the estimates are Python.
        with ThreadPoolExecutor(1, "bench-self-check") as beside:
            check = None
            if is_due(opened.manifest):
                check = beside.submit(workers.self_check, opened.manifest)
            estimates, ending["stock"] = _derive(opened, outcome)
            if check is not None:
                ending["control"] = check.result() or None
        ending["missing"] = outcome.missing
    finally:
        usage = workers.usage()
        closed = close_run(opened, usage, **ending)
        for line in account_lines(closed.manifest, usage):
            progress.say(line)
    pictures = closed.manifest.sampler.kind == "pictures"
    progress.say(
        f"{closed.folder}: {counted(outcome.made, 'image')} {'scored' if pictures else 'made'}, "
        f"{outcome.rescored:,} scored again, {clock(outcome.seconds)}"
    )
    return Completed(closed, outcome, estimates, ending["stock"])


def _derive(opened: Run, outcome: Outcome) -> tuple[list[Estimate], Stock]:
    """Make the derived files."""
    # Not at the top: workers never come here, and pandas takes a second to import.
    from bench.run.derive import derive
    from bench.run.filmstrips import write_filmstrips

    estimates = derive(opened, outcome.excess)
    if not outcome.missing:
        write_filmstrips(opened)
    return estimates, take_stock(opened)
