"""What this machine has and lacks: versions, devices, memory, disk, and the parts that can run."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.registry import FAMILIES, PIPELINE, TABLES, load
from bench.store.paths import is_remote

#: Distribution, whether it is needed, and what for.
LIBRARIES: tuple[tuple[str, bool, str], ...] = (
    ("torch", True, "models and CLIP"),
    ("numpy", True, "pictures and statistics"),
    ("pyarrow", True, "the run folder"),
    ("pandas", True, "tables"),
    ("scipy", True, "intervals"),
    ("scikit-image", True, "regions"),
    ("open_clip_torch", True, "CLIP"),
    ("diffusers", True, "other models than the bundled one"),
    ("transformers", True, "text encoders of diffusers models"),
    ("ray", False, "several machines (pip install 'binding-bench[ray]')"),
    ("s3fs", False, "runs in s3://... (pip install 'binding-bench[s3]')"),
    ("gcsfs", False, "runs in gs://... (pip install gcsfs)"),
    ("openai", False, "image and chat APIs (pip install 'binding-bench[api]')"),
    ("fastapi", False, "bench serve (pip install 'binding-bench[serve]')"),
    ("wandb", False, "--log wandb (pip install 'binding-bench[wandb]')"),
    ("mlflow-skinny", False, "--log mlflow (pip install 'binding-bench[mlflow]')"),
    ("tensorboard", False, "--log tensorboard (pip install 'binding-bench[tensorboard]')"),
    ("matplotlib", False, "figures for a paper (pip install 'binding-bench[figures]')"),
)

#: Begins what is told of weights of the hub that are not in its cache.
NOT_HERE = "fetched when it is named:"

#: What `bench run --model local` takes where nothing else is said.
DEFAULTS = frozenset(
    {("sampler", "local"), ("segmenter", "auto")}
    | {("scorer", name) for name in ("segmentation", "clip", "ood")}
)

#: Least memory and disk, in GB, that a run of the bundled model can do with.
LEAST_MEMORY, LEAST_DISK = 2.0, 0.1


@dataclass(frozen=True)
class Finding:
    """One line: what, what was found, whether it is as it should be, and whether it must be."""

    topic: str
    name: str
    value: str
    ok: bool = True
    needed: bool = True


def examine(out: Path) -> list[Finding]:
    """Look at the machine. Every part of the tables is made, so that ``ok`` means that it runs.

    Parameters
    ----------
    out : Path
        Folder where runs would be stored.
    """
    return [
        Finding("machine", "python", platform.python_version(), sys.version_info >= (3, 11)),
        Finding("machine", "system", f"{platform.system()} {platform.machine()}"),
        Finding("machine", "cores", str(os.cpu_count() or 1)),
        _memory(),
        _disk(out),
        *_devices(),
        *_libraries(),
        *_parts(),
    ]


def _memory() -> Finding:
    try:
        size = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * size / 1e9
        free = os.sysconf("SC_AVPHYS_PAGES") * size / 1e9
    except (AttributeError, ValueError, OSError):
        return Finding("machine", "memory", "unknown")
    with contextlib.suppress(OSError, StopIteration, ValueError):
        # What the system would give, caches included; the call above leaves these out.
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = int(next(x for x in lines if x.startswith("MemAvailable")).split()[1]) * 1024 / 1e9
    return Finding(
        "machine", "memory", f"{total:.1f} GB, {free:.1f} GB available", total >= LEAST_MEMORY
    )


def _disk(out: Path) -> Finding:
    if is_remote(out):
        return Finding("machine", "disk", f"{out} is a remote store")
    folder = out.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    value = f"{free:.1f} GB free at {folder}" + ("" if writable else ", not writable")
    return Finding("machine", "disk", value, writable and free > LEAST_DISK)


def _libraries() -> list[Finding]:
    found = []
    for name, needed, purpose in LIBRARIES:
        try:
            found.append(Finding("library", name, metadata.version(name), needed=needed))
        except metadata.PackageNotFoundError:
            found.append(Finding("library", name, f"missing: {purpose}", False, needed))
    return found


def _devices() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    found = [Finding("device", "cpu", f"{torch.get_num_threads()} threads of torch")]
    cards: dict[str, list[int]] = {}
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        card = f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
        cards.setdefault(card, []).append(number)
    for card, numbers in cards.items():
        free = min(torch.cuda.mem_get_info(number)[0] for number in numbers) / 1e9
        many = f"{len(numbers)} x " if len(numbers) > 1 else ""
        names = f"cuda:{','.join(map(str, numbers))}"
        found.append(Finding("device", names, f"{many}{card}, {free:.0f} GB free"))
    if torch.backends.mps.is_available():
        found.append(Finding("device", "mps", "Apple GPU"))
    return found


def _parts() -> list[Finding]:
    found = []
    for kind, table in TABLES.items():
        for name in table:
            needed = (kind, name) in DEFAULTS
            if models := _hub_models().get(name):
                found.append(_from_hub(kind, name, models))
                continue
            if name == "auto":
                found.append(_choice())
            if name == "vqa-api":
                found.append(Finding(kind, name, "vqa-api:MODEL as --scorer.", needed=False))
                continue
            try:
                part = load(kind, name)
                part()
            except Exception as error:
                found.append(Finding(kind, name, " ".join(str(error).split()), False, needed))
            else:
                found.append(Finding(kind, name, _first_line(part), needed=needed))
        if kind == "sampler":
            said = "A folder, a .safetensors file or org/name@revision as --model."
            found.append(_importable("diffusers", PIPELINE, said))
            for name, where in FAMILIES.items():
                found.append(_importable(name, where, f"{name}:NAME as --model."))
    return found


def _choice() -> Finding:
    """What ``auto`` would be for pictures that are not of the rendered world."""
    from bench.judge.regions.auto import BUNDLED, choose

    choice = choose()
    name = "bundled" if choice.name == BUNDLED else choice.name.split(":")[1]
    words = "; ".join(part for part in (name, choice.reason) if part)
    return Finding("segmenter", "auto, chosen", words, needed=False)


def _hub_models() -> dict[str, tuple[str, ...]]:
    """Checkpoints of the hub that parts take where none is named."""
    from bench.judge.regions.word_segmenters import DEFAULTS as segmenters
    from bench.judge.scorers import geneval
    from bench.judge.vqa import blip, local

    models = {"vqa": (local.DEFAULT,), "blipvqa": (blip.DEFAULT,), "geneval": (geneval.DETECTOR,)}
    return segmenters | models


def _from_hub(kind: str, name: str, models: Sequence[str]) -> Finding:
    """A part whose weights are fetched: it is not made here, and nothing is fetched."""
    from bench.judge.checkpoints import in_cache

    lacking = [model for model in models if in_cache(model) is None]
    if lacking:
        return Finding(kind, name, f"{NOT_HERE} {', '.join(lacking)}", False, False)
    return Finding(kind, name, f"in the cache: {', '.join(models)}", needed=False)


def _importable(name: str, where: str, remark: str) -> Finding:
    """What needs more than a name to be made: here it is only imported."""
    try:
        load("sampler", where)
    except Exception as error:
        return Finding("sampler", name, " ".join(str(error).split()), False, False)
    return Finding("sampler", name, remark, needed=False)


def _first_line(part: Any) -> str:
    return (inspect.getdoc(part) or "").partition("\n")[0]
