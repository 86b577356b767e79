"""Loading a diffusers pipeline: class, precision, scheduler, adapters, device."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import torch

from bench.errors import UsageError
from bench.judge.device import require_device
from bench.registry import nearest
from bench.samplers.diffusers.errors import explained, quiet, shortened
from bench.samplers.diffusers.lora import Placed, add_loras
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.source import Source, is_installed_class, read_index

#: Components in which almost all the time is spent, and which are compiled.
DENOISERS = ("unet", "transformer", "prior")
#: Schedulers of distilled models: they work where DDIM does, though diffusers does not list them.
DISTILLED = ("LCMScheduler", "TCDScheduler")
#: Components that are made of convolutions: faster with channels last.
CONVOLUTIONAL = ("unet", "vae", "vqvae")


def default_device() -> str:
    """``cuda`` or ``mps`` where there is one, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def default_dtype(device: str) -> str:
    """Full precision on a CPU, half of it on a GPU."""
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    return "float16" if device.startswith("mps") else "float32"


def load(source: Source, options: Options) -> tuple[Any, tuple[Placed, ...]]:
    """Return the pipeline, ready to be called, and what of each adapter found its place.

    Raises
    ------
    UsageError
        It cannot be loaded, is no text-to-image pipeline, or lacks what an option needs.
    """
    require_device(options.device)
    if options.offload and options.device == "cpu":
        raise UsageError(f"--offload {options.offload} needs a GPU; this run is on the CPU")
    dtype = getattr(torch, options.dtype or default_dtype(options.device))
    with quiet(), explained(f"model {source.name!r} cannot be loaded"):
        pipeline = (
            _from_file(source, options, dtype)
            if source.is_file
            else _from_folder(source, options, dtype)
        )
        pipeline = _text_to_image(pipeline, source)
        if options.scheduler is not None:
            pipeline.scheduler = with_scheduler(pipeline, options.scheduler)
        placed = add_loras(pipeline, options.lora)
        _place(pipeline, options)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, placed


def _from_folder(source: Source, options: Options, dtype: torch.dtype) -> Any:
    cls = _pipeline_class(read_index(source.path), source.name)
    return cls.from_pretrained(
        source.path,
        torch_dtype=dtype,
        variant=options.variant,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=options.trust_remote_code,
    )


def _from_file(source: Source, options: Options, dtype: torch.dtype) -> Any:
    if options.config is not None:
        cls = _pipeline_class(read_index(options.config), str(options.config))
        config = str(options.config)
    else:
        cls, config = _guessed(source)
    if not hasattr(cls, "from_single_file"):
        raise UsageError(f"{cls.__name__} cannot be loaded from one file; use its folder")
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    try:
        return cls.from_single_file(str(source.path), config=config, torch_dtype=dtype)
    except SingleFileComponentError as error:
        reason = error.message.partition("\n")[0]
        raise UsageError(
            f"{source.name} does not hold a whole {cls.__name__}: {reason}; load its parts in "
            "Python, save them with `pipeline.save_pretrained(DIR)`, and give that folder"
        ) from error
    except (OSError, ValueError) as error:
        if options.config is not None:
            raise
        raise UsageError(
            f"{source.name} needs the configuration {config!r} of the hub, which cannot be had "
            f"({shortened(error, 200)}); name a folder that has it by --config DIR"
        ) from error


def _guessed(source: Source) -> tuple[Any, str]:
    """Class and hub id of the configuration that a single file's tensors look like."""
    import diffusers
    from diffusers.loaders.single_file_utils import (
        fetch_diffusers_config,
        infer_diffusers_model_type,
        load_single_file_checkpoint,
    )

    tensors = load_single_file_checkpoint(str(source.path))
    family = infer_diffusers_model_type(tensors)
    config = fetch_diffusers_config(tensors)["pretrained_model_name_or_path"]
    names = (
        ("xl_", "StableDiffusionXLPipeline"),
        ("sd3", "StableDiffusion3Pipeline"),
        ("flux", "FluxPipeline"),
        ("sana", "SanaPipeline"),
        ("v1", "StableDiffusionPipeline"),
        ("v2", "StableDiffusionPipeline"),
    )
    for start, name in names:
        if family.startswith(start):
            return getattr(diffusers, name), config
    raise UsageError(
        f"{source.name} looks like {family!r}, for which no pipeline is known here; name a folder "
        "with the configuration of its pipeline by --config DIR"
    )


def _pipeline_class(index: dict[str, Any], name: str) -> Any:
    import diffusers

    wanted = index["_class_name"]
    if is_installed_class(wanted):
        module, attribute = wanted
        cls = getattr(importlib.import_module(module), attribute, None)
        if inspect.isclass(cls) and issubclass(cls, diffusers.DiffusionPipeline):
            return cls
        raise UsageError(f"{name} names {module}.{attribute}, which is no pipeline")
    if isinstance(wanted, list):
        return diffusers.DiffusionPipeline
    cls = getattr(diffusers, str(wanted), None)
    if cls is None:
        guess = nearest(str(wanted), [n for n in dir(diffusers) if n.endswith("Pipeline")])
        raise UsageError(
            f"{name} is a {wanted}, which diffusers {diffusers.__version__} does not have"
            + (f" (the nearest is {guess})" if guess else "")
            + "; upgrade diffusers, or name the class with its module: [module, class]"
        )
    return cls if hasattr(cls, "from_single_file") else diffusers.DiffusionPipeline


def _text_to_image(pipeline: Any, source: Source) -> Any:
    """Return the pipeline itself, or its text-to-image sibling where it wants a picture."""
    from diffusers import AutoPipelineForText2Image
    from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING as known

    # Some of these may be given a picture (FLUX.2), and draw without one all the same.
    if type(pipeline) in known.values() or not _wants_picture(pipeline):
        return pipeline
    try:
        pipeline = AutoPipelineForText2Image.from_pipe(pipeline)
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{source.name} is a {type(pipeline).__name__}, which does not make pictures from "
            "text alone; expected a text-to-image pipeline"
        ) from error
    return pipeline


def _wants_picture(pipeline: Any) -> bool:
    parameters = inspect.signature(type(pipeline).__call__).parameters
    return "prompt" not in parameters or "image" in parameters or "video" in parameters


def with_scheduler(pipeline: Any, name: str) -> Any:
    """Return a scheduler of another class with the configuration of the pipeline's own.

    Raises
    ------
    UsageError
        An unknown name, or a scheduler that the pipeline cannot work with.
    """
    import diffusers

    own = getattr(pipeline, "scheduler", None)
    if own is None:
        raise UsageError(f"{type(pipeline).__name__} has no scheduler; leave --scheduler out")
    classes = {type(own).__name__: type(own)}
    classes |= {cls.__name__: cls for cls in getattr(own, "compatibles", [])}
    full = name if name.endswith("Scheduler") else f"{name}Scheduler"
    if "DDIMScheduler" in classes:
        classes |= {n: getattr(diffusers, n) for n in DISTILLED}
    if full in classes:
        return classes[full].from_config(own.config)
    every = [n for n in dir(diffusers) if n.endswith("Scheduler")]
    if full in every:
        raise UsageError(
            f"scheduler {name!r} does not fit {type(pipeline).__name__} with its "
            f"{type(own).__name__}; fitting: {', '.join(sorted(classes))}"
        )
    guess = nearest(full, every)
    hint = f"did you mean {guess!r}? " if guess else ""
    raise UsageError(f"unknown scheduler {name!r}; {hint}fitting: {', '.join(sorted(classes))}")


def _place(pipeline: Any, options: Options) -> None:
    if options.attention_slicing:
        pipeline.enable_attention_slicing()
    if options.vae_tiling:
        autoencoder: Any = getattr(pipeline, "vae", None) or getattr(pipeline, "vqvae", None)
        if not hasattr(autoencoder, "enable_tiling"):
            raise UsageError(f"{type(pipeline).__name__} has no VAE that can be tiled")
        autoencoder.enable_tiling()
    if options.offload == "model":
        pipeline.enable_model_cpu_offload(device=options.device)
    elif options.offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=options.device)
    else:
        pipeline.to(options.device)
    for name in CONVOLUTIONAL:
        part = getattr(pipeline, name, None)
        if isinstance(part, torch.nn.Module) and not options.offload:
            part.to(memory_format=torch.channels_last)
    if options.compile:
        _compile(pipeline)


def _compile(pipeline: Any) -> None:
    parts = [getattr(pipeline, name, None) for name in DENOISERS]
    found = [part for part in parts if isinstance(part, torch.nn.Module)]
    if not found:
        raise UsageError(f"{type(pipeline).__name__} has nothing to compile; leave --compile out")
    for part in found:
        part.compile()
