"""``bench plan``: how many images a gate needs to see its margin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.numbers import Number
from bench.cli.place import FolderOrUrl, runs_folder

if TYPE_CHECKING:
    from bench.statistics.simulation import Power

_SHARE: Any = {"min": 0, "max": 1, "min_open": True, "max_open": True}


@click.command()
@click.option(
    "--margin",
    type=Number(**_SHARE),
    default=0.02,
    show_default=True,
    metavar="X",
    help="Smallest loss of the binding score that matters, as for `bench check`.",
)
@click.option(
    "--power",
    type=Number(**_SHARE),
    default=0.8,
    show_default=True,
    metavar="X",
    help="Chance that a model that has not changed passes.",
)
@click.option(
    "--alpha",
    type=Number(min=0, max=0.5, min_open=True),
    default=0.05,
    show_default=True,
    metavar="X",
    help="Level of the test, as for `bench check`.",
)
@click.option(
    "--score",
    type=Number(min=0, max=1),
    metavar="X",
    help="Binding score of the model.  [default: 0.9, or that of --like]",
)
@click.option(
    "--spread",
    type=Number(min=0, max=1, max_open=True),
    metavar="X",
    help="How unlike the prompts are: 0 all equally hard, 1 each always right or always wrong "
    "(intraclass correlation).  [default: 0.3, or that of --like]",
)
@click.option(
    "--like",
    type=FolderOrUrl(),
    metavar="RUN",
    help="A run of the model: its score, its spread and its time an image.",
)
@click.option(
    "--seconds",
    type=Number(min=0, min_open=True),
    metavar="X",
    help="Time an image takes, for the column of times.  [default: that of --like]",
)
@click.option("--preset", "presets", multiple=True, metavar="NAME", help="Only this grid.")
@runs_folder(as_out=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    margin: float,
    power: float,
    alpha: float,
    score: float | None,
    spread: float | None,
    like: Path | None,
    seconds: float | None,
    presets: tuple[str, ...],
    runs: Path,
    as_json: bool,
) -> None:
    """Tell which preset, with how many seeds, sees a loss of the margin.

    Pairs of runs of one model are simulated and compared as `bench check` does. Both runs of a
    comparison need the images.
    """
    from bench.statistics.simulation import seeds_for
    from prompts.grids import PRESET_NAMES, make_grid

    known = (None, None, None) if like is None else _facts(like, runs)
    score = next(one for one in (score, known[0], 0.9) if one is not None)
    spread = next(one for one in (spread, known[1], 0.3) if one is not None)
    seconds = seconds if seconds is not None else known[2]
    rows = []
    for preset in presets or PRESET_NAMES:
        cells = make_grid(preset)
        judged = sum(cell.template != "control" for cell in cells)
        found = seeds_for(
            judged, score=score, spread=spread, margin=margin, power=power, alpha=alpha
        )
        rows.append(_row(preset, judged, len(cells), found, seconds))
    asked = {"margin": margin, "power": power, "alpha": alpha, "score": score, "spread": spread}
    if as_json:
        click.echo(json.dumps({**asked, "presets": rows}, indent=1))
        return
    from rich.console import Console

    Console().print(_table(rows, asked))


def _facts(like: Path, runs: Path) -> tuple[float, float | None, float]:
    """Score, spread and seconds an image of a stored run."""
    import numpy as np

    from bench.errors import UsageError
    from bench.statistics.simulation import spread_of
    from bench.statistics.sums import Judgements
    from bench.store.derived import read_verdicts
    from bench.store.run import Run, find_run

    run = Run(find_run(like, runs))
    verdicts = read_verdicts(run)
    sums = Judgements(verdicts).sums(np.ones(len(verdicts), dtype=bool), ("binding_score",))
    if not sums.cells[0]:
        raise UsageError(f"{run.folder} has no judged image: give --score instead of --like")
    score, spread = spread_of(sums.means[:, 0], sums.noise[:, 0], sums.cell_images[:, 0])
    parts = [part["seconds"].to_numpy() for _, part in run.parts("samples", ["seconds"])]
    return score, spread, float(np.concatenate(parts).mean())


def _row(
    preset: str,
    judged: int,
    prompts: int,
    found: tuple[int, Power] | None,
    seconds: float | None,
) -> dict[str, Any]:
    if found is None:
        return {"preset": preset, "prompts": judged, "seeds": None}
    seeds, power = found
    images = seeds * prompts
    return {
        "preset": preset,
        "prompts": judged,
        "seeds": seeds,
        "images": images,
        "seconds": None if seconds is None else round(images * seconds),
        "passes": power.passed,
        "finds": power.finds,
    }


def _table(rows: list[dict[str, Any]], question: dict[str, float]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("preset", "prompts", "--seeds", "images", "time", "passes", "finds"):
        table.add_column(name, justify="left" if name == "preset" else "right", no_wrap=True)
    for row in rows:
        if row["seeds"] is None:
            table.add_row(row["preset"], f"{row['prompts']:,}", "more than 1,000")
            continue
        table.add_row(
            row["preset"],
            f"{row['prompts']:,}",
            str(row["seeds"]),
            f"{row['images']:,}",
            "not known" if row["seconds"] is None else _clock(row["seconds"]),
            f"{row['passes']:.0%}",
            f"{row['finds']:.1%}",
        )
    return Group(
        Text(
            f"margin {question['margin']:.1%} at alpha {question['alpha']:g}, a model of score "
            f"{question['score']:.1%} and spread {question['spread']:.2f}"
        ),
        Text(""),
        table,
        Text(""),
        Text(
            "passes: chance that the model passes where nothing changed. finds: loss that is "
            "called a regression 4 times in 5."
        ),
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
