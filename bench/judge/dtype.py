"""In which precision the networks of the scorers run."""

from __future__ import annotations

import os

from bench.errors import UsageError

#: Environment variable that decides it; unset, the machine does.
VARIABLE = "BENCH_SCORING_DTYPE"


def recorded_dtype(dtype: str, device: str) -> str:
    """Return a precision as the record of a run has it, with the device that is no CPU."""
    kind = device.partition(":")[0]
    return dtype if kind == "cpu" else f"{dtype} on {kind}"


def scoring_dtype(device: str = "cpu") -> str:
    """``bfloat16`` on a processor that multiplies it fast, else ``float32``.

    Sums are kept in float32 either way, and scores agree within a few hundredths (docs/regions.md).
    The machine that a run was scored on must not decide whether it may be compared, so the
    precision is recorded among the versions of a part and not among its options.

    Raises
    ------
    UsageError
        The environment variable asks for something else.
    """
    import torch

    forced = os.environ.get(VARIABLE, "")
    if forced not in ("", "float32", "bfloat16"):
        raise UsageError(f"{VARIABLE} is {forced!r}; expected float32 or bfloat16, or unset it")
    if forced:
        return forced
    # Not of torch's public interface, and not there in all its versions.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    fast = any(getattr(torch.cpu, name, bool)() for name in names)
    return "bfloat16" if fast and torch.device(device).type == "cpu" else "float32"


def exact_dtype() -> str:
    """``float32``, unless the environment variable asks for ``bfloat16``.

    For a language model, whose answer in bfloat16 would depend on what else is in the batch.
    """
    return scoring_dtype("meta")
