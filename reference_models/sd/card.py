"""The card of the small Stable Diffusion: ``python -m reference_models.sd.card --run RUN``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from prompts import build_grid
from prompts.grid import with_familiarity
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES
from reference_models.card import curve_points, score_rows
from reference_models.classifier import load_classifier, subjects_in
from reference_models.sd import FOLDER, GUIDANCE_SCALE, STEPS
from reference_models.weights import digest

_PARTS = (
    ("autoencoder", "vae/diffusion_pytorch_model.safetensors"),
    ("U-Net", "unet/diffusion_pytorch_model.safetensors"),
    ("text encoder", "text_encoder/model.safetensors"),
)


def named_right(pipeline: Any, manifest: TrainingManifest) -> dict[str, tuple[float, int]]:
    """Share of single prompts whose subject the classifier names right, and the images, by kind."""
    grid = with_familiarity(
        build_grid("default", templates=["single", "control"], seeds=1), manifest
    )
    cells = [c for c in grid.cells if len(c.bindings) == 1 and not c.scenery]
    right = []
    for start in range(0, len(cells), 32):
        part = cells[start : start + 32]
        # Other seeds than those of a run.
        generators = [torch.Generator().manual_seed(start + k) for k in range(len(part))]
        images = pipeline(
            [c.text for c in part],
            generator=generators,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE_SCALE,
            output_type="np",
        ).images
        pictures = torch.from_numpy((images * 255).round().astype(np.uint8))
        true = torch.tensor([SUBJECT_NAMES.index(c.bindings[0].subject) for c in part])
        right += (subjects_in(pictures, load_classifier()) == true).tolist()
    found = {}
    for kind in ("control", "seen", "novel"):
        rows = [r for r, c in zip(right, cells, strict=True) if kind in c.tags]
        if rows:
            found[kind] = (sum(rows) / len(rows), len(rows))
    return found


def card(
    folder: Path,
    parameters: Mapping[str, int],
    subjects: Mapping[str, tuple[float, int]],
    estimates: Sequence[Mapping[str, Any]],
) -> str:
    """The card as Markdown."""
    manifest = TrainingManifest.load(folder / "captions.json")
    curve = curve_points(folder / "curve.csv")
    pictures, seconds, _ = curve[-1]
    lines = [
        "# Model card: local-sd",
        "",
        "A Stable Diffusion in small, trained from scratch on the rendered world: the autoencoder,",
        "U-Net, CLIP text encoder and tokenizer classes of diffusers and transformers, in the",
        "folder that `StableDiffusionPipeline.save_pretrained` writes. It knows the words of the",
        "released grids and nothing else.",
        "",
        "| | |",
        "|---|---|",
        *(
            f"| {name} | {parameters[name]:,} parameters, "
            f"sha256 `{digest(folder / path)[:16]}...` |"
            for name, path in _PARTS
        ),
        "| latents | 4 x 16 x 16 for 3 x 64 x 64 pixels |",
        f"| sampling | DDIM, v-prediction, {STEPS} steps, guidance scale {GUIDANCE_SCALE:g} |",
        f"| training | {pictures:,} pictures, {seconds / 60:.0f} minutes on a shared core of a CPU "
        "with AMX, after the autoencoder's 6 minutes; `python -m reference_models.sd.train` |",
        f"| captions | {manifest.captions:,} (`captions.json` counts the pairs) |",
        "| licence | Apache-2.0, as the project |",
        "",
        "The captions have the statistics of `local`, with the same pairs never shown.",
        "",
        "## Training curve",
        "",
        "| pictures | minutes | loss (mean squared error of v) |",
        "|---:|---:|---:|",
        *(f"| {n:,} | {s / 60:.0f} | {loss:.4f} |" for n, s, loss in curve),
        "",
        "## Scores",
        "",
        "Subject named right by the classifier that saw rendered scenes only, single prompts:",
        "",
        "| cells | right | images |",
        "|---|---:|---:|",
        *(f"| {kind} | {share:.3f} | {n} |" for kind, (share, n) in subjects.items()),
        "",
        "Binding, measured by this suite (`bench run --model local-sd`, 95% intervals by cluster",
        "bootstrap over cells):",
        "",
        "| | value | interval | scored |",
        "|---|---:|---|---:|",
        *score_rows(estimates),
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--run", type=click.Path(path_type=Path, exists=True), required=True)
def main(run: Path) -> None:
    """Write the card of the bundled pipeline beside its weights."""
    from diffusers import StableDiffusionPipeline

    pipeline: Any = StableDiffusionPipeline.from_pretrained(FOLDER, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    parts = (pipeline.vae, pipeline.unet, pipeline.text_encoder)
    parameters = {
        name: sum(p.numel() for p in part.parameters())
        for (name, _), part in zip(_PARTS, parts, strict=True)
    }
    estimates = json.loads((run / "estimates.json").read_text())
    rows = estimates["estimates"] if isinstance(estimates, dict) else estimates
    manifest = TrainingManifest.load(FOLDER / "captions.json")
    out = FOLDER / "README.md"
    out.write_text(card(FOLDER, parameters, named_right(pipeline, manifest), rows))
    click.echo(str(out))


if __name__ == "__main__":
    main()
