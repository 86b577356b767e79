"""``bench show``: the summary of a run, or a table of several."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.place import FolderOrUrl, runs_folder


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN ...]", type=FolderOrUrl())
@runs_folder()
@click.option("--json", "as_json", is_flag=True, help="Record and estimates as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="All estimates as CSV.")
@click.option(
    "--log",
    "trackers",
    multiple=True,
    type=click.Choice(["wandb", "mlflow", "tensorboard"]),
    help="Hand numbers, verdicts and pictures to an experiment tracker; may be repeated.",
)
@click.option(
    "--disagreements",
    is_flag=True,
    help="The images where a second opinion (clip, vqa, ...) is not the verdict's, as CSV.",
)
def command(
    names: tuple[Path, ...],
    runs: Path,
    as_json: bool,
    as_csv: bool,
    trackers: tuple[str, ...],
    disagreements: bool,
) -> None:
    """Print the summary of RUN: a folder, a name, or the latest run where it is omitted.

    Of several runs a table: a row a run, singles, scenes and pairs apart.
    """
    import json

    from bench.errors import UsageError
    from bench.run.summary import WIDTH, render, render_several, summary_of, to_csv, to_dict
    from bench.store.run import Run, find_run

    if as_json + as_csv + disagreements > 1:
        raise UsageError("--json, --csv and --disagreements are three forms: name one of them")
    if disagreements:
        from bench.run.summary import disagreements_csv

        if len(names) > 1:
            raise UsageError(f"--disagreements lists those of one run, {len(names)} are named")
        name = names[0] if names else None
        click.echo(disagreements_csv(Run(find_run(name, runs))), nl=False)
        return
    found = [summary_of(Run(find_run(name, runs))) for name in names or (None,)]
    several = len(found) > 1
    if as_csv:
        for place, one in enumerate(found):
            text = to_csv(one.estimates, one.manifest.name if several else None)
            # One table: the heading once.
            click.echo(text.partition("\n")[2] if place else text, nl=False)
    elif as_json:
        dicts = [to_dict(one) for one in found]
        click.echo(json.dumps(dicts if several else dicts[0], indent=1))
    else:
        from rich.console import Console

        if several:
            # A row a run, also where the terminal is narrower: no number is folded.
            wide = max(Console().width, WIDTH)
            Console(width=wide, soft_wrap=True).print(render_several(found))
        else:
            Console().print(render(found[0]))
    if trackers:
        from bench.export.trackers import log_run

        for name, one in zip(names or (None,), found, strict=True):
            for tracker in trackers:
                log_run(Run(find_run(name, runs)), one.estimates, tracker)
