"""The bundled cutout network: the adapter to the reference models."""

from __future__ import annotations

from typing import Any


def bundled_cutout(dtype: str) -> tuple[Any, str]:
    """Return the network in a precision, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from bench.errors import BenchError
    from reference_models.cutout.load import PATH, load_cutout
    from reference_models.errors import ModelError
    from reference_models.weights import digest

    try:
        return load_cutout(dtype=dtype), digest(PATH)
    except ModelError as error:
        raise BenchError(str(error)) from error
