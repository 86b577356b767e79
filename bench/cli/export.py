"""``bench export``: a run as PNG files, or as metadata of a model card."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.place import FolderOrUrl, runs_folder

LAYOUTS = ("geneval", "imagefolder", "hub")


@click.command()
@click.argument("run", required=False, type=FolderOrUrl())
@click.option(
    "--layout",
    required=True,
    type=click.Choice(LAYOUTS),
    help="geneval: numbered folders of prompts; imagefolder: pictures and a table; hub: the "
    "metadata of a model card.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to write; nothing is written elsewhere.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Write into a folder that holds something: an earlier export is taken away, files of the "
    "same names are replaced, others are left alone. A README.md keeps its text.",
)
@runs_folder(as_out=False)
@click.option(
    "--metadata",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="Form of the imagefolder's table.",
)
@click.option("--model-name", metavar="NAME", help="hub: name of the model.")
@click.option(
    "--dataset",
    metavar="OWNER/NAME",
    help="hub: the benchmark dataset to list the scores under; also writes .eval_results.",
)
def command(
    run: Path | None,
    layout: str,
    out: Path,
    force: bool,
    runs: Path,
    form: str,
    model_name: str | None,
    dataset: str | None,
) -> None:
    """Write RUN (the latest where it is omitted) in the layout of others.

    A fresh folder appears whole or not at all.
    """
    from bench.errors import UsageError
    from bench.export import geneval, hub, imagefolder
    from bench.export.target import staged
    from bench.gate.baseline import require_whole
    from bench.run.summary import summary_of, warnings
    from bench.store.run import Run, find_run

    if layout != "hub" and (model_name or dataset):
        raise UsageError("--model-name and --dataset are for --layout hub")
    found = Run(find_run(run, runs))
    if layout == "hub":
        # A score that travels with the weights is of a whole run.
        require_whole(found.manifest)
    summary = summary_of(found)
    notes = warnings(summary)
    for line in notes:
        click.echo(f"warning: {line}", err=True)
    with staged(out, force=force, mark=layout != "hub") as target:
        if layout == "geneval":
            count = geneval.write(found, target)
        elif layout == "imagefolder":
            count, changed = imagefolder.write(found, target, form)
            if changed:
                click.echo(
                    f"note: {changed:,} fields of metadata.csv begin as a formula of a spreadsheet "
                    "and have an apostrophe before them; --metadata jsonl keeps them as they are",
                    err=True,
                )
        else:
            count = hub.write(
                found.manifest,
                summary.estimates,
                target,
                out=out,
                name=model_name,
                dataset=dataset,
                notes="; ".join(notes),
            )
    what = "metrics" if layout == "hub" else "images"
    click.echo(f"{out}: {count:,} {what}", err=True)
    click.echo(str(out))
