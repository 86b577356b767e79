"""``bench check``: the gate of a merge."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.numbers import Number
from bench.cli.place import FolderOrUrl, runs_folder

if TYPE_CHECKING:
    from bench.errors import NotComparableError
    from bench.gate.decide import Decision


@click.command()
@click.argument("run", required=False, type=FolderOrUrl())
@click.option(
    "--baseline",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Written by `bench baseline`.",
)
@runs_folder(as_out=False)
@click.option(
    "--margin",
    type=Number(0, 1),
    default=0.02,
    show_default=True,
    metavar="X",
    help="Smallest loss of the binding score that matters, as a share: 0.02 is two points.",
)
@click.option(
    "--alpha",
    type=Number(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    metavar="X",
    help="Level of the two-sided test; its intervals are of 1 - alpha.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Fail on any significant loss (1), and where a loss of the margin could stay hidden (3).",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="FIELD",
    help="Let this field differ between run and baseline; repeat for several.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write JUnit XML.",
)
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write Markdown. It is added to $GITHUB_STEP_SUMMARY too, where that is set.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the report; the worst cells of the summary link into it.",
)
@click.option(
    "--before",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="The run that the baseline was made from: the report shows both, side by side.",
)
def command(
    run: Path | None,
    baseline: Path,
    runs: Path,
    margin: float,
    alpha: float,
    strict: bool,
    allowed: tuple[str, ...],
    as_json: bool,
    junit: Path | None,
    summary: Path | None,
    report: Path | None,
    before: Path | None,
) -> int:
    """Compare RUN (the latest where it is omitted) with a baseline, and decide.

    Exit code 0: pass; without --strict also "lost, within the margin" and "underpowered". 1:
    regression, or with --strict any significant loss. 3: not comparable, not finished, or, with
    --strict, too few images to leave out a loss of the margin.
    """
    from bench.errors import NotComparableError, UsageError
    from bench.gate import forms
    from bench.gate.check import check
    from bench.store import files
    from bench.store.run import find_run

    if before is not None and report is None:
        raise UsageError("--before is for the report: give --report FILE too")
    folder = find_run(run, runs)
    earlier = None if before is None else find_run(before, runs)
    outcome: Decision | NotComparableError
    try:
        outcome = check(folder, baseline, margin, alpha, strict, allowed)
    except NotComparableError as error:
        outcome = error
    if junit is not None:
        forms.write_junit(junit, outcome)
    title = f"{folder.resolve().name} against {baseline.name}"
    if summary is not None:
        address = "" if report is None else forms.address_from(summary, report)
        files.write_text(summary, forms.to_markdown(outcome, title, address))
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        # Shown on a page of GitHub, from which no link leads to a file of the runner.
        forms.append(Path(step), forms.to_markdown(outcome, title))
    if report is not None:
        from bench.cli.report import read_folders
        from reports.page import write_report

        write_report(read_folders([one for one in (earlier, folder) if one is not None]), report)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in forms.workflow_commands(outcome):
            click.echo(line, err=True)
    if as_json:
        click.echo(forms.to_json(outcome))
    if isinstance(outcome, NotComparableError):
        raise outcome
    if not as_json:
        from rich.console import Console

        wide = max(Console().width, forms.WIDTH)
        Console(width=wide, soft_wrap=True).print(forms.render(outcome))
    return outcome.code
