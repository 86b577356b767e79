"""Where the bundled CLIP's files are: the adapter to the reference models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class BundledFiles:
    """Files of the bundled CLIP."""

    config: Path
    weights: Path
    pooled: Path
    calibration: Path


def bundled_files() -> BundledFiles:
    """Files of the bundled CLIP, checked to be there."""
    import reference_models

    folder = Path(reference_models.__file__).parent / "clip" / "weights"
    files = BundledFiles(
        config=folder / "bundled.json",
        weights=folder / "bundled.safetensors",
        pooled=folder / "pooled.safetensors",
        calibration=folder / "calibration.json",
    )
    for path in (files.config, files.weights, files.pooled, files.calibration):
        if not path.is_file():
            raise BenchError(
                f"the bundled CLIP is not complete, {path} is missing: install the package again, "
                "or make it with python -m reference_models.clip.train and .distil"
            )
    return files


@dataclass(frozen=True, slots=True)
class BundledNetwork:
    """The bundled CLIP's model and tokenizer, its small image tower, and what both towers see."""

    model: Any
    pooled: Any
    tokenizer: Any
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def bundled_network(files: BundledFiles) -> BundledNetwork:
    """Read the bundled CLIP.

    Raises
    ------
    BenchError
        Weights of another model.
    """
    from reference_models.clip.network import MEAN, STD, load_network
    from reference_models.clip.pooled import load_pooled
    from reference_models.errors import ModelError

    try:
        model, tokenizer = load_network(files.config, files.weights)
        pooled = load_pooled(files.pooled)
    except RuntimeError as error:
        raise BenchError(f"{files.weights}: {' '.join(str(error).split())[:200]}") from error
    except ModelError as error:
        raise BenchError(str(error)) from error
    size = model.visual.grid_size[0] * model.visual.conv1.stride[0]
    return BundledNetwork(model, pooled, tokenizer, size, MEAN, STD)


def as_it_runs(network: BundledNetwork, dtype: str, device: str) -> Any:
    """The small tower on a device in its precision.

    Its weights, and those of the text tower, are in order for passes as they are made.
    """
    import torch

    from bench.judge.clip.model import BATCH, CHUNK
    from bench.judge.device import settled
    from reference_models.cutout.fused import fused

    of_type = {"dtype": getattr(torch, dtype), "device": device}
    images = torch.zeros(CHUNK, 3, network.size, network.size, **of_type)
    tower = fused(network.pooled.to(**of_type), lambda one: one(images), linear=True)
    # As long as most texts: an article, a colour, a subject, both marks.
    tokens = torch.zeros(BATCH, 5, dtype=torch.long, device=device)
    tokens[:, -1] = 1
    fused(network.model.to(device).transformer, lambda _: network.model.encode_text(tokens), True)
    settled(device)
    return tower
