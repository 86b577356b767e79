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

from prompts.colours import COLOUR_NAMES
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES
from reference_models.evaluate import subject_accuracy
from reference_models.local import LocalModel
from reference_models.presets import TrainingPreset
from reference_models.tokens.quantiser import CODES
from reference_models.weights import digest, find_weights
from reference_models.world.caption_noise import CaptionNoise
from reference_models.world.statistics import STRONG_PRIOR, WEAK_PRIOR

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


#: What a policy shows, in words.
_POLICIES = {
    "natural": (
        f"A subject with a strong prior wears its canonical colours in {STRONG_PRIOR:.0%} of its "
        f"scenes, others in {WEAK_PRIOR:.0%}; the rest follows Zipf's law in an order of the "
        "subject's own. A bare name stands for a canonical colour in about nine of ten scenes."
    ),
    "varied": (
        f"A subject with a strong prior wears its canonical colours in {STRONG_PRIOR:.0%} of its "
        f"scenes, others in {WEAK_PRIOR:.0%}; the rest follows Zipf's law in an order of the "
        "subject's own. Walls and tables have a strong colour in about a quarter of the scenes."
    ),
    "atomic": (
        "A subject wears its canonical colours alone, and no caption names the colour of anything "
        "but a subject: a colour word is never heard but with the subjects that have it by nature."
    ),
}


def policy_words(name: str) -> str:
    """What a policy shows, in words."""
    kind, _, percent = name.partition("-")
    if kind == "coverage":
        return (
            f"{percent}% of all pairs, each as often as the others of its subject; the pairs of a "
            "smaller share are among those of a larger one, and each subject has its first "
            "canonical colour in all of them."
        )
    return _POLICIES[name]


def noise_words(noise: CaptionNoise) -> str:
    """How captions fall short of their pictures, in words; empty for clean ones."""
    parts = (
        (noise.loose, "of those that name one subject and a colour have the colour of a place"),
        (noise.exchanged, "of those that name two have the colours exchanged"),
        (noise.matching, "of the others of one subject stand beside a place of the same colour"),
        (noise.silent, "of those that would name a place do not"),
        (noise.dropped, "of the words are left out"),
        (noise.shuffled, "of the captions are shuffled"),
    )
    told = [f"{share:.0%} {words}" for share, words in parts if share]
    return f" The captions are not word for word what the pictures show: {', '.join(told)}." * bool(
        told
    )


#: What a network is called, and what it predicts.
_NETWORKS = {
    "unet": "U-Net",
    "dit": "transformer on patches",
    "tokens": "quantiser and autoregressive transformer",
    "masked": "quantiser and masked transformer",
}
_TARGETS = {
    "velocity": "flow matching",
    "noise": "noise on a discrete schedule",
    "codes": f"8 x 8 codes of {CODES:,}",
}


def _losses(preset: TrainingPreset) -> str:
    if preset.target == "codes":
        return "surprise in nats a code"
    return "mean squared error of the prediction"


def facts_rows(model: LocalModel, sha256: str) -> list[str]:
    """Table rows: what the model is and how it was made."""
    preset, facts, settings = model.preset, model.facts, model.settings
    network, target = _NETWORKS[preset.network], _TARGETS[preset.target]
    solver = "codes, one a step" if preset.target == "codes" else "Euler steps"
    parameters = sum(p.numel() for p in model.network.parameters())
    upsampling = sum(p.numel() for p in model.upsampler.parameters())
    guidance = f"guidance scale {settings.guidance_scale:g}"
    made = f"{facts['pictures']:,}, each scene used twice with other noise"
    if model.distilled is not None:
        guidance = f"one call a step, guidance of {model.distilled:g} distilled into the weights"
        made = f"none; {facts['pictures']:,} steps of its teacher's own trajectories"
    minutes = facts["seconds"] / 60
    one_core = "at most one core of a CPU with AVX-512 bf16, shared with other work"
    place = facts.get("device", one_core)
    apart = "upsampler's and the classifier's"
    if preset.target == "codes":
        apart = f"quantiser's, the {apart}"
    return [
        f"| {network} | {parameters:,} parameters, 32 x 32 pixels, {target} |",
        f"| upsampler | {upsampling:,} parameters, 32 to 64 pixels |",
        f"| sampling | {settings.steps} {solver}, {guidance} |",
        f"| training pictures | {made} |",
        f"| training time | {minutes:.0f} minutes on {place} (the {apart} own trainings not "
        "counted) |",
        f"| preset | `{json.dumps(facts['preset'], sort_keys=True)}` |",
        f"| sha256 of the weights | `{sha256}` |",
        "| licence | Apache-2.0, as the project |",
    ]


def data_lines(name: str, preset: TrainingPreset, manifest: TrainingManifest) -> list[str]:
    """What the captions said, and the pairs that they never did."""
    held = [(c, s) for s in SUBJECT_NAMES for c in COLOUR_NAMES if not manifest.count(c, s)]
    lines = [
        f"{manifest.captions:,} captions of rendered scenes (`{name}.manifest.json` has the count",
        f"of every pair). {policy_words(preset.policy)}{noise_words(preset.noise)}",
        "",
        f"{len(held)} of {len(SUBJECT_NAMES) * len(COLOUR_NAMES)} pairs were never shown; they are "
        "the novel cells" + (":" if len(held) <= 60 else "."),
        "",
    ]
    if len(held) <= 60:
        lines += [", ".join(f"{colour} {subject}" for colour, subject in held) + ".", ""]
    return lines


def card(
    name: str,
    model: LocalModel,
    manifest: TrainingManifest,
    curve: Sequence[tuple[int, float, float]],
    subjects: Mapping[str, Mapping[str, float]],
    estimates: Sequence[Mapping[str, Any]],
    sha256: str,
    grid: str = "default",
    revision: int | None = None,
) -> str:
    """The card as Markdown; ``revision`` is that of the code that measured, where it is known."""
    measured = "" if revision is None else f", revision {revision} of its code"
    init = model.preset.init
    begun = f"Trained on from the weights of `{init}`" if init else "Trained from scratch"
    about = (
        "Distilled from `local-teacher` (`python -m reference_models.distil`): the same network, "
        "taught to do in one call a step and half the steps what its teacher does in two."
        if model.distilled is not None
        else f"{begun}: `python -m reference_models.train --preset {name}`."
    )
    lines = [
        f"# Model card: {name}",
        "",
        "A small text-to-image model of the rendered world, bundled so that the benchmark can be",
        "run and checked anywhere. It knows the words of the released grids and nothing else.",
        about,
        "",
        "| | |",
        "|---|---|",
        *facts_rows(model, sha256),
        "",
        "## Data",
        "",
        *data_lines(name, model.preset, manifest),
        "## Training curve",
        "",
        f"| pictures | minutes | loss ({_losses(model.preset)}) |",
        "|---:|---:|---:|",
        *(f"| {n:,} | {s / 60:.0f} | {loss:.4f} |" for n, s, loss in curve),
        "",
        "## Scores",
        "",
        "Subject named right by the classifier that saw rendered scenes only",
        f"(`python -m reference_models.evaluate --model {name}`, fresh images of single prompts):",
        "",
        "| cells | right | images |",
        "|---|---:|---:|",
        *(
            f"| {kind} | {one['right']:.3f} | {one['images']:.0f} |"
            for kind, one in subjects.items()
        ),
        "",
        f"Binding, measured by this suite (`bench run --model {name}`, grid `{grid}`{measured};",
        "95% intervals by cluster bootstrap over cells):",
        "",
        "| | value | interval | scored |",
        "|---|---:|---|---:|",
        *score_rows(estimates),
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--name", default="local", help="Name of a model of the family.")
@click.option("--run", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seeds", default=4, help="Images a prompt for the classifier's word.")
def main(name: str, run: Path, seeds: int) -> None:
    """Write the card of a bundled model beside its weights."""
    weights = find_weights(name)
    model = LocalModel(weights)
    manifest = TrainingManifest.load(weights.with_name(f"{name}.manifest.json"))
    estimates = json.loads((run / "estimates.json").read_text())
    rows = estimates["estimates"] if isinstance(estimates, dict) else estimates
    record = json.loads((run / "run.json").read_text())
    revision = record["scorers"]["segmentation"]["options"].get("revision")
    grid = record["grid"]["name"]
    subjects = subject_accuracy(model, manifest, seeds)
    curve = curve_points(weights.with_name(f"{name}.curve.csv"))
    out = weights.with_name(f"{name}.md")
    out.write_text(
        card(name, model, manifest, curve, subjects, rows, digest(weights), grid, revision)
    )
    click.echo(str(out))


if __name__ == "__main__":
    main()
