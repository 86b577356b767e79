"""The runs of the study: made where they are not finished, trained where weights are missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from reference_models.errors import ModelError
from reference_models.study.plan import Experiment
from reference_models.weights import digest, find_weights

#: Members that are no training of this trainer: always there.
GIVEN = ("local-sd",)


def weights_of(member: str, seed: int | None = None) -> str | None:
    """SHA-256 of a member's weights; empty for a pipeline's folder, None where there are none."""
    if member in GIVEN:
        return ""
    try:
        return digest(find_weights(member, seed))
    except ModelError:
        return None


def train(member: str, seed: int | None) -> None:
    """Train a member into ``training/``; goes on from a checkpoint that is there."""
    command = [sys.executable, "-m", "reference_models.train", "--preset", member]
    command += [] if seed is None else ["--seed", str(seed)]
    subprocess.run(command, check=True)


def folder_of(experiment: Experiment, out: Path, weights: str) -> Path:
    """Folder of a run: other weights get another one."""
    return out / "-".join(part for part in ("study", experiment.name, weights[:8]) if part)


def record_of(folder: Path) -> dict[str, Any] | None:
    """``run.json`` of a finished run; None where there is none."""
    path = folder / "run.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return record if record.get("finished") else None


def run(experiment: Experiment, folder: Path) -> None:
    """Run the suite; goes on where it was stopped."""
    command = [sys.executable, "-m", "bench", "run", "--model", experiment.argument]
    command += ["--segmenter", "auto", "--scorer", "segmentation"]
    command += ["--out", str(folder.parent), "--name", folder.name]
    subprocess.run([*command, *experiment.options], check=True, stdout=subprocess.DEVNULL)
