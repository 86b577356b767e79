"""Write a model of the family as a pipeline folder: ``python -m reference_models.export DIR``.

The folder is what ``save_pretrained`` of diffusers writes: a configuration and a safetensors file a
component, and ``model_index.json``, which names classes of this installed package.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch

from prompts.manifest import TrainingManifest
from reference_models import sd
from reference_models.errors import ModelError
from reference_models.local import LocalModel
from reference_models.pipeline import LocalNetwork, LocalPipeline, LocalUpsampler
from reference_models.weights import find_weights


def export(folder: Path, weights: Path) -> Any:
    """Write the pipeline folder of a weight file, in half precision as the file itself.

    Raises
    ------
    ModelError
        A weight file that is missing or damaged, or a folder that has something in it.
    """
    _require_empty(folder)
    model = LocalModel(weights, dtype=torch.float32)
    network = LocalNetwork(asdict(model.preset), model.distilled)
    network.network.load_state_dict(model.network.state_dict())
    upsampler = LocalUpsampler()
    upsampler.upsampler.load_state_dict(model.upsampler.state_dict())
    pipeline: Any = LocalPipeline(network.half(), upsampler.half())
    manifest = weights.with_name(f"{weights.stem}.manifest.json")
    if manifest.is_file():
        pipeline.captions = TrainingManifest.load(manifest)
    pipeline.save_pretrained(folder, safe_serialization=True)
    return pipeline


def _require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty; choose another folder")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", default="local", show_default=True, help="Model of the family.")
def main(folder: Path, name: str) -> None:
    """Write a bundled model as a pipeline folder of diffusers."""
    try:
        if name == "local-sd":
            _require_empty(folder)
            shutil.copytree(sd.FOLDER, folder, dirs_exist_ok=True)
        else:
            export(folder, find_weights(name))
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(folder))


if __name__ == "__main__":
    main()
