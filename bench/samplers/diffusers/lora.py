"""Low-rank adapters of a pipeline: one or several, each with its weight."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.samplers.diffusers.options import Lora
from bench.samplers.diffusers.source import PICKLES, file_digest, require_safetensors


def add_loras(pipeline: Any, loras: tuple[Lora, ...]) -> None:
    """Load adapters into a pipeline and weigh them.

    Raises
    ------
    UsageError
        A pipeline that takes none, a file that is no adapter in safetensors, peft missing.
    """
    if not loras:
        return
    if not hasattr(pipeline, "load_lora_weights"):
        raise UsageError(f"{type(pipeline).__name__} takes no LoRA; leave --lora out")
    try:
        importlib.import_module("peft")
    except ImportError as error:
        raise UsageError("--lora needs the library peft: pip install 'binding-bench[lora]'") from (
            error
        )
    for number, lora in enumerate(loras):
        path = lora_file(lora)
        pipeline.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=f"lora{number}"
        )
    names = [f"lora{number}" for number in range(len(loras))]
    pipeline.set_adapters(names, adapter_weights=[lora.weight for lora in loras])


def lora_file(lora: Lora) -> Path:
    """Return the safetensors file of an adapter: the file itself, or the only one of a folder.

    Raises
    ------
    UsageError
        A pickle, no such path, none or several files in the folder.
    """
    path = Path(lora.path).expanduser()
    if not path.is_dir():
        return require_safetensors(path)
    files = sorted(path.glob("*.safetensors"))
    if len(files) == 1:
        return require_safetensors(files[0])
    pickles = sorted(p for p in path.iterdir() if p.suffix in PICKLES)
    if not files and pickles:
        require_safetensors(pickles[0])
    raise UsageError(f"--lora {lora.path}: {len(files)} safetensors files in it; name one of them")


def lora_record(lora: Lora) -> dict[str, Any]:
    """Name, hash and weight of an adapter, for the record of a run."""
    path = lora_file(lora)
    return {"name": path.name, "sha256": file_digest(path), "weight": lora.weight}
