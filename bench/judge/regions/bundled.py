"""The bundled networks of regions: the adapter to the reference models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def bundled_cutout(dtype: str, device: str) -> tuple[Any, str]:
    """Return the network of drawn pictures in a precision on a device, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from reference_models.cutout.load import PATH, load_cutout

    return _loaded(load_cutout, PATH, dtype, device)


def bundled_photo(dtype: str, device: str) -> tuple[Any, str]:
    """Return the network of photographs in a precision on a device, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from reference_models.cutout.photo_load import PATH, load_photo

    return _loaded(load_photo, PATH, dtype, device)


def _loaded(load: Callable[..., Any], path: Path, dtype: str, device: str) -> tuple[Any, str]:
    from bench.errors import BenchError
    from bench.judge.device import settled
    from reference_models.errors import ModelError
    from reference_models.weights import digest

    try:
        model = load(dtype=dtype, device=device)
        settled(device)
        return model, digest(path)
    except ModelError as error:
        raise BenchError(str(error)) from error
