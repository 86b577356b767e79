"""What made the images of a diffusers pipeline: the record that stands in ``run.json``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from bench.judge.checkpoints import file_digest
from bench.records import Fingerprint
from bench.samplers.diffusers.call import Call
from bench.samplers.diffusers.load import default_dtype
from bench.samplers.diffusers.lora import Placed, lora_record
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.source import (
    Source,
    digest_of,
    read_index,
    weight_files,
)
from bench.store.manifest import versions
from prompts.hashing import content_hash

#: Keys of a configuration that say by what, where or in which precision it was saved.
NOT_COMPARED = frozenset(
    {"transformers_version", "diffusers_version", "torch_dtype", "dtype", "architectures"}
)
#: Libraries whose versions can change a picture.
LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft")


def fingerprint(
    source: Source, pipeline: Any, options: Options, call: Call, placed: tuple[Placed, ...] = ()
) -> Fingerprint:
    """What made the images: pipeline, every resolved option, hashes of the weights, versions."""
    folder = options.config if source.is_file else source.path
    index = read_index(folder) if folder is not None else {}
    if source.is_file:
        weights = file_digest(source.path)
    else:
        weights = digest_of(weight_files(source.path, index, options.variant), source.path)
    parts = {name: part for name, part in sorted(pipeline.components.items()) if part is not None}
    scheduler: Any = getattr(pipeline, "scheduler", None)
    record: dict[str, Any] = {
        "pipeline": type(pipeline).__name__,
        "components": {name: type(part).__name__ for name, part in parts.items()},
        "commit": source.commit,
        "configuration": {name: configuration(part) for name, part in parts.items()},
        "scheduler": type(scheduler).__name__ if scheduler is not None else "",
        "scheduler_config": _plain(dict(scheduler.config)) if hasattr(scheduler, "config") else {},
        "arguments": dict(call.resolved),
        "pipeline_config": _plain(dict(pipeline.config)),
        "dtype": options.dtype or default_dtype(options.device),
        "device": options.device,
        "variant": options.variant or "",
        "loras": [lora_record(*one) for one in zip(options.lora, placed, strict=True)],
        "compile": options.compile,
        "offload": options.offload or "",
        "attention_slicing": options.attention_slicing,
        "vae_tiling": options.vae_tiling,
        "remote_code": options.trust_remote_code,
    }
    return Fingerprint("sampler", source.name, record, weights, versions(LIBRARIES))


def configuration(part: Any) -> dict[str, Any]:
    """What a component is, apart from its weights.

    Read from the component as it is loaded and not from its files: saving it again, by another
    version or in another place, is no other model. Defaults are left out, since versions add to
    them; a tokenizer is its vocabulary, in whatever files it came.

    Parameters
    ----------
    part : model, tokenizer or processor of diffusers or transformers

    Returns
    -------
    dict
        Plain values by key; mappings may be nested.
    """
    if hasattr(part, "get_vocab"):
        vocabulary = sorted((str(word), int(number)) for word, number in part.get_vocab().items())
        return {
            "vocabulary": content_hash(*map(repr, vocabulary)),
            "model_max_length": int(part.model_max_length),
        }
    config: Any = getattr(part, "config", None)
    if hasattr(config, "to_diff_dict"):
        return _kept(config.to_diff_dict())
    if hasattr(part, "set_timesteps"):  # A scheduler, which has a field of its own.
        return {}
    if isinstance(config, Mapping):
        defaults = inspect.signature(type(part).__init__).parameters
        return _kept(
            {
                key: value
                for key, value in config.items()
                if key not in defaults or _as_list(value) != _as_list(defaults[key].default)
            }
        )
    return _kept(part.to_dict()) if hasattr(part, "to_dict") else {}


def _kept(config: Mapping[str, Any]) -> dict[str, Any]:
    """The values that tell what a component is; not who saved it, where and how."""
    found = {}
    for key, value in config.items():
        if str(key).startswith("_") or key in NOT_COMPARED:
            continue
        if isinstance(value, Mapping):
            found[str(key)] = _kept(value)
        elif value is None or isinstance(value, str | bool | int | float | list | tuple):
            found[str(key)] = _as_list(value)
    return found


def _as_list(value: Any) -> Any:
    """Tuples as JSON gives them back."""
    return [_as_list(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    simple = (str, bool, int, float)
    return {key: value for key, value in _kept(config).items() if isinstance(value, simple)}
