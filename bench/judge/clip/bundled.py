"""Where the bundled CLIP's files are: the adapter to the reference models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class BundledFiles:
    """Files of the bundled CLIP."""

    config: Path
    weights: Path
    calibration: Path


def bundled_files() -> BundledFiles:
    """Files of the bundled CLIP, checked to be there."""
    import reference_models

    folder = Path(reference_models.__file__).parent / "clip" / "weights"
    files = BundledFiles(
        config=folder / "bundled.json",
        weights=folder / "bundled.safetensors",
        calibration=folder / "calibration.json",
    )
    for path in (files.config, files.weights, files.calibration):
        if not path.is_file():
            raise BenchError(
                f"the bundled CLIP is not complete, {path} is missing: install the package again, "
                "or make it with python -m reference_models.clip.train"
            )
    return files
