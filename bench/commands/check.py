"""``bench check``: the gate of a merge."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click


@click.command()
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option(
    "--baseline",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Written by `bench baseline`.",
)
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    metavar="DIR",
    help="Folder of the runs, where RUN is omitted or a name.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    metavar="X",
    help="Smallest loss of the binding score that matters.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    metavar="X",
    help="Chance of a false alarm.",
)
@click.option("--strict", is_flag=True, help="Fail where a loss of the margin could stay hidden.")
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
) -> int:
    """Compare RUN (the latest where it is omitted) with a baseline, and decide.

    Exit code 0: pass. 1: regression. 3: not comparable, not finished, or, with --strict, too few
    images to find a loss of the margin.
    """
    from bench.engine.derive import current_estimates
    from bench.errors import NotComparableError
    from bench.gate import forms
    from bench.gate.baseline import comparable, read_baseline, require_whole
    from bench.gate.decide import decide
    from bench.store import files
    from bench.store.derived import read_verdicts
    from bench.store.run import Run, find_run

    before = read_baseline(baseline)
    found = Run(find_run(run, runs))
    try:
        require_whole(found.manifest)
        current_estimates(found)
        after = (comparable(found.manifest), read_verdicts(found))
        decision = decide(before, after, margin=margin, alpha=alpha, strict=strict, allowed=allowed)
    except NotComparableError as error:
        if as_json:
            click.echo(json.dumps(forms.failed(error), indent=1))
        raise
    title = f"{found.manifest.name} against {baseline.name}"
    if junit is not None:
        forms.write_junit(junit, decision)
    markdown = forms.to_markdown(decision, title)
    if summary is not None:
        files.write_text(summary, markdown)
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        forms.append(Path(step), markdown)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in forms.workflow_commands(decision):
            click.echo(line, err=True)
    if as_json:
        click.echo(forms.to_json(decision))
    else:
        from rich.console import Console

        Console(soft_wrap=True).print(forms.render(decision))
    return decision.code
