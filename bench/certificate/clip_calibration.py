"""Measure the constants of the bundled CLIP: ``python -m bench.certificate.clip_calibration``.

Presence is a logistic regression on known scenes whose seed no other part of the project uses; its
weights go into the file that lies beside the bundled weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from bench.judge.clip.model import Clip

SEED = 70_000
#: Weight of the squared coefficients beside the mean log loss.
RIDGE = 1e-5


def logistic_fit(measures: np.ndarray, found: np.ndarray) -> tuple[float, ...]:
    """Intercept and weights of a logistic regression.

    Parameters
    ----------
    measures : ndarray (N, M)
    found : ndarray (N,)
        1 where the subject is there, 0 where it is not.
    """
    ones = np.column_stack([np.ones(len(measures)), measures])
    sign = 2 * found - 1

    def loss(weights: np.ndarray) -> float:
        margins = sign * (ones @ weights)
        return float(np.logaddexp(0, -margins).mean() + RIDGE * (weights[1:] ** 2).sum())

    fitted = minimize(loss, np.zeros(ones.shape[1])).x
    return tuple(round(float(weight), 3) for weight in fitted)


def fit_presence(clip: Clip, scenes: int, seed: int = SEED) -> tuple[float, ...]:
    """Weights of presence for a CLIP of the rendered world."""
    from bench.certificate.scenes import known_answers
    from bench.judge.regions.classes import nouns_of
    from bench.judge.regions.dense_clip import EvidenceOptions, presence_measures, word_maps

    answers = [a for a in known_answers(scenes, seed) if a.verdicts[0] != "invalid"]
    nouns = [nouns_of(a.generation.sample.cell, clip.closed) for a in answers]
    seen = word_maps(clip, [a.generation.image for a in answers], nouns, EvidenceOptions())
    measures = np.concatenate([presence_measures(one).numpy() for one in seen])
    found = np.concatenate([a.regions.found for a in answers])
    return logistic_fit(measures, found)


@click.command()
@click.option("--scenes", default=600, show_default=True)
def main(scenes: int) -> None:
    """Fit presence and write it beside the bundled weights."""
    from bench.judge.clip import load_clip
    from bench.judge.regions.dense_clip import EvidenceOptions
    from reference_models.clip.towers import FOLDER

    path = Path(FOLDER) / "calibration.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    weights = fit_presence(load_clip("bundled"), scenes)
    facts["evidence"] = {**asdict(EvidenceOptions()), "presence": list(weights)}
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    click.echo(f"presence {weights}; written to {path}", err=True)


if __name__ == "__main__":
    main()
