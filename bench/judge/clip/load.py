"""Loading a CLIP through open_clip's own factory, from a tag, a file or the bundled weights."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.judge.clip.model import Clip
from bench.judge.clip.spec import PLAIN, ClipSpec, parse_spec, refuse_pickle
from bench.judge.clip.weights import check_safetensors, file_hash
from bench.judge.clip.words import word_checker
from bench.judge.device import settled
from bench.judge.dtype import recorded_dtype, scoring_dtype
from bench.records import Fingerprint


@lru_cache(maxsize=4)
def load_clip(spec: str = "bundled", device: str = "cpu") -> Clip:
    """Load a CLIP; the same object for the same arguments, so that its caches are shared.

    Parameters
    ----------
    spec : str
        ``bundled``, ``ViT-B-16:openai`` (a model and tag of open_clip), ``ViT-B-16:openai=FILE``
        (the weights of a tag from a file), ``PE-Core-B-16:FILE`` (a model all of whose tags are
        alike), ``config.json:FILE`` or ``tipsv2``, where FILE is a safetensors file.
    device : str

    Returns
    -------
    Clip

    Raises
    ------
    UsageError
        An unknown model or tag, a missing file, a pickle.
    BenchError
        Weights that are damaged, do not fit the model, or cannot be fetched.
    """
    if spec.partition(":")[0] == "tipsv2":
        from bench.judge.clip.tips import load_tips

        return load_tips(spec, device)
    if spec == "bundled":
        return _bundled(device)
    return _build(parse_spec(spec), device)


def _bundled(device: str) -> Clip:
    from bench.judge.clip.bundled import as_it_runs, bundled_files, bundled_network

    files = bundled_files()
    for path in (files.weights, files.pooled):
        check_safetensors(path)
    network = bundled_network(files)
    calibration = json.loads(files.calibration.read_text(encoding="utf-8"))
    model = network.model.to(device)
    clip = _ready("bundled", model, network.tokenizer, network.size, network.mean, network.std,
                  device, "tokens", files.weights, calibration, ("torch",))  # fmt: skip
    options = {**clip.fingerprint.options, "pooled_tower": file_hash(files.pooled)}
    return replace(
        clip,
        pooled_tower=as_it_runs(network, clip.dtype, device),
        fingerprint=replace(clip.fingerprint, options=options),
    )


def _build(parsed: ClipSpec, device: str) -> Clip:
    import open_clip

    options: dict[str, Any] = {}
    if parsed.config is not None:
        name, options = _register(parsed.config)
    else:
        name = parsed.model
        if name not in open_clip.list_models():
            close = difflib.get_close_matches(name, open_clip.list_models(), n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise UsageError(f"open_clip has no model {name!r}{hint}")
    weights = parsed.weights
    if weights is None:
        weights, options = _fetch(name, parsed.tag)
    elif parsed.config is None:
        options = _options_of_file(name, parsed.tag, weights)
    check_safetensors(weights)
    try:
        model, _, _ = open_clip.create_model_and_transforms(
            name, pretrained=str(weights), device=device, **options
        )
    except Exception as error:
        first = " ".join(str(error).split())[:300]
        raise BenchError(f"{weights} does not load as {name}: {first}") from error
    try:
        tokenizer = open_clip.get_tokenizer(name)
    except Exception as error:
        first = " ".join(str(error).split())[:200]
        raise BenchError(
            f"the tokenizer of {name} is not on this machine and could not be fetched ({first}); "
            "fetch it once where there is a network: "
            f"python -c \"import open_clip; open_clip.get_tokenizer('{name}')\""
        ) from error
    model.eval().requires_grad_(False)
    config = model.visual.preprocess_cfg
    side = config["size"]
    side = int(side if isinstance(side, int) else side[0])
    return _ready(parsed.label, model, tokenizer, side, tuple(config["mean"]), tuple(config["std"]),
                  device, "values", weights, {}, ("open_clip_torch", "torch"))  # fmt: skip


def _ready(
    name: str, model: Any, tokenizer: Any, size: int, mean: tuple[float, ...],
    std: tuple[float, ...], device: str, dense_from: str, weights: Path,
    calibration: Mapping[str, Any], packages: tuple[str, ...],
) -> Clip:  # fmt: skip
    settled(device)
    tower, dtype = _in_best_precision(model.visual, device)
    return Clip(
        name=name,
        model=model,
        tokenizer=tokenizer,
        size=size,
        mean=mean,
        std=std,
        device=device,
        tower=tower,
        pooled_tower=tower,
        dtype=dtype,
        dense_from=dense_from,
        scale=float(model.logit_scale.exp()),
        calibration=calibration,
        fingerprint=Fingerprint(
            kind="clip",
            name=name,
            options={"dense": dense_from, "size": size},
            weights=file_hash(weights),
            versions={
                **{package: version(package) for package in packages},
                "image_tower": recorded_dtype(dtype, device),
            },
        ),
        unknown_words=word_checker(tokenizer, calibration.get("words")),
    )


def _in_best_precision(visual: Any, device: str) -> tuple[Any, str]:
    """The image tower, in bfloat16 where that is fast and the tower a transformer."""
    import copy

    import torch

    dtype = scoring_dtype(device)
    if dtype == "float32" or not hasattr(visual, "transformer"):
        return visual, "float32"
    return copy.deepcopy(visual).to(torch.bfloat16), dtype


def _register(path: Path) -> tuple[str, dict[str, Any]]:
    """Add a config file to open_clip under a name of its own; the name and the factory options.

    Both forms are read: the bare model config, and ``open_clip_config.json`` with ``model_cfg`` and
    ``preprocess_cfg``. A relative ``bpe_path`` is taken from beside the config.
    """
    import open_clip

    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        preprocess = config.get("preprocess_cfg", {})
        config = config.get("model_cfg", config)
        text = config["text_cfg"]
        missing = [key for key in ("embed_dim", "vision_cfg") if key not in config]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"{path} is not an open_clip model config ({error!r})") from error
    if missing:
        raise UsageError(f"{path} is not an open_clip model config: it has no {missing[0]!r}")
    kwargs = text.get("tokenizer_kwargs") or {}
    if "bpe_path" in kwargs:
        kwargs["bpe_path"] = str((path.parent / kwargs["bpe_path"]).resolve())
    name = f"bench-{path.stem}-{file_hash(path)[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{name}.json"
        copy.write_text(json.dumps(config), encoding="utf-8")
        open_clip.add_model_config(copy)
    return name, _transform_options(preprocess)


def _transform_options(preprocess: Mapping[str, Any]) -> dict[str, Any]:
    names = {"mean": "image_mean", "std": "image_std", "interpolation": "image_interpolation"}
    return {names[key]: value for key, value in preprocess.items() if key in names}


def _tag_config(model: str, tag: str) -> Mapping[str, Any]:
    from open_clip import pretrained

    config: Mapping[str, Any] = pretrained.get_pretrained_cfg(model, tag)
    if not config:
        tags = pretrained.list_pretrained_tags_by_model(model)
        close = difflib.get_close_matches(tag, tags, n=3) or tags[:6]
        raise UsageError(f"open_clip has no weights {tag!r} for {model}; it has {', '.join(close)}")
    return config


def _tag_options(config: Mapping[str, Any]) -> dict[str, Any]:
    options = _transform_options(config)
    if config.get("quick_gelu"):
        options["force_quick_gelu"] = True
    return options


def _options_of_file(model: str, tag: str, weights: Path) -> dict[str, Any]:
    """Factory options of weights in a file: those of its tag, or of all tags where they agree.

    The same weights with another activation or other means are another model, and nothing in the
    file tells them.

    Raises
    ------
    UsageError
        No tag is named, and the tags of the model differ.
    """
    from open_clip import pretrained

    if tag == PLAIN:
        return {}
    if tag:
        return _tag_options(_tag_config(model, tag))
    every = {
        one: _tag_options(_tag_config(model, one))
        for one in pretrained.list_pretrained_tags_by_model(model)
    }
    kinds: dict[str, list[str]] = {}
    for one, options in every.items():
        kinds.setdefault(repr(sorted(options.items())), []).append(one)
    if len(kinds) <= 1:
        return next(iter(every.values()), {})
    tags = "; ".join(", ".join(names[:3]) for names in kinds.values())
    raise UsageError(
        f"--clip {model}:{weights.name} does not say whose weights these are, and those of {model} "
        f"differ in activation or normalisation ({tags}); name the tag, as in "
        f"{model}:{next(iter(every))}={weights.name}, or {model}:{PLAIN}={weights.name} for "
        "weights of your own with open_clip's defaults"
    )


def _fetch(model: str, tag: str) -> tuple[Path, dict[str, Any]]:
    """File and factory options of an open_clip tag; only where the tag has safetensors."""
    from open_clip import pretrained

    config = _tag_config(model, tag)
    if "hf_hub" not in config:
        refuse_pickle(Path(str(config.get("url", "weights.pt"))))
    try:
        path = Path(pretrained.download_pretrained(config))
    except Exception as error:
        first = " ".join(str(error).split())[:200]
        raise BenchError(
            f"the weights {model}:{tag} are not on this machine and could not be fetched ({first}"
            "); fetch them elsewhere and give the file: "
            f"--clip {model}:{tag}=/path/to/file.safetensors"
        ) from error
    refuse_pickle(path)
    return path, _tag_options(config)
