"""The weight files that come with the package, for the tests that need them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: File below the root, and the command that makes it.
FILES = {
    "reference_models/weights/local.safetensors": "python -m reference_models.train --preset local",
    "reference_models/weights/local.manifest.json": "python -m reference_models.train "
    "--preset local",
    "reference_models/weights/local-clean.safetensors": "python -m reference_models.distil",
    "reference_models/weights/local-teacher.safetensors": "python -m reference_models.train "
    "--preset local-teacher",
    "reference_models/weights/local-atomic.safetensors": "python -m reference_models.train "
    "--preset local-atomic",
    "reference_models/clip/weights/bundled.json": "python -m reference_models.clip.train",
    "reference_models/clip/weights/bundled.safetensors": "python -m reference_models.clip.train",
    "reference_models/clip/weights/pooled.safetensors": "python -m reference_models.clip.distil",
    "reference_models/clip/weights/calibration.json": "python -m reference_models.clip.train",
}


def require_weights() -> None:
    """Fail, and do not skip, where a bundled weight file is missing."""
    for name, made_by in FILES.items():
        if not (ROOT / name).is_file():
            pytest.fail(
                f"{name} is missing: the package is not complete without it; {made_by} makes it",
                pytrace=False,
            )
