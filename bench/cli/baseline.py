"""``bench baseline``: the file that ``bench check`` compares with."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.place import FolderOrUrl, runs_folder


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN ...]", type=FolderOrUrl())
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write, or to write anew; commit it.",
)
@runs_folder(as_out=False)
def command(names: tuple[Path, ...], out: Path, runs: Path) -> None:
    """Write the baseline of RUN (the latest where it is omitted): one line a cell, sorted JSON.

    Several runs are several trainings of one recipe: `bench check` then allows for their spread.
    With one, it asks whether the weights are the same. The same runs give the same file, byte for
    byte. Exit code 3: a run is not finished, or more than 1% of its images are invalid.
    """
    from bench.errors import UsageError
    from bench.gate.baseline import make_baseline, require_whole
    from bench.gate.control import CONTROL, require_control
    from bench.run.derive import current_estimates
    from bench.run.record import require_valid, take_stock
    from bench.store import files
    from bench.store.derived import read_verdicts
    from bench.store.run import Run, find_run

    found = []
    folders = [find_run(name, runs) for name in names or (None,)]
    for run in map(Run, folders):
        require_whole(run.manifest)
        require_valid(take_stock(run))
        for doubt in require_control(run.manifest, [CONTROL]):
            click.echo(f"warning: {doubt}", err=True)
        estimates = current_estimates(run)
        found.append((run.manifest, read_verdicts(run), estimates))
    ids = {manifest.id for manifest, _, _ in found}
    weights = {manifest.sampler.weights for manifest, _, _ in found if manifest.sampler.weights}
    if len(ids) < len(found):
        raise UsageError("a run is given twice: its spread would be none; give each run once")
    if len(found) > 1 and len(weights) == 1:
        click.echo(
            "warning: the runs have the same weights: their spread is not that of trainings",
            err=True,
        )
    files.write_text(out, make_baseline(found))
    click.echo(f"wrote {out}", err=True)
