"""``bench validate``: the certificate of the scorers, on scenes whose verdict is known."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bench.certificate.report import Stage

#: Trials of other worlds than the rendered one.
OTHER_WORLDS = ("icons on photographs, 256 px", "photoreal, 384 px")


@click.command("validate")
@click.option("--segmenter", default="auto", show_default=True, metavar="NAME")
@click.option(
    "--clip", metavar="SPEC", help="CLIP: bundled, tipsv2, ViT-B-16:openai, model:tag=FILE."
)
@click.option(
    "--scenes",
    type=click.IntRange(min=10),
    metavar="N",
    help="Scenes a trial, 330 by default; 110 show every verdict in every colour.",
)
@click.option(
    "--seed",
    default=30_000,
    show_default=True,
    metavar="N",
    help="Of the scenes. Thresholds were set on seeds from 10000, runs are controlled on 20000.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Pictures of yours with labels: a folder with labels.csv, or the table.",
)
@click.option("--quick", is_flag=True, help="Three trials of 110 scenes: under a minute.")
@click.option("--json", "as_json", is_flag=True, help="Print the certificate as JSON.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write JSON.",
)
def command(
    segmenter: str,
    clip: str | None,
    scenes: int | None,
    seed: int,
    labels: Path | None,
    quick: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """Judge the judge: draw scenes of every verdict and see what the scorers say of them.

    Each trial is scored twice, with the exact masks and with the segmenter's own. The whole takes
    a few minutes on two cores; progress goes to stderr.
    """
    from bench.certificate.conditions import QUICK, TRIALS
    from bench.certificate.report import certify
    from bench.run.components import build
    from bench.run.self_check import JUDGE
    from bench.store import files

    if out is not None:
        files.require_writable(out.parent)
    offered = {"clip": clip}
    finder, scorer = build("segmenter", segmenter, {}, offered), build("scorer", JUDGE, {}, offered)
    labelled = None if labels is None else _labelled(labels, finder, scorer)
    report = certify(
        finder,
        scorer,
        scenes or (110 if quick else 330),
        seed,
        {name: TRIALS[name] for name in QUICK} if quick else TRIALS,
        _Countdown(),
    )
    if labelled is not None:
        report["labelled"], report["labelled_kinds"] = labelled
    text = json.dumps(report, indent=1)
    if out is not None:
        files.write_text(out, text + "\n")
    if as_json:
        click.echo(text)
        return
    _print(report)


class _Countdown:
    """Tells on stderr which trial begins and, from the second on, about how long the rest takes."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, stage: Stage) -> None:
        from bench.run.progress import clock

        line = f"trial {stage.number} of {stage.trials}: {stage.title}, {stage.scenes} scenes"
        if stage.done:
            passed = time.monotonic() - self._start
            line += f"; about {clock(passed / stage.done * (1 - stage.done))} left"
        click.echo(line, err=True)


def _labelled(
    labels: Path, segmenter: Any, scorer: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Certificate of labelled pictures, by either masks, and what pictures are like them."""
    from bench.annotations.labelled_pictures import load_labelled
    from bench.certificate.certified_pictures import labelled_kinds
    from bench.certificate.labelled import measure_labelled, summarise_questions

    loaded = load_labelled(labels)
    click.echo(f"labelled pictures: {len(loaded)}", err=True)
    rows = {
        masks: summarise_questions(
            [one.judged() for one in measure_labelled(loaded, scorer, finder)]
        )
        for masks, finder in (("own", segmenter), ("hand", None))
    }
    return rows, labelled_kinds([image for _, image, _ in loaded])


def _print_labelled(labelled: dict[str, Any], console: Any) -> None:
    from rich.table import Table

    table = Table(title="Labelled pictures: bound or not", title_justify="left")
    for heading in ("masks", "bindings", "of", "unjudged", "balanced", "found", "kept out"):
        table.add_column(heading, justify="left" if heading in ("masks", "of") else "right")
    for masks, whole in labelled.items():
        for name, row in {"all": whole, **whole["by"]}.items():
            if row["n"]:
                shares = ("unjudged", "balanced_accuracy", "bound_found", "others_kept_out")
                told = ("-" if row[key] is None else f"{row[key]:.1%}" for key in shares)
                table.add_row(masks, str(row["n"]), name, *told)
    console.print(table)


def _own_kind(kinds: list[dict[str, Any]]) -> str:
    from bench.judge.out_of_distribution import LEAST_PICTURES

    if not kinds:
        return (
            f"They are fewer than {LEAST_PICTURES} of a size, and make no certified kind for "
            "`bench run|score --certificate FILE`"
        )
    return (
        f"{sum(one['pictures'] for one in kinds)} of them are a certified kind of their own for "
        "`bench run|score --certificate FILE` (--out FILE writes it)"
    )


def _print_groups(report: dict[str, Any], console: Any) -> None:
    """Share right by size of the subject, named and not, and whether `found` can be believed."""
    from rich.table import Table

    table = Table(title="By subject, the segmenter's own masks: share right", title_justify="left")
    kinds = {"rendered": report.get("whole", {}), **{
        trial: rows for trial, rows in report["trials"].items() if trial in OTHER_WORLDS
    }}  # fmt: skip
    rows = {kind: row["own"] for kind, row in kinds.items() if row}
    if not rows:
        return
    groups = list(next(iter(rows.values()))["by"])
    for heading in ("kind", *groups, "unjudged", "error of presence"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind, row in rows.items():
        cells = [
            "-" if one["accuracy"] is None else f"{one['accuracy']:.1%} of {one['n']}"
            for one in row["by"].values()
        ]
        error = row["presence"]["ece"]
        table.add_row(
            kind, *cells, f"{row['unjudged']:.1%}", "-" if error is None else f"{error:.3f}"
        )
    console.print(table)


def _print(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="Scorers on known scenes", title_justify="left")
    for heading in (
        "trial",
        "masks",
        "scenes",
        "macro F1",
        "right",
        "worst verdict",
        "worst colour",
    ):
        table.add_column(heading, justify="right" if heading in ("scenes", "macro F1") else "left")
    for trial, rows in report["trials"].items():
        for row in rows.values():
            table.add_row(
                trial,
                row["masks"],
                str(row["scenes"]),
                f"{row['macro_f1']:.3f}",
                f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%})",
                _worst(row["recall_by_verdict"]),
                _worst(row["recall_by_colour"]),
            )
    console.print(table)
    _print_groups(report, console)
    if "labelled" in report:
        _print_labelled(report["labelled"], console)
        console.print(_own_kind(report["labelled_kinds"]))
    for bar in report["bars"]:
        met = "met" if bar["met"] else "NOT MET"
        console.print(
            f"{bar['trial']}, {bar['masks']} masks: {bar['what']} {bar['value']:.3f}, "
            f"at least {bar['least']:.2f}: {met}",
            highlight=False,
        )
    first = next(iter(report["trials"].values()))
    for row in first.values():
        console.print(_confusion(row))


def _worst(recalls: dict[str, float]) -> str:
    name = min(recalls, key=lambda key: recalls[key])
    return f"{name} {recalls[name]:.0%}"


def _confusion(row: dict[str, Any]) -> Any:
    from rich.table import Table

    from bench.records import VERDICTS

    table = Table(
        title=f"Confusion, plain scenes, {row['masks']} masks: true down, said across",
        title_justify="left",
    )
    table.add_column("")
    for verdict in VERDICTS:
        table.add_column(verdict, justify="right")
    for true, said in row["confusion"].items():
        table.add_row(true, *(str(said.get(verdict, "")) or "." for verdict in VERDICTS))
    return table
