"""Results of a run for experiment trackers: Weights & Biases, MLflow, TensorBoard.

Each gets the same: the estimates as numbers, what made them, the verdicts as a table, and a few
pictures of every verdict with its words. Where they go is said in each tracker's own manner
(``WANDB_PROJECT``, ``WANDB_MODE``, ``MLFLOW_TRACKING_URI``, ``TENSORBOARD_LOGDIR``).
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UsageError
from bench.records import Estimate
from bench.statistics.labels import HEADLINES, KIND_LABELS, with_of_k
from bench.store.derived import read_verdicts
from bench.store.run import Run

#: Name of the project or experiment, where the environment names none.
PROJECT = "binding-bench"
#: Pictures of each verdict.
PICTURES = 4
#: Columns of the table, and at most so many rows of it.
COLUMNS = ("sample_id", "cell_id", "colour", "subject", "verdict", "words", "bind", "leak_excess")
ROWS = 10_000
ROWS_OF_TEXT = 200

#: A picture, uint8 (H, W, 3), and its caption.
Shown = tuple[np.ndarray, str]


def require_tracker(name: str) -> None:
    """Refuse a tracker that is not installed, before anything that takes time.

    Raises
    ------
    UsageError
        With the command that installs it.
    """
    if importlib.util.find_spec(name) is None:
        raise UsageError(
            f"--log {name} needs the library {name}: pip install 'binding-bench[{name}]'"
        )


def log_run(run: Run, estimates: Sequence[Estimate], tracker: str) -> None:
    """Hand the results of a run to a tracker.

    Parameters
    ----------
    run : Run
        Finished, with its derived files.
    estimates : sequence of Estimate
    tracker : str
        One of `TRACKERS`.

    Raises
    ------
    UsageError
        It is not installed, or cannot be reached; the run itself is stored all the same.
    """
    require_tracker(tracker)
    verdicts = read_verdicts(run).sort_values(["sample_id", "binding"], ignore_index=True)
    try:
        # What trackers say of themselves is no part of a command's output.
        with contextlib.redirect_stdout(sys.stderr):
            TRACKERS[tracker](run, numbers_of(estimates), verdicts)
    except Exception as error:
        first = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(
            f"{tracker} does not take the results ({first}); the run is stored, and "
            f"`bench show {run.folder} --log {tracker}` tries again"
        ) from error


def numbers_of(estimates: Sequence[Estimate]) -> dict[str, float]:
    """Return the numbers of a summary, with their intervals; what was not measured is left out."""
    by_place = {(one.metric, one.group): one for one in estimates}
    wanted = [(name, "all") for name in with_of_k(HEADLINES, (m for m, _ in by_place))]
    wanted += [("binding_score", f"tag:{tag}") for tag in (*KIND_LABELS, "seen", "novel")]
    found: dict[str, float] = {}
    for metric, group in wanted:
        one = by_place.get((metric, group))
        if one is None or math.isnan(one.value):
            continue
        name = metric if group == "all" else f"{metric}_{group.removeprefix('tag:')}"
        found[name] = one.value
        if one.low is not None and one.high is not None:
            found[f"{name}_low"], found[f"{name}_high"] = one.low, one.high
    return found


def settings_of(run: Run) -> dict[str, Any]:
    """Return what made the run, flat: names, hashes and numbers."""
    manifest = run.manifest
    return {
        "run": manifest.name,
        "run_id": manifest.id,
        "model": manifest.sampler.name,
        "weights": manifest.sampler.weights,
        "grid": manifest.grid.name,
        "grid_hash": manifest.grid.hash,
        "seeds": manifest.seeds,
        "images": manifest.images,
        "segmenter": manifest.segmenter.name,
        "scorers": ", ".join(manifest.scorers),
        "suite": manifest.suite,
    }


def pictures_of(run: Run, verdicts: pd.DataFrame) -> Iterator[Shown]:
    """Yield the first pictures of every verdict, with prompt, verdict and words."""
    some = verdicts.groupby("verdict", sort=True).head(PICTURES).drop_duplicates("sample_id")
    rows = some.set_index("sample_id")
    for generations in run.generations(set(rows.index), 16):
        for one in generations:
            row = rows.loc[one.sample.id]
            yield one.image, f"{one.sample.cell.text}: {row['verdict']}, {row['words']}"


def _table(verdicts: pd.DataFrame, rows: int = ROWS) -> pd.DataFrame:
    return verdicts[list(COLUMNS)].head(rows)


def _wandb(run: Run, numbers: dict[str, float], verdicts: pd.DataFrame) -> None:
    import wandb

    project = os.environ.get("WANDB_PROJECT", PROJECT)
    with wandb.init(project=project, name=run.manifest.name, config=settings_of(run)) as logged:
        images = [wandb.Image(image, caption=text) for image, text in pictures_of(run, verdicts)]
        table = wandb.Table(dataframe=_table(verdicts))
        logged.log({**numbers, "pictures": images, "verdicts": table})


def _mlflow(run: Run, numbers: dict[str, float], verdicts: pd.DataFrame) -> None:
    import mlflow

    # The extra is MLflow's small package, whose own default asks for a library that it lacks.
    if mlflow.get_tracking_uri().startswith("sqlite") and not importlib.util.find_spec(
        "sqlalchemy"
    ):
        raise UsageError(
            "no server is named: set MLFLOW_TRACKING_URI=http://..., or `pip install mlflow` for a "
            "database on this machine"
        )
    if not os.environ.keys() & {"MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"}:
        mlflow.set_experiment(PROJECT)
    with mlflow.start_run(run_name=run.manifest.name):
        mlflow.log_params(settings_of(run))
        mlflow.log_metrics(numbers)
        mlflow.log_text(_table(verdicts).to_csv(index=False), "verdicts.csv")
        captions = []
        for number, (image, text) in enumerate(pictures_of(run, verdicts)):
            name = f"pictures/{number:03d}.png"
            mlflow.log_image(image, name)
            captions.append(f"{name}\t{text}\n")
        mlflow.log_text("".join(captions), "captions.tsv")


def _tensorboard(run: Run, numbers: dict[str, float], verdicts: pd.DataFrame) -> None:
    from torch.utils.tensorboard import SummaryWriter

    folder = os.environ.get("TENSORBOARD_LOGDIR", "tensorboard")
    with SummaryWriter(os.path.join(folder, run.manifest.name)) as writer:
        for name, value in numbers.items():
            writer.add_scalar(f"binding/{name}", value, 0)
        # Four spaces: text as it stands, in Markdown.
        lines = "".join(f"    {key}: {value}\n" for key, value in settings_of(run).items())
        writer.add_text("settings", lines, 0)
        rows = _table(verdicts, ROWS_OF_TEXT).to_csv(index=False).splitlines()
        writer.add_text("verdicts", "".join(f"    {row}\n" for row in rows), 0)
        for image, text in pictures_of(run, verdicts):
            writer.add_image(text[:120], image, 0, dataformats="HWC")


TRACKERS: dict[str, Callable[[Run, dict[str, float], pd.DataFrame], None]] = {
    "wandb": _wandb,
    "mlflow": _mlflow,
    "tensorboard": _tensorboard,
}
