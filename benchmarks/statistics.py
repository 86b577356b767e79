"""What the intervals and the gate promise, simulated: ``python -m benchmarks.statistics``.

Runs are simulated whose truth is known (`bench.statistics.simulation`), and go through the same
functions as real ones: `tabulate` for intervals, `decide` for the gate. ``NAME`` runs one table,
``--repetitions`` says how many runs a line. The Monte-Carlo error of a share p over R runs is
``sqrt(p (1 - p) / R)``: 1.0 points at 0.95 and 500, 1.5 at 0.10 and 400.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from bench.gate.decide import decide
from bench.statistics.intervals import difference, mean_of_cells, mean_of_this_list
from bench.statistics.paired import flip_test
from bench.statistics.simulation import rates
from bench.statistics.sums import Judgements
from bench.statistics.tabulate import estimates_of
from prompts.grids import make_grid

ALPHA, MARGIN = 0.05, 0.02
OTHERS = np.array(["mixed", "prior", "neighbour", "background", "wrong"])


# ---------------------------------------------------------------- intervals of a share
def grid_frame(bound: np.ndarray) -> pd.DataFrame:
    """Verdicts from bound or not, bool (subjects, colours, images)."""
    subject, colour, image = (axis.ravel() for axis in np.indices(bound.shape))
    cell = subject * bound.shape[1] + colour
    return pd.DataFrame(
        {
            "sample_id": cell * bound.shape[2] + image,
            "cell_id": cell,
            "colour": colour,
            "subject": subject,
            "verdict": np.where(bound.ravel(), "bound", "wrong"),
        }
    )


def ends_of(bound: np.ndarray) -> Any:
    """The estimate of the binding score, both intervals."""
    judgements = Judgements(grid_frame(bound))
    sums = judgements.sums(np.ones(bound.size, dtype=bool), ("binding_score",))
    return estimates_of(sums, "all", np.random.default_rng(0), 600, 0.95)[0]


def crossed_rates(rng: np.random.Generator, shape: tuple[int, int], mean: float, spreads: Any):
    """Rates with effects of subject, colour and cell on the logit."""
    offset = _offset(mean, float(np.hypot(np.hypot(*spreads[:2]), spreads[2])))
    subjects, colours = shape
    effects = rng.normal(0, spreads[0], (subjects, 1)) + rng.normal(0, spreads[1], (1, colours))
    return expit(offset + effects + rng.normal(0, spreads[2], shape))


@functools.cache
def _offset(mean: float, spread: float) -> float:
    draws = spread * np.random.default_rng(0).normal(size=400_000)
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + draws).mean() < mean else (low, middle)
    return middle


#: Subjects, colours, images, mean, and the spread of the cells (ICC) or of subject, colour, cell.
SHARES = [
    ((8, 1), 1, 0.90, 0.3),
    ((8, 1), 1, 0.60, 0.3),
    ((8, 1), 4, 0.90, 0.3),
    ((12, 1), 1, 0.85, 0.3),
    ((27, 1), 1, 0.95, 0.3),
    ((27, 1), 2, 0.95, 0.3),
    ((26, 4), 1, 0.90, 0.3),
    ((26, 4), 1, 0.98, 0.3),
    ((26, 4), 1, 0.99, 0.3),
    ((26, 4), 1, 0.995, 0.3),
    ((26, 4), 4, 0.90, 0.3),
    ((26, 4), 4, 0.98, 0.3),
    ((26, 4), 4, 0.99, 0.3),
    ((39, 11), 1, 0.95, 0.3),
    ((39, 11), 1, 0.99, 0.3),
    ((39, 11), 1, 0.998, 0.3),
    ((39, 11), 2, 0.95, 0.3),
    ((39, 11), 4, 0.90, 0.8),
    ((26, 4), 4, 0.95, 0.8),
    ((26, 4), 4, 0.98, 0.8),
    ((27, 11), 1, 0.90, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (0.7, 0.3, 0.5)),
    ((27, 11), 4, 0.98, (1.5, 0.5, 0.5)),
    ((27, 11), 4, 0.90, (0.5, 1.5, 0.5)),
]


def shares(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage of both intervals of a share: of the rates of this list, and of their population."""
    for shape, images, mean, spread in SHARES:
        rng = np.random.default_rng(1)
        held, widths = np.zeros(2), np.zeros(2)
        for _ in range(repetitions):
            if isinstance(spread, tuple):
                rate = crossed_rates(rng, shape, mean, spread)
            else:
                rate = rates(rng, shape[0] * shape[1], mean, spread).reshape(shape)
            one = ends_of(rng.random((*shape, images)) < rate[..., None])
            ends = (one.low, one.high), (one.population_low, one.population_high)
            for k, ((low, high), truth) in enumerate(zip(ends, (rate.mean(), mean), strict=True)):
                held[k] += low - 1e-12 <= truth <= high + 1e-12
                widths[k] += high - low
        yield {
            "subjects x colours": f"{shape[0]} x {shape[1]}",
            "images": images,
            "mean": mean,
            "spread": "/".join(map(str, np.atleast_1d(spread))),
            "this list: coverage": held[0] / repetitions,
            "width": widths[0] / repetitions,
            "prompts like these: coverage": held[1] / repetitions,
            "width ": widths[1] / repetitions,
        }


def gaps(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage of a gap between two groups of cells, one image each, over this list."""
    for first, second, p, q in (
        (84, 20, 0.98, 0.98),
        (84, 20, 0.95, 0.85),
        (340, 89, 0.95, 0.90),
        (23, 12, 0.95, 0.90),
    ):
        rng = np.random.default_rng(2)
        held, width = 0, 0.0
        for _ in range(repetitions):
            truth, found = [], []
            for cells, mean in ((first, p), (second, q)):
                rate = rates(rng, cells, mean, 0.3)
                one = ends_of((rng.random(cells) < rate)[:, None, None])
                truth.append(rate.mean())
                found.append((one.value, one.low, one.high))
            low, high = difference(*found)
            held += low - 1e-12 <= truth[0] - truth[1] <= high + 1e-12
            width += high - low
        yield {
            "cells": f"{first}, {second}",
            "means": f"{p}, {q}",
            "coverage": held / repetitions,
            "width": width / repetitions,
        }


def edge(repetitions: int) -> Iterator[dict[str, Any]]:
    """The interval near the boundary, by the number of images that are wrong."""
    for cells, images in ((11, 1), (104, 1), (104, 4), (429, 1), (429, 4)):
        row: dict[str, Any] = {"cells": cells, "images": images}
        for wrong in range(4):
            bound = np.ones((cells, 1, images), dtype=bool)
            bound[:wrong, 0, 0] = False
            one = ends_of(bound)
            row[f"{wrong} wrong"] = f"{100 * one.low:.1f} to {100 * one.high:.1f}"
        yield row


def measured(repetitions: int) -> Iterator[dict[str, Any]]:
    """Coverage for measured metrics, by the cells, and by the images where cells have several."""
    for cells in (3, 9, 10, 12, 27, 104):
        row: dict[str, Any] = {"cells": cells}
        for name in ("normal", "exponential"):
            for images in (1, 4):
                rng = np.random.default_rng(cells)
                held = told = 0
                for _ in range(repetitions):
                    draw = rng.normal if name == "normal" else rng.exponential
                    centre = 0.0 if name == "normal" else 1.0
                    between = draw(size=cells) if images > 1 else np.zeros(cells)
                    noise = draw(size=(cells, images)) - centre
                    means = (between[:, None] + noise).mean(axis=1)
                    count = np.full(cells, float(images))
                    if images == 1:
                        found = mean_of_cells(means, rng, resamples=600)
                    else:
                        variance = noise.var(axis=1, ddof=1) / images
                        found = mean_of_this_list(
                            means, variance, count, rng, bounded=False, resamples=600
                        )
                    if found is not None:
                        told += 1
                        held += found[0] <= between.mean() <= found[1]
                row[f"{name}, {images} image" + "s" * (images > 1)] = (
                    held / told if told > repetitions / 2 else "none"
                )
        yield row


# ---------------------------------------------------------------- the gate
@functools.cache
def rows_of(preset: str) -> pd.DataFrame:
    """A row a judgement of one image of every cell."""
    return pd.DataFrame(
        [
            (cell.id, number, one.colour, one.subject, tuple(cell.tags))
            for cell in make_grid(preset)
            if cell.template != "control"
            for number, one in enumerate(cell.bindings)
        ],
        columns=["cell_id", "binding", "colour", "subject", "tags"],
    )


def run_of(
    rng: np.random.Generator, preset: str, rate: np.ndarray, noise: np.ndarray, start: int = 0
) -> pd.DataFrame:
    """Verdicts of a run: rates (rows,), noise (rows, images) in [0, 1)."""
    rows = rows_of(preset)
    images = noise.shape[1]
    frame = rows.loc[rows.index.repeat(images)].reset_index(drop=True)
    frame["index"] = np.tile(np.arange(start, start + images), len(rows))
    bound = (noise < rate[:, None]).ravel()
    frame["verdict"] = np.where(bound, "bound", OTHERS[rng.integers(0, 5, len(bound))])
    return frame


#: What is varied of a pair of runs; the rest is as in `pair_of`.
UNCHANGED: list[dict[str, Any]] = [
    {"preset": "quick", "images": (1, 1), "mean": 0.95},
    {"preset": "quick", "images": (1, 1), "mean": 0.95, "shared": 0.8},
    {"preset": "quick", "images": (4, 4), "mean": 0.90},
    {"preset": "quick", "images": (4, 4), "mean": 0.98},
    {"preset": "quick", "images": (4, 4), "mean": 0.90, "margin": 0.0},
    {"preset": "quick", "images": (1, 1), "mean": 0.90, "margin": 0.0},
    {"preset": "quick", "images": (1, 4), "mean": 0.90},
    {"preset": "quick", "images": (4, 1), "mean": 0.90},
    {"preset": "quick", "images": (1, 1), "mean": 0.90, "start": 100},
    {"preset": "quick", "images": (1, 4), "mean": 0.90, "start": 100},
    {"preset": "quick", "images": (4, 4), "mean": 0.90, "drop": 20},
    {"preset": "quick", "images": (4, 4), "mean": 0.90, "spread": 0.8},
    {"preset": "default", "images": (2, 2), "mean": 0.90},
    {"preset": "default", "images": (3, 3), "mean": 0.90, "margin": 0.03},
    {"preset": "quick", "images": (4, 4), "mean": 0.90, "details": True},
]
RETRAINED: list[dict[str, Any]] = [
    {"preset": preset, "images": (images, images), "mean": 0.90, "retrain": 0.7, "runs": runs}
    for preset, images in (("quick", 4), ("default", 2))
    for runs in (1, 2, 3, 5)
]
LOST: list[dict[str, Any]] = [
    {"preset": "quick", "images": (1, 1), "mean": 0.95, "loss": 0.05},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "loss": 0.05},
    {"preset": "quick", "images": (1, 1), "mean": 0.95, "loss": 0.10},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "loss": 0.10},
    {"preset": "default", "images": (2, 2), "mean": 0.95, "loss": 0.05},
    {"preset": "default", "images": (2, 2), "mean": 0.95, "loss": 0.03},
    {"preset": "default", "images": (2, 2), "mean": 0.95, "loss": 0.02},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "loss": 0.05, "shared": 0.8},
    {"preset": "quick", "images": (1, 4), "mean": 0.95, "loss": 0.05},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "loss": 0.05, "start": 100},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "loss": 0.05, "drop": 20},
    {"preset": "default", "images": (2, 2), "mean": 0.95, "loss": 0.5, "where": "blue"},
    {"preset": "default", "images": (2, 2), "mean": 0.95, "loss": 0.3, "where": "3 subjects"},
]
#: The loss that the gate itself prints for an unchanged pair is planted.
PRINTED: list[dict[str, Any]] = [
    {"preset": "quick", "images": (1, 1), "mean": 0.95},
    {"preset": "quick", "images": (4, 4), "mean": 0.95},
    {"preset": "quick", "images": (4, 4), "mean": 0.90},
    {"preset": "quick", "images": (1, 4), "mean": 0.95},
    {"preset": "quick", "images": (4, 4), "mean": 0.95, "shared": 0.8},
    {"preset": "default", "images": (2, 2), "mean": 0.95},
]


def pair_of(rng: np.random.Generator, setting: dict[str, Any]) -> tuple[Any, Any, float]:
    """Runs before, the run after, and the true change over the cells."""
    preset, images, mean = setting["preset"], setting["images"], setting["mean"]
    rows = rows_of(preset)
    subjects, subject = np.unique(rows["subject"], return_inverse=True)
    rate = rates(rng, len(rows), mean, setting.get("spread", 0.3))
    runs = setting.get("runs", 1)
    trained = [rate] * (runs + 1)
    if scale := setting.get("retrain"):
        base = logit(np.clip(rate, 1e-3, 1 - 1e-3))
        trained = [
            expit(base + rng.normal(0, scale, len(subjects))[subject] + rng.normal(0, scale / 2))
            for _ in trained
        ]
    *earlier, after = trained
    loss, where = setting.get("loss", 0.0), setting.get("where", "")
    if where == "blue":
        hit = rows["colour"].eq("blue").to_numpy()
        after = np.where(hit, after * (1 - loss), after)
    elif where:
        hit = np.isin(subject, rng.choice(len(subjects), 3, replace=False))
        after = np.where(hit, after * (1 - loss), after)
    else:
        after = after * (1 - loss / mean)
    common = rng.random((len(rows), max(images)))

    def noise(count: int) -> np.ndarray:
        own = rng.random((len(rows), count))
        mask = rng.random((len(rows), count)) < setting.get("shared", 0.0)
        return np.where(mask, common[:, :count], own)

    before = [run_of(rng, preset, one, noise(images[0])) for one in earlier]
    now = run_of(rng, preset, after, noise(images[1]), setting.get("start", 0))
    if drop := setting.get("drop"):
        cells = rows["cell_id"].unique()
        now = now[~now["cell_id"].isin(rng.choice(cells, drop, replace=False))]
    change = pd.Series(after - np.mean(earlier, axis=0)).groupby(rows["cell_id"]).mean().mean()
    return before, now, float(change)


def gate(settings: list[dict[str, Any]], repetitions: int) -> Iterator[dict[str, Any]]:
    """Shares of outcomes through `decide`, and the coverage of the printed interval."""
    for number, setting in enumerate(settings):
        rng = np.random.default_rng(number)
        counts: dict[str, int] = {}
        held = fallen = clash = 0
        finds, moved = [], []
        for _ in range(repetitions):
            before, now, change = pair_of(rng, setting)
            found = decide(
                ({}, before),
                ({}, now),
                margin=setting.get("margin", MARGIN),
                alpha=ALPHA,
                details=setting.get("details", False),
            )
            counts[found.verdict] = counts.get(found.verdict, 0) + 1
            one = found.primary
            held += one.low - 1e-12 <= change <= one.high + 1e-12
            clash += (one.p <= ALPHA) != (not one.low <= 0 <= one.high)
            fallen += bool(found.fallen)
            finds.append(one.detectable)
            moved.append(one.difference)
        words = {k: v for k, v in setting.items() if k not in ("preset", "images", "mean")}
        yield {
            "grid": setting["preset"],
            "images": "/".join(map(str, setting["images"])),
            "mean": setting["mean"],
            "": ", ".join(f"{key} {value}" for key, value in words.items()),
            **{
                name: counts.get(verdict, 0) / repetitions
                for name, verdict in (
                    ("regression", "regression"),
                    ("lost", "lost, within the margin"),
                    ("pass", "pass"),
                    ("underpowered", "underpowered"),
                )
            },
            "coverage": held / repetitions,
            "p and interval differ": clash,
            "finds": float(np.median(finds)),
            "SD of the change": float(np.std(moved)),
            **({"any slice fell": fallen / repetitions} if setting.get("details") else {}),
        }


def unchanged(repetitions: int) -> Iterator[dict[str, Any]]:
    """Two runs of one model: regressions at most alpha."""
    return gate(UNCHANGED, repetitions)


def retrained(repetitions: int) -> Iterator[dict[str, Any]]:
    """One more training of a recipe, by the number of trainings in the baseline."""
    return gate(RETRAINED, repetitions)


def lost(repetitions: int) -> Iterator[dict[str, Any]]:
    """A planted loss."""
    return gate(LOST, repetitions)


def printed(repetitions: int) -> Iterator[dict[str, Any]]:
    """The loss that is printed as found four times in five, planted."""
    for setting in PRINTED:
        (plain,) = gate([setting], 100)
        (found,) = gate([{**setting, "loss": round(plain["finds"], 3)}], repetitions)
        yield {key: found[key] for key in ("grid", "images", "mean")} | {
            "": found[""],
            "printed": 0.8,
            "found": found["regression"],
            "coverage": found["coverage"],
        }


def large(repetitions: int) -> Iterator[dict[str, Any]]:
    """4,000 cells with two images: a true loss of about the margin of 2 points never passes."""
    for loss in (0.015, 0.02, 0.025):
        rng = np.random.default_rng(0)
        counts = {"pass": 0, "lost, within the margin": 0, "regression": 0, "underpowered": 0}
        runs = max(20, repetitions // 5)
        for _ in range(runs):
            rate = rates(rng, 4000, 0.95, 0.3)
            before, after = (rng.binomial(2, one) / 2 for one in (rate, rate * (1 - loss / 0.95)))
            one = flip_test(after - before, rng, images=2, flips=999)
            change = after.mean() - before.mean()
            if one.p <= ALPHA and change < 0:
                name = "regression" if change <= -MARGIN else "lost, within the margin"
            else:
                name = "pass" if one.low > -MARGIN else "underpowered"
            counts[name] += 1
        yield {"true loss": loss, **{name: count / runs for name, count in counts.items()}}


TABLES = {
    one.__name__: one
    for one in (shares, gaps, edge, measured, unchanged, retrained, lost, printed, large)
}


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """A table; shares with three digits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [row.get(name, "") for name in names]
        lines.append(
            "| "
            + " | ".join(f"{one:.3f}" if isinstance(one, float) else str(one) for one in cells)
            + " |"
        )
    return "\n".join(lines)


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(TABLES)))
@click.option("--repetitions", type=click.IntRange(2), default=400, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), metavar="FILE")
def main(names: tuple[str, ...], repetitions: int, out: Path | None) -> None:
    """Run the tables."""
    found = {}
    for name in names or TABLES:
        start = time.monotonic()
        found[name] = list(TABLES[name](repetitions))
        click.echo(f"\n{TABLES[name].__doc__}\n\n{as_markdown(found[name])}")
        click.echo(f"{name}: {time.monotonic() - start:.0f} s", err=True)
    if out is not None:
        out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
