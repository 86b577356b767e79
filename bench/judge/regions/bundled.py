"""The bundled networks of regions: the adapter to the reference models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def bundled_cutout(dtype: str) -> tuple[Any, str]:
    """Return the network of drawn pictures in a precision, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from reference_models.cutout.load import PATH, load_cutout

    return _loaded(load_cutout, PATH, dtype)


def bundled_photo(dtype: str) -> tuple[Any, str]:
    """Return the network of photographs in a precision, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from reference_models.cutout.photo_load import PATH, load_photo

    return _loaded(load_photo, PATH, dtype)


def _loaded(load: Callable[..., Any], path: Path, dtype: str) -> tuple[Any, str]:
    from bench.errors import BenchError
    from reference_models.errors import ModelError
    from reference_models.weights import digest

    try:
        return load(dtype=dtype), digest(path)
    except ModelError as error:
        raise BenchError(str(error)) from error
