"""``bench baseline``: the file that ``bench check`` compares with."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.place import Place, runs_folder


@click.command()
@click.argument("run", required=False, type=Place())
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write, or to write anew; commit it.",
)
@runs_folder(as_out=False)
def command(run: Path | None, out: Path, runs: Path) -> None:
    """Write the baseline of RUN (the latest where it is omitted): one line a cell, sorted JSON.

    The same run gives the same file, byte for byte. Exit code 3: the run is not finished, or
    more than 1% of its images are invalid.
    """
    from bench.gate.baseline import make_baseline, require_whole
    from bench.gate.control import CONTROL, require_control
    from bench.run.derive import current_estimates
    from bench.run.record import require_valid, take_stock
    from bench.store import files
    from bench.store.derived import read_verdicts
    from bench.store.run import Run, find_run

    found = Run(find_run(run, runs))
    require_whole(found.manifest)
    require_valid(take_stock(found))
    for doubt in require_control(found.manifest, [CONTROL]):
        click.echo(f"warning: {doubt}", err=True)
    estimates = current_estimates(found)
    files.write_text(out, make_baseline(found.manifest, read_verdicts(found), estimates))
    click.echo(f"wrote {out}", err=True)
