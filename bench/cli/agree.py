"""``bench agree``: the verdicts of a run against labels by people."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.cli.place import FolderOrUrl, runs_folder


@click.command()
@click.argument("run", type=FolderOrUrl())
@click.argument(
    "labels",
    nargs=-1,
    required=True,
    metavar="LABELS.csv...",
    type=click.Path(dir_okay=False, path_type=Path),
)
@runs_folder(as_out=False, help="Folder of the runs, where RUN is a name.")
@click.option(
    "--disagreements",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the judgements on which somebody differs, as CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: Path, labels: tuple[Path, ...], runs: Path, disagreements: Path | None, as_json: bool
) -> None:
    """Tell how far the scorers of RUN agree with people, beside people with each other.

    LABELS.csv is what the report exports, one file a person or with a column `person`; or GenEval's
    annotations.
    """
    from bench.annotations import agree
    from bench.annotations.labels import read_labels
    from bench.annotations.samples import sample_table
    from bench.annotations.table import render, to_dict
    from bench.run.derive import current_estimates
    from bench.store import files
    from bench.store.derived import read_verdicts
    from bench.store.run import Run, find_run
    from prompts.tables import guarded

    found = Run(find_run(run, runs))
    current_estimates(found)
    verdicts = read_verdicts(found)
    read = read_labels(labels, verdicts, sample_table(found))
    agreements = agree.agree(verdicts, read)
    if disagreements is not None:
        table = agree.disagreements(verdicts, read).map(guarded)
        files.write_text(disagreements, table.to_csv(index=False, lineterminator="\n"))
        click.echo(f"{disagreements}: {len(table):,} judgements", err=True)
    if as_json:
        click.echo(json.dumps(to_dict(agreements, read), indent=1))
        return
    from rich.console import Console

    Console(soft_wrap=True).print(render(agreements, read))
