"""What made the images of a diffusers pipeline: the record that stands in ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.records import Fingerprint
from bench.samplers.diffusers.call import Call
from bench.samplers.diffusers.load import default_dtype
from bench.samplers.diffusers.lora import lora_record
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.source import (
    Source,
    components,
    config_digest,
    digest_of,
    file_digest,
    read_index,
    weight_files,
)
from bench.store.manifest import versions

#: Libraries whose versions can change a picture.
LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft")


def fingerprint(source: Source, pipeline: Any, options: Options, call: Call) -> Fingerprint:
    """What made the images: pipeline, every resolved option, hashes of the weights, versions."""
    folder = options.config if source.is_file else source.path
    index = read_index(folder) if folder is not None else {}
    if source.is_file:
        weights = file_digest(source.path)
    else:
        weights = digest_of(weight_files(source.path, index, options.variant), source.path)
    scheduler: Any = getattr(pipeline, "scheduler", None)
    record: dict[str, Any] = {
        "pipeline": type(pipeline).__name__,
        "components": {name: cls for name, _, cls in components(index)},
        "commit": source.commit,
        "configuration": config_digest(folder) if folder is not None else "",
        "scheduler": type(scheduler).__name__ if scheduler is not None else "",
        "scheduler_config": _plain(dict(scheduler.config)) if hasattr(scheduler, "config") else {},
        "arguments": dict(call.resolved),
        "pipeline_config": _plain(dict(pipeline.config)),
        "dtype": options.dtype or default_dtype(options.device),
        "device": options.device,
        "variant": options.variant or "",
        "loras": [lora_record(lora) for lora in options.lora],
        "compile": options.compile,
        "offload": options.offload or "",
        "attention_slicing": options.attention_slicing,
        "vae_tiling": options.vae_tiling,
        "remote_code": options.trust_remote_code,
    }
    return Fingerprint("sampler", source.name, record, weights, versions(LIBRARIES))


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    simple = (str, bool, int, float)
    return {k: v for k, v in config.items() if isinstance(v, simple) and not k.startswith("_")}
