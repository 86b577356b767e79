"""Low-rank adapters of a pipeline: one or several, each with its scale, and what of a file fits.

Diffusers reads the files of its own scripts, of kohya's sd-scripts, OneTrainer, ai-toolkit and
others, and passes over what it finds no place for. Here every layer of a file is counted: an
adapter of which nothing fits, or of a kind that diffusers does not apply, is refused.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.judge.checkpoints import file_digest
from bench.samplers.diffusers.options import Lora
from bench.samplers.diffusers.source import PICKLES, require_safetensors

#: The first of the two factors of a layer, in the names of all trainers.
_LAYER = re.compile(
    r"(lora_down|lora_A(\.\w+)?|lora(_linear_layer)?\.down|lora_embedding_A)(\.weight)?$"
)
#: Layers of LyCORIS and others that are no product of two factors, by a part of their names.
OTHER_KINDS = {
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "oft_": "OFT",
    "dora_scale": "DoRA in the form of LyCORIS",
    "lora_mid": "LoCon with Tucker decomposition",
    ".diff": "differences of whole weights",
    "ia3": "IA3",
}
#: How peft names the layers of a model that was trained without a pipeline.
PEFT = "base_model.model."


@dataclass(frozen=True, slots=True)
class Placed:
    """An adapter in a pipeline: layers of its file, and how many of them found no place."""

    layers: int
    dropped: int


def add_loras(pipeline: Any, loras: tuple[Lora, ...]) -> tuple[Placed, ...]:
    """Load adapters into a pipeline, weigh them, and count what found its place.

    Raises
    ------
    UsageError
        A pipeline that takes none, a file that is no adapter in safetensors or of another kind or
        model, peft missing.
    """
    if not loras:
        return ()
    if not hasattr(pipeline, "load_lora_weights"):
        raise UsageError(f"{type(pipeline).__name__} takes no LoRA; leave --lora out")
    try:
        importlib.import_module("peft")
    except ImportError as error:
        raise UsageError("--lora needs the library peft: pip install 'binding-bench[lora]'") from (
            error
        )
    placed = tuple(_add(pipeline, lora, f"lora{number}") for number, lora in enumerate(loras))
    names = [f"lora{number}" for number in range(len(loras))]
    pipeline.set_adapters(names, adapter_weights=[lora.weight for lora in loras])
    return placed


def _add(pipeline: Any, lora: Lora, name: str) -> Placed:
    path = lora_file(lora)
    keys = _keys(path)
    for part, kind in OTHER_KINDS.items():
        if any(part in key for key in keys):
            raise UsageError(
                f"--lora {lora.path} holds {kind}, which diffusers does not apply; merge it into "
                "the model with the tool of its trainer and give the merged model"
            )
    layers = count_layers(keys)
    if not layers:
        raise UsageError(f"--lora {lora.path} holds no layer of a LoRA that is known")
    converted = layers
    read = pipeline.lora_state_dict

    def counted(*args: Any, **more: Any) -> Any:
        """Count after the names are those of diffusers: one layer may have become three."""
        nonlocal converted
        found = read(*args, **more)
        converted = count_layers(found[0] if isinstance(found, tuple) else found)
        return found

    pipeline.lora_state_dict = counted
    try:
        pipeline.load_lora_weights(*_source(pipeline, path, keys), adapter_name=name)
    except ValueError as error:
        if "not found in the base model" not in str(error):
            raise
    finally:
        del pipeline.lora_state_dict
    found = sum(
        name in getattr(module, factors, {})
        for part in pipeline.components.values()
        if hasattr(part, "named_modules")
        for _, module in part.named_modules()
        for factors in ("lora_A", "lora_embedding_A")
    )
    dropped = max(layers - converted, 0) + max(converted - found, 0)
    if not found:
        raise UsageError(
            f"--lora {lora.path}: none of its {layers} layers has a place in this "
            f"{type(pipeline).__name__}; it was trained on another model"
        )
    return Placed(max(layers, converted), dropped)


def count_layers(keys: Any) -> int:
    """How many layers the names of tensors make."""
    return sum(_LAYER.search(key) is not None for key in keys)


def _keys(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return list(file.keys())


def _source(pipeline: Any, path: Path, keys: list[str]) -> tuple[Any, ...]:
    """What `load_lora_weights` is given: the file, or its tensors where peft itself wrote it."""
    if not all(key.startswith(PEFT) for key in keys):
        return (str(path),)
    from safetensors.torch import load_file

    config = path.with_name("adapter_config.json")
    try:
        told: Mapping[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        rank, alpha = float(told["r"]), float(told["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} was written by peft, and {config} beside it, which has the scale, cannot be "
            f"read ({type(error).__name__}); give the folder that save_pretrained wrote"
        ) from error
    if told.get("use_dora") or told.get("rank_pattern") or told.get("alpha_pattern"):
        raise UsageError(f"{config} has DoRA or ranks by layer; merge the adapter into the model")
    scale = alpha / (rank**0.5 if told.get("use_rslora") else rank)
    denoiser = "unet" if getattr(pipeline, "unet", None) is not None else "transformer"
    tensors = {}
    for key, value in load_file(path).items():
        own = key.removeprefix(PEFT)
        tensors[f"{denoiser}.{own}"] = value * scale if ".lora_B" in own else value
    return (tensors,)


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


def lora_record(lora: Lora, placed: Placed) -> dict[str, Any]:
    """Name, hash and scale of an adapter and what of it fits, for the record of a run."""
    path = lora_file(lora)
    return {
        "name": path.name,
        "sha256": file_digest(path),
        "weight": lora.weight,
        "layers": placed.layers,
        "dropped": placed.dropped,
    }
