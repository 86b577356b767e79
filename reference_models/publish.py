"""From the folder of a training to the files that are bundled: weights and manifest."""

from __future__ import annotations

from pathlib import Path

import click
import torch
from torch import Tensor

from prompts.manifest import TrainingManifest
from reference_models.presets import TrainingPreset
from reference_models.weights import FOLDER, digest, find_weights, read_weights, write_weights


def blended(tensors: dict[str, Tensor], preset: TrainingPreset) -> dict[str, Tensor]:
    """Trained weights moved back towards those that the training began with."""
    if preset.blend == 1:
        return tensors
    old, _ = read_weights(find_weights(preset.init))
    return {name: torch.lerp(old[name], t, preset.blend) for name, t in tensors.items()}


def publish(training: Path, name: str, folder: Path | None = None) -> Path:
    """Write ``NAME.safetensors``, ``NAME.manifest.json`` and ``NAME.curve.csv``.

    Parameters
    ----------
    training : Path
        Folder with ``checkpoint.safetensors``, ``upsampler.safetensors`` and ``log.csv``.
    name : str
        Of the preset.
    folder : Path, optional
        Where to write; the training's own folder by default.
    """
    folder = folder or training
    tensors, facts = read_weights(training / "checkpoint.safetensors")
    upsampler, _ = read_weights(training / "upsampler.safetensors")
    network = facts["preset"]["network"]
    whole = {
        f"{network}.{n.removeprefix('ema.')}": t for n, t in tensors.items() if n.startswith("ema.")
    }
    whole = blended(whole, TrainingPreset(**facts["preset"]))
    whole |= {f"upsampler.{n}": t for n, t in upsampler.items()}
    out = folder / f"{name}.safetensors"
    kept = {
        "preset": facts["preset"],
        "pictures": facts["step"] * facts["preset"]["batch"],
        "seconds": round(facts["seconds"]),
    }
    if "distilled" in facts:
        kept["distilled"] = facts["distilled"]
    write_weights(out, whole, kept)
    TrainingManifest.from_json(facts["seen"]).save(folder / f"{name}.manifest.json")
    (folder / f"{name}.curve.csv").write_bytes((training / "log.csv").read_bytes())
    return out


@click.command()
@click.option("--training", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--name", required=True, help="Of the model.")
def main(training: Path, name: str) -> None:
    """Put a training's weights and manifest into the package."""
    out = publish(training, name, FOLDER)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, sha256 {digest(out)}")


if __name__ == "__main__":
    main()
