"""What the gate promises, simulated: tables of ``python -m benchmarks.statistics``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from bench.gate.decide import decide
from bench.statistics.paired import flip_test
from bench.statistics.simulation import rates
from prompts.grids import make_grid

ALPHA, MARGIN = 0.05, 0.02
OTHERS = np.array(["mixed", "prior", "neighbour", "background", "wrong"])


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
