"""Draw the figures of docs/how_it_works.md: ``python -m reference_models.ingredients``.

Each from the code itself: corruption and attention are computed now, drawing with codes too; the
trainings of normalisation and schedule are kept in docs/how_it_works/, made by
``python -m reference_models.ingredients.trainings --out DIR`` and ``--trainings DIR`` here.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import torch

from reference_models.errors import ModelError
from reference_models.ingredients import attention, charts, codes, corruption
from reference_models.local import LocalModel
from reference_models.weights import find_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = ("corruption", "codes", "attention", "overlap", "normalisation", "walls")
#: Pictures whose words are watched.
WATCHED = 96
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "text.parse_math": False,
}


def new(columns: int, rows: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    """A figure in inches and its axes, (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    ratios = {name: more.pop(name) for name in ("width_ratios",) if name in more}
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=ratios, **more)


@click.command()
@click.option("--only", type=click.Choice(FIGURES), multiple=True, help="All by default.")
@click.option("--model", default="local", show_default=True, help="Whose words are watched.")
@click.option("--prompt", default="a blue potato", show_default=True)
@click.option("--bound", type=int, help="Seed of a picture that is bound.")
@click.option("--leaking", type=int, help="Seed of one that is not.")
@click.option("--trainings", type=click.Path(path_type=Path, exists=True), help="Kept first.")
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("docs/how_it_works"),
    show_default=True, help="Where trainings are kept.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("docs/images"), show_default=True
)
def main(
    only: tuple[str, ...],
    model: str,
    prompt: str,
    bound: int | None,
    leaking: int | None,
    trainings: Path | None,
    results: Path,
    out: Path,
) -> None:
    """Draw the figures of the page that shows the ingredients."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise click.ClickException(
            "the figures need matplotlib; install it with pip install 'binding-bench[figures]'"
        ) from error
    if trainings is not None:
        charts.condense(trainings, results)
    makers: dict[str, Callable[[], Figure]] = {
        "corruption": lambda: corruption.figure(new),
        "codes": lambda: codes.figure(new, LocalModel(find_weights("local-masked")), prompt),
        "attention": lambda: attention.figure(new, *_watched(model, prompt, bound, leaking)),
        "overlap": lambda: attention.overlaps(new, *_sorted(model, prompt), prompt.split()),
        "normalisation": lambda: charts.normalisation(new, results / "norm.csv"),
        "walls": lambda: charts.walls(new, results),
    }
    out.mkdir(parents=True, exist_ok=True)
    left = []
    with matplotlib.rc_context(_STYLE):
        for name in only or FIGURES:
            buffer = io.BytesIO()
            try:
                figure = makers[name]()
            except (ModelError, FileNotFoundError) as error:
                left.append(name)
                click.echo(f"{name}: {error}", err=True)
                continue
            figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
            path = out / f"how-{name}.png"
            path.write_bytes(buffer.getvalue())
            click.echo(str(path))
    if left:
        raise click.ClickException(f"not drawn: {', '.join(left)}")


@cache
def _sorted(model: str, prompt: str) -> tuple[attention.Watched, attention.Where]:
    """Where the words of a prompt attend in some pictures, and where their colour is."""
    exact = LocalModel(find_weights(model), dtype=torch.float32)
    watched = attention.watch(exact, prompt, range(WATCHED))
    return watched, attention.where(watched, prompt.split()[1], 2)


def _watched(
    model: str, prompt: str, bound: int | None, leaking: int | None
) -> tuple[attention.Watched, list[tuple[str, int]], list[str]]:
    watched, found = _sorted(model, prompt)
    best, worst = attention.chosen(found, bound, leaking)
    return watched, [("bound", best), ("leaking", worst)], prompt.split()


if __name__ == "__main__":
    main()
