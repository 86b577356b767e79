"""Charts of the kept trainings: with and without normalisation, and black walls by schedule."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from reference_models.ingredients.normalisation import BROKEN, RATES
from reference_models.ingredients.schedule import MEMBERS, SEEDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
WITH, WITHOUT, GRAY = "#0072b2", "#d55e00", "#707070"
#: A wall that was to be black and is lighter than this (L*) is pale.
PALE = 30
#: Points that a curve is kept as.
_KEPT = 60


def condense(folder: Path, out: Path) -> None:
    """Keep the curves of a folder of trainings as one small table, and the walls beside it.

    Parameters
    ----------
    folder : Path
        Of `reference_models.ingredients.trainings`.
    out : Path
        Where ``norm.csv``, ``tone.json`` and ``black-*.png`` are written.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows: list[list[Any]] = []
    for path in sorted(folder.glob("norm-*/curve.csv")):
        _, name, factor, seed = path.parent.name.split("-")
        with path.open(newline="") as text:
            table = list(csv.DictReader(text))
        size = max(1, -(-len(table) // _KEPT))
        for start in range(0, len(table), size):
            part = table[start : start + size]
            sizes = [row["block_6"] for row in part if row["block_6"] != "nan"]
            loss = float(np.mean([float(row["loss"]) for row in part]))
            last = sizes[-1] if sizes else ""
            rows.append([name, factor, seed[4:], part[-1]["pictures"], f"{loss:.4g}", last])
    if rows:
        with (out / "norm.csv").open("w", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["norm", "rate", "seed", "pictures", "loss", "size"])
            writer.writerows(rows)
    tone = folder / "tone.json"
    if tone.exists():
        (out / "tone.json").write_text(json.dumps(json.loads(tone.read_text())) + "\n")
    for path in folder.glob("black-*.png"):
        (out / path.name).write_bytes(path.read_bytes())


def normalisation(new: Any, file: Path) -> Figure:
    """Loss by pictures at each learning rate, and below the size behind the last block."""
    with file.open(newline="") as text:
        table = list(csv.DictReader(text))
    drawn, grid = new(len(RATES), 2, 7.4, 4.2, sharex=True, sharey="row")
    for column, rate in enumerate(RATES):
        for name, colour in (("with", WITH), ("without", WITHOUT)):
            rows = [r for r in table if r["norm"] == name and float(r["rate"]) == rate]
            for seed in sorted({r["seed"] for r in rows}):
                _curve(grid[:, column], [r for r in rows if r["seed"] == seed], colour, name)
        grid[0][column].set_title(f"{rate:g} times the rate")
    drawn.supxlabel("pictures seen, thousands", fontsize=8.5)
    for axes in grid.ravel():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.minorticks_off()
    grid[0][0].set(ylabel="loss", ylim=(0.08, 40))
    grid[1][0].set_ylabel("size of the activations\nbehind the last block")
    handles, labels = grid[0][0].get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    drawn.legend(
        list(named.values()),
        [f"{label} normalisation" for label in named],
        loc="outside upper center",
        ncols=2,
    )
    return drawn


def _curve(axes: Sequence[Any], rows: Sequence[Mapping[str, str]], colour: str, label: str) -> None:
    x = [int(row["pictures"]) / 1000 for row in rows]
    loss = [float(row["loss"]) for row in rows]
    axes[0].plot(x, loss, color=colour, label=label, lw=1.3)
    if not loss[-1] < BROKEN:
        end = min(loss[-1], 30.0) if loss[-1] == loss[-1] else 30.0
        axes[0].plot(x[-1:], [end], "x", color=colour, ms=7, mew=2)
        axes[0].annotate(" breaks", (x[-1], end), color=colour, va="center", fontsize=7.5)
    sizes = [(at, float(row["size"])) for at, row in zip(x, rows, strict=True) if row["size"]]
    axes[1].plot(*zip(*sizes, strict=True), color=colour, lw=1.3)


def walls(new: Any, folder: Path) -> Figure:
    """Black walls of the scenes and of each training: their lightness, and some of them."""
    tone = json.loads((folder / "tone.json").read_text())
    names = ["rendered", *(f"{name}-seed{seed}" for name in MEMBERS for seed in SEEDS)]
    names.append(f"{MEMBERS[1]}-bundled")
    shown = [name for name in names if name in tone]
    drawn, grid = new(2, len(shown), 7.4, 0.62 * len(shown) + 0.5, width_ratios=(1.5, 1))
    for number, name in enumerate(shown):
        picture, axes = grid[number]
        walls_file = folder / f"black-{name}.png"
        if walls_file.exists():
            picture.imshow(np.asarray(Image.open(walls_file)))
        picture.set(xticks=[], yticks=[])
        picture.grid(False)
        for spine in picture.spines.values():
            spine.set_visible(False)
        picture.set_ylabel(_label(name), rotation=0, ha="right", va="center", fontsize=7.5)
        for kind, y, colour in (("black", 0.22, "black"), ("white", 0.5, "#9a9a9a")):
            values = tone[name][kind]
            axes.plot(values, [y] * len(values), "|", color=colour, ms=9, mew=0.8)
            axes.plot([median(values)], [y], "o", color=colour, ms=5)
        pale = float(np.mean(np.array(tone[name]["black"]) > PALE))
        words = f"{pale:.0%} of the black above {PALE}"
        axes.text(48, 0.86, words, ha="center", va="center", fontsize=7.5)
        axes.set(xlim=(0, 100), ylim=(0, 1), yticks=[])
        if number < len(shown) - 1:
            axes.tick_params(labelbottom=False)
    grid[0][0].set_title("captions that call the wall black")
    grid[0][1].set_title("L* of walls called black and white")
    grid[-1][1].set_xlabel("L*: one stroke a picture, median as a dot")
    return drawn


def _label(name: str) -> str:
    if name == "rendered":
        return "scenes  "
    kind = "full noise" if name.startswith(MEMBERS[0]) else "never full noise"
    return f"{kind}, {name.rpartition('-')[2].removeprefix('seed')}  "
