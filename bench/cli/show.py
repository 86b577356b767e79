"""``bench show``: the summary of a run."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.place import Place, runs_folder


@click.command()
@click.argument("run", required=False, type=Place())
@runs_folder("--out")
@click.option("--json", "as_json", is_flag=True, help="Record and estimates as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="All estimates as CSV.")
def command(run: Path | None, out: Path, as_json: bool, as_csv: bool) -> None:
    """Print the summary of RUN: a folder, a name, or the latest run where it is omitted."""
    from bench.errors import UsageError
    from bench.run.derive import current_estimates
    from bench.run.finish import take_stock
    from bench.run.summary import render, to_csv, to_json
    from bench.store.run import Run, find_run

    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms: leave one of them out")
    found = Run(find_run(run, out))
    estimates = current_estimates(found)
    if as_csv:
        click.echo(to_csv(estimates), nl=False)
        return
    stored = take_stock(found).images
    if as_json:
        click.echo(to_json(found.manifest, estimates, stored))
        return
    from rich.console import Console

    Console().print(render(found.manifest, estimates, stored))
