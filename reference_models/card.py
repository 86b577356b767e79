"""The model card: what a bundled model is, what it saw, how it was trained, and its scores.

``python -m reference_models.card --run RUN`` writes ``weights/local.md`` from the weight file, its
manifest, its training curve, the classifier's word, and the estimates of a run of the suite.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES
from reference_models.evaluate import subject_accuracy
from reference_models.local import LocalModel, Settings
from reference_models.weights import FOLDER, digest
from reference_models.world.statistics import STRONG_PRIOR, WEAK_PRIOR, held_out_pairs

#: Metric of estimates.json, group, and what the card calls it.
_ROWS = (
    ("binding_score", "all", "binding score, all cells"),
    ("binding_score", "tag:seen", "binding score, cells whose pair was seen"),
    ("binding_score", "tag:novel", "binding score, cells whose pair was never shown"),
    ("binding_score", "tag:canonical", "binding score, canonical"),
    ("binding_score", "tag:anti-canonical", "binding score, anti-canonical"),
    ("binding_score", "tag:single+seen", "binding score, single, seen"),
    ("binding_score", "tag:single+novel", "binding score, single, novel"),
    ("binding_score", "tag:distractor+seen", "binding score, distractor, seen"),
    ("binding_score", "tag:distractor+novel", "binding score, distractor, novel"),
    ("binding_score", "tag:pair+seen", "binding score, pair, seen"),
    ("binding_score", "tag:pair+novel", "binding score, pair, novel"),
    ("leakage_rate", "all", "leakage rate, all cells"),
)


def curve_points(path: Path, most: int = 12) -> list[tuple[int, float, float]]:
    """Pictures, seconds and loss at up to ``most`` moments of a training."""
    with path.open(newline="") as file:
        rows = [(int(a), float(b), float(c)) for a, b, c in csv.reader(file)]
    if len(rows) <= most:
        return rows
    return [rows[round(k * (len(rows) - 1) / (most - 1))] for k in range(most)]


def score_rows(estimates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Table rows for the estimates that the card shows."""
    found = {(e["metric"], e["group"]): e for e in estimates}
    rows = []
    for metric, group, words in _ROWS:
        e = found.get((metric, group))
        if e is None or e["value"] is None:
            continue
        interval = "none" if e["low"] is None else f"{e['low']:.3f} to {e['high']:.3f}"
        rows.append(f"| {words} | {e['value']:.3f} | {interval} | {e['scored']} of {e['images']} |")
    return rows


def card(
    name: str,
    model: LocalModel,
    manifest: TrainingManifest,
    curve: Sequence[tuple[int, float, float]],
    subjects: Mapping[str, Mapping[str, float]],
    estimates: Sequence[Mapping[str, Any]],
    sha256: str,
) -> str:
    """The card as Markdown."""
    settings = Settings()
    parameters = sum(p.numel() for p in model.unet.parameters())
    upsampling = sum(p.numel() for p in model.upsampler.parameters())
    facts = model.facts
    held = sorted(held_out_pairs(), key=lambda pair: (SUBJECT_NAMES.index(pair[1]), pair[0]))
    lines = [
        f"# Model card: {name}",
        "",
        "A small text-to-image model trained from scratch on the rendered world, bundled so that",
        "the benchmark can be run and checked anywhere. It knows the words of the released grids",
        "and nothing else.",
        "",
        "| | |",
        "|---|---|",
        f"| U-Net | {parameters:,} parameters, 32 x 32 pixels, flow matching |",
        f"| upsampler | {upsampling:,} parameters, 32 to 64 pixels |",
        f"| sampling | {settings.steps} Euler steps, guidance scale {settings.guidance_scale:g} |",
        f"| training pictures | {facts['pictures']:,}, each scene used twice with other noise |",
        f"| training time | {facts['seconds'] / 60:.0f} minutes on one core of a CPU with "
        "AVX-512 bf16 (the upsampler's and the classifier's own trainings not counted) |",
        f"| preset | `{json.dumps(facts['preset'], sort_keys=True)}` |",
        f"| sha256 of the weights | `{sha256}` |",
        "| licence | Apache-2.0, as the project |",
        "",
        "## Data",
        "",
        f"{manifest.captions:,} captions of rendered scenes (`{name}.manifest.json` has the count",
        "of every pair). A subject with a strong prior wears its canonical colours in "
        f"{STRONG_PRIOR:.0%} of its",
        f"scenes, others in {WEAK_PRIOR:.0%}; the rest follows Zipf's law in an order of the",
        "subject's own. A bare name stands for a canonical colour in about nine of ten scenes.",
        "",
        f"{len(held)} pairs were never shown; they are the novel cells:",
        "",
        ", ".join(f"{colour} {subject}" for colour, subject in held) + ".",
        "",
        "## Training curve",
        "",
        "| pictures | minutes | loss (mean squared error of the velocity) |",
        "|---:|---:|---:|",
        *(f"| {n:,} | {s / 60:.0f} | {loss:.4f} |" for n, s, loss in curve),
        "",
        "## Scores",
        "",
        "Subject named right by the classifier that saw rendered scenes only",
        "(`python -m reference_models.evaluate`, fresh images of single prompts):",
        "",
        "| cells | right | images |",
        "|---|---:|---:|",
        *(
            f"| {kind} | {one['right']:.3f} | {one['images']:.0f} |"
            for kind, one in subjects.items()
        ),
        "",
        "Binding, measured by this suite (`bench run --model local`, preset `default`, 95%",
        "intervals by cluster bootstrap over cells):",
        "",
        "| | value | interval | scored |",
        "|---|---:|---|---:|",
        *score_rows(estimates),
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--name", default="local")
@click.option("--run", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seeds", default=4, help="Images a prompt for the classifier's word.")
def main(name: str, run: Path, seeds: int) -> None:
    """Write the card of a bundled model beside its weights."""
    weights = FOLDER / f"{name}.safetensors"
    model = LocalModel(weights)
    manifest = TrainingManifest.load(FOLDER / f"{name}.manifest.json")
    estimates = json.loads((run / "estimates.json").read_text())
    rows = estimates["estimates"] if isinstance(estimates, dict) else estimates
    subjects = subject_accuracy(model, manifest, seeds, Settings())
    curve = curve_points(FOLDER / f"{name}.curve.csv")
    out = FOLDER / f"{name}.md"
    out.write_text(card(name, model, manifest, curve, subjects, rows, digest(weights)))
    click.echo(str(out))


if __name__ == "__main__":
    main()
