"""How well a bundled model draws what it is asked for, apart from the colour.

``python -m reference_models.evaluate`` samples single prompts, has the classifier name the
subjects, and prints the share that is right, for bare names, seen pairs and novel pairs, as JSON.
"""

from __future__ import annotations

import json

import click
import torch

from prompts import build_grid
from prompts.cells import Sample
from prompts.grid import with_familiarity
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES
from reference_models.classifier import load_classifier, subjects_in
from reference_models.local import LocalModel
from reference_models.sampling import Settings
from reference_models.weights import find_weights


def subject_accuracy(
    model: LocalModel, manifest: TrainingManifest, seeds: int, settings: Settings | None = None
) -> dict[str, dict[str, float]]:
    """Share of single prompts whose subject the classifier names right, by kind of cell."""
    grid = with_familiarity(
        build_grid("default", templates=["single", "control"], seeds=seeds), manifest
    )
    cells = [c for c in grid.cells if len(c.bindings) == 1 and not c.scenery]
    # Other images than those of a run: indices that no run reaches.
    samples = [Sample(cell, 10_000 + k) for k in range(seeds) for cell in cells]
    pictures, _ = model.draw([s.cell.text for s in samples], [s.seed for s in samples], settings)
    named = subjects_in(pictures, load_classifier())
    true = torch.tensor([SUBJECT_NAMES.index(s.cell.bindings[0].subject) for s in samples])
    right = named == true
    result = {}
    for kind in ("control", "seen", "novel", "canonical", "anti-canonical"):
        rows = torch.tensor([kind in s.cell.tags for s in samples])
        if kind != "control":
            rows &= torch.tensor(["single" in s.cell.tags for s in samples])
        if rows.any():
            result[kind] = {"right": float(right[rows].float().mean()), "images": int(rows.sum())}
    return result


@click.command()
@click.option("--model", "name", default="local", help="Name of a model of the family.")
@click.option("--seeds", default=4, help="Images a prompt.")
def main(name: str, seeds: int) -> None:
    """Print the classifier's word on a model's subjects."""
    weights = find_weights(name)
    manifest = TrainingManifest.load(weights.with_name(f"{weights.stem}.manifest.json"))
    click.echo(json.dumps(subject_accuracy(LocalModel(weights), manifest, seeds), indent=1))


if __name__ == "__main__":
    main()
