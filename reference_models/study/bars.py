"""Does a model leak as real ones do? ``python -m reference_models.study.bars RUN ...``.

A benchmark of leakage needs a model in which every place of leakage has something to show, and
which draws well enough and variedly enough that the leaks can be seen. The bars below say how much
of each; they are read from finished runs of the suite, best of grid ``default`` with four images a
prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import click
import numpy as np
import pandas as pd

from bench.errors import StoreError
from bench.judge.colour.spaces import to_lab
from bench.records import NOT_JUDGED
from bench.store.derived import read_verdicts
from bench.store.run import Run

#: What is measured, the least and the most that it may be, and what it is in words.
BARS: dict[str, tuple[float, float, str]] = {
    "bound": (0.55, 0.80, "bound, of judged"),
    "leaked": (0.12, 1.0, "spilled, neighbour or background"),
    "wall": (0.02, 1.0, "leaked onto wall, table or floor"),
    "plate": (0.02, 1.0, "leaked onto a plate or another object"),
    "frame": (0.02, 1.0, "leaked onto the picture frame"),
    "swapped": (0.05, 1.0, "swapped, of pairs"),
    "absent": (0.0, 0.05, "absent"),
    "diversity": (28.0, 255.0, "difference between images of a bare name, of 255"),
    "coloured_walls": (0.10, 1.0, "walls of bare names in a strong colour"),
}
#: Places of a leak, by the rule that gave the verdict.
PLACES = {
    "wall": ("leak_wall", "leak_support", "leak_background"),
    "plate": ("leak_plate", "leak_other", "leak_neighbour"),
    "frame": ("leak_picture_frame",),
}
#: From where to where the upper corners of the wall reach, of the side: within a frame, beside and
#: above most subjects.
CORNER = (0.15, 0.24)
#: Least chroma of a colour that is not quiet: the palest named one has 35, quiet walls up to 12.
STRONG_CHROMA = 22.0


@dataclass(frozen=True, slots=True)
class Bars:
    """What the bars are held against: shares in [0, 1], ``diversity`` of 255; NaN unmeasured."""

    bound: float
    leaked: float
    wall: float
    plate: float
    frame: float
    swapped: float
    absent: float
    diversity: float
    coloured_walls: float

    def missed(self) -> list[str]:
        """Names of the bars that are not reached; one that was not measured is not."""
        return [n for n, (low, high, _) in BARS.items() if not low <= getattr(self, n) <= high]


def of_verdicts(verdicts: pd.DataFrame) -> dict[str, float]:
    """Shares of judged bindings: bound, leaked, by place, swapped (of pairs) and absent."""
    judged = verdicts[~verdicts["verdict"].isin(NOT_JUDGED)]
    leaked = judged["verdict"].isin(("spilled", "neighbour", "background"))
    rule = judged["rule"].str.removeprefix("bind and ").where(leaked, "")
    pairs = judged[judged["template"] == "pair"]
    return {
        "bound": float((judged["verdict"] == "bound").mean()),
        "leaked": float(leaked.mean()),
        **{place: float(rule.isin(rules).mean()) for place, rules in PLACES.items()},
        "swapped": float((pairs["verdict"] == "swapped").mean()),
        "absent": float((judged["verdict"] == "absent").mean()),
    }


def diversity(pictures: Mapping[str, list[np.ndarray]]) -> float:
    """Mean absolute difference between images of one prompt, of 255, over pairs and prompts.

    Parameters
    ----------
    pictures : mapping of str to list of ndarray, uint8 (H, W, 3)
    """
    means = [
        float(np.mean([np.abs(a.astype(float) - b).mean() for a, b in combinations(one, 2)]))
        for one in pictures.values()
        if len(one) > 1
    ]
    return float(np.mean(means)) if means else float("nan")


def coloured_walls(pictures: Mapping[str, list[np.ndarray]]) -> float:
    """Share of images with a strong colour on the wall, the median of its two upper corners."""
    chromas = []
    for picture in (p for one in pictures.values() for p in one):
        side = picture.shape[0]
        near, far = (round(side * part) for part in CORNER)
        corners = np.concatenate((picture[near:far, near:far], picture[near:far, -far:-near]))
        _, a, b = to_lab(np.median(corners.reshape(-1, 3), axis=0) / 255)
        chromas.append(float(np.hypot(a, b)))
    return float(np.mean([c >= STRONG_CHROMA for c in chromas])) if chromas else float("nan")


def bars_of(run: Run) -> Bars:
    """Measure a finished run."""
    controls: dict[str, list[np.ndarray]] = {}
    for batch in run.generations(run.ids("samples"), 64):
        for one in batch:
            cell = one.sample.cell
            if all(b.colour is None for b in cell.bindings) and len(cell.bindings) == 1:
                controls.setdefault(cell.text, []).append(one.image)
    controls = {text: images for text, images in controls.items() if len(text.split()) == 2}
    return Bars(
        **of_verdicts(read_verdicts(run)),
        diversity=diversity(controls),
        coloured_walls=coloured_walls(controls),
    )


def table(found: Mapping[str, Bars]) -> str:
    """Markdown: a row a bar, a column a run; what is missed is marked."""
    lines = [
        "| | bar | " + " | ".join(found) + " |",
        "|---|---|" + "---:|" * len(found),
    ]
    for name, (low, high, words) in BARS.items():
        scale, unit = (1, "") if name == "diversity" else (100, "%")
        bar = f"<= {high * scale:.0f}{unit}" if low == 0 else f">= {low * scale:.0f}{unit}"
        if name == "bound":
            bar = f"{low:.0%} to {high:.0%}"
        cells = [
            f"{getattr(one, name) * scale:.1f}{unit}" + (" !" if name in one.missed() else "")
            for one in found.values()
        ]
        lines.append(f"| {words} | {bar} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")
def main(runs: tuple[Path, ...], as_json: bool) -> None:
    """Hold finished RUNS against what a model that leaks must show."""
    try:
        found = {folder.name: bars_of(Run(folder)) for folder in runs}
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        whole = {name: {**asdict(one), "missed": one.missed()} for name, one in found.items()}
        click.echo(json.dumps(whole, indent=1))
    else:
        click.echo(table(found))


if __name__ == "__main__":
    main()
