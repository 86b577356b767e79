"""The bundled networks of regions: the adapter to the reference models."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bench.memory import give_freed_pages_back

_LOADING = threading.Lock()


def bundled_cutout_dtype(device: str) -> str:
    """Precision of the network of drawn pictures: ``int8`` on a CPU that multiplies it fast.

    Elsewhere, and where one is asked for, that of all networks (`bench.judge.dtype`).
    """
    from bench.judge.dtype import VARIABLE, scoring_dtype
    from reference_models.cutout.quantised import available

    if device == "cpu" and not os.environ.get(VARIABLE) and available():
        return "int8"
    return scoring_dtype(device)


def bundled_cutout(dtype: str, device: str) -> tuple[Any, str]:
    """Return the network of drawn pictures in a precision on a device, and the hash of its weights.

    Raises
    ------
    BenchError
        A missing or damaged weight file.
    """
    from reference_models.cutout.load import PATH, load_cutout
    from reference_models.weights import digest

    return _loaded(load_cutout, dtype, device), digest(PATH)


def bundled_photo(dtype: str, device: str) -> tuple[Callable[[], Any], str]:
    """Return what gives the network of photographs, and the hash of its weights.

    It is loaded when it is first asked for: small pictures do not need it.

    Raises
    ------
    BenchError
        A missing weight file; of what is returned, a damaged one.
    """
    from reference_models.cutout.photo_load import PATH, load_photo
    from reference_models.weights import digest

    @lru_cache(maxsize=1)
    def network() -> Any:
        with _LOADING:
            loaded = _loaded(load_photo, dtype, device)
        # Weights are read, widened and folded: twice as much is freed as is kept.
        give_freed_pages_back()
        return loaded

    weights = digest(PATH)
    if not weights:
        network()
    return network, weights


@lru_cache(maxsize=1)
def feature_weights() -> dict[str, str]:
    """Hash of the layers that the features of each bundled network come from, by its name.

    Decoders and names may change without it.
    """
    from reference_models.cutout import load, photo_load
    from reference_models.weights import layers_digest

    return {
        "small": layers_digest(load.PATH, ("stem.", "down.")),
        "photo": layers_digest(photo_load.PATH, ("backbone.stem.", "backbone.stages.")),
    }


def _loaded(load: Callable[..., Any], dtype: str, device: str) -> Any:
    from bench.errors import BenchError
    from bench.judge.device import settled
    from reference_models.errors import ModelError

    try:
        model = load(dtype=dtype, device=device)
    except ModelError as error:
        raise BenchError(str(error)) from error
    settled(device)
    return model
