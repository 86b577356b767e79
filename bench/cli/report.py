"""``bench report``: one self-contained HTML page of a run, or of several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.place import FolderOrUrl, runs_folder

if TYPE_CHECKING:
    from reports.reading import RunTables


@click.command("report")
@click.argument("names", nargs=-1, metavar="[RUN ...]", type=FolderOrUrl())
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The page to write, or a folder for it; an earlier page is replaced, nothing else is.  "
    "[default: report.html in the first run's folder]",
)
@runs_folder(as_out=False)
@click.option("--assets", is_flag=True, help="All pictures, in a folder beside the page.")
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a table for a paper, as its name ends: .csv, .md or .tex. Singles, scenes "
    "and pairs stand apart, with 95% intervals.",
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write heatmap, leakage and comparison as SVG and PDF (needs matplotlib).",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Certificate of the scorers, from `bench validate --out FILE`.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser when it is done.")
def command(
    names: tuple[Path, ...],
    out: Path | None,
    runs: Path,
    assets: bool,
    table: Path | None,
    figures: Path | None,
    certificate: Path | None,
    opens: bool,
) -> None:
    """Write one HTML page to look at: numbers, heatmap, where the colour went, pictures.

    RUN is a run folder, or its name in the folder of the runs; the latest run where none is given.
    With several runs the page shows them side by side and compares each with the first.
    """
    from bench.store.paths import is_remote
    from bench.store.run import find_run
    from reports.certificate import load_certificate
    from reports.page import page_path, write_report

    given = None if certificate is None else load_certificate(certificate)
    folders = [find_run(name, runs) for name in names or (None,)]
    # A page is to be opened in a browser: that of a run in a remote store is written here.
    beside = Path() if is_remote(folders[0]) else folders[0]
    target = page_path(out or beside / "report.html")
    tables = read_folders(folders)
    if table is not None:
        from reports.tables import write_paper_table
        from reports.views import run_labels

        write_paper_table(list(zip(run_labels(tables), tables, strict=True)), table)
        click.echo(str(table), err=True)
    written = write_report(tables, target, certificate=given, assets=assets)
    carried = "all" if written.embedded == written.images else f"{written.embedded:,} of"
    click.echo(
        f"{written.path}: {written.size / 1e6:.1f} MB, {carried} {written.images:,} images"
        + (f", pictures in {written.assets}" if written.assets else ""),
        err=True,
    )
    if figures is not None:
        from reports.figures import write_figures

        for path in write_figures(tables, figures):
            click.echo(str(path), err=True)
    click.echo(str(written.path))
    if opens:
        click.launch(written.path.resolve().as_uri())


def read_folders(folders: Sequence[Path]) -> list[RunTables]:
    """Read runs, their verdicts and estimates made again where the parts have changed since."""
    from bench.run.derive import current_estimates
    from bench.store.run import Run
    from reports.reading import read_run

    stored = [Run(folder) for folder in folders]
    for run in stored:
        current_estimates(run)
    return [read_run(run) for run in stored]
